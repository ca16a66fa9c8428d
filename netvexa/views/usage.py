"""What a workspace uses of what its plan includes, in the API."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agents.models import Agent
from billing import storage
from billing.models import UsageKind
from billing.plans import Limit
from billing.subscriptions import standing_of
from billing.usage import usage_of
from knowledge.models import Source, counted_pages
from netvexa.pages.members import seats_of
from tenants.api import WorkspaceAPI
from tenants.context import current_workspace
from tenants.keys import Scope


class UsageSerializer(serializers.Serializer[Any]):
    """Of each limit: how much is used, and how much the plan includes (null is no limit)."""

    plan = serializers.CharField()
    trial_ends_at = serializers.DateTimeField(allow_null=True)
    resets_at = serializers.DateTimeField()
    limits = serializers.DictField(
        child=serializers.DictField(child=serializers.IntegerField(allow_null=True))
    )
    beyond_plan = serializers.DictField(
        child=serializers.IntegerField(), help_text="Answers beyond the plan that an owner allowed."
    )
    tokens = serializers.IntegerField()


class UsageView(WorkspaceAPI, APIView):
    """This month's usage."""

    scopes: ClassVar = {"read": Scope.READ_ANALYTICS}

    @extend_schema(responses=UsageSerializer, operation_id="usage")
    def get(self, request: Request) -> Response:
        """What is used of what the plan includes."""
        workspace = current_workspace()
        standing, answers = standing_of(workspace), usage_of(workspace)[UsageKind.ANSWERS]
        used = {**_counts(), Limit.ANSWERS: answers.within}
        body = {
            "plan": standing.plan.tier.value,
            "trial_ends_at": standing.trial_ends_at,
            "resets_at": answers.resets_at,
            "limits": {
                limit.value: {"used": number, "maximum": standing.limits[limit]}
                for limit, number in used.items()
            },
            "beyond_plan": {"used": answers.over, "maximum": standing.extra_answers},
            "tokens": answers.tokens,
        }
        return Response(UsageSerializer(body).data)


def _counts() -> dict[Limit, int]:
    return {
        Limit.AGENTS: Agent.objects.count(),
        Limit.SOURCES: Source.objects.count(),
        Limit.PAGES: counted_pages(),
        Limit.STORAGE_BYTES: storage.stored_bytes(),
        Limit.SEATS: seats_of(current_workspace()).used,
    }
