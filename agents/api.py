"""Agents in the API."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import RegexValidator
from django.db.models import F
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from agents.gates import Change, held
from agents.models import Agent
from agents.tiers import check_choice, choices, load_table
from billing import limits
from billing.plans import Limit, Tier
from billing.subscriptions import standing_of
from netvexa.lib.api import Strict, tested_first
from netvexa.lib.errors import AppError
from netvexa.lib.idempotency import idempotent
from tenants.api import WorkspaceAPI, credential_of
from tenants.context import current_workspace
from tenants.keys import Scope

origin_validator = RegexValidator(
    r"^https?://[a-z0-9.\-*]+(:\d{1,5})?$", "Use an origin such as https://www.example.com, without a path."
)

host_validator = RegexValidator(r"^([a-z0-9-]+\.)+[a-z]{2,63}$", "Use a host such as shop.example.com.")


class AgentSerializer(Strict, serializers.ModelSerializer[Agent]):
    """An agent's settings."""

    suggestions = serializers.ListField(
        child=serializers.CharField(max_length=120), max_length=6, required=False
    )
    allowed_origins = serializers.ListField(
        child=serializers.CharField(max_length=200, validators=[origin_validator]),
        max_length=50,
        required=False,
    )

    link_hosts = serializers.ListField(
        child=serializers.CharField(max_length=200, validators=[host_validator]),
        max_length=50,
        required=False,
    )

    class Meta:
        model = Agent
        fields: ClassVar = [
            "id",
            "public_id",
            "name",
            "tone",
            "instructions",
            "greeting",
            "suggestions",
            "language",
            "model",
            "evidence_threshold",
            "unsupported_claims",
            "change_gate",
            "judge",
            "cache_enabled",
            "cache_similarity",
            "daily_budget_micro_usd",
            "monthly_budget_micro_usd",
            "link_hosts",
            "allowed_origins",
            "contact_email",
            "handoff_enabled",
            "leads_enabled",
            "colour",
            "position",
            "is_active",
            "version",
            "created_at",
            "updated_at",
        ]
        read_only_fields: ClassVar = ["id", "public_id", "version", "created_at", "updated_at"]

    def validate_model(self, value: str) -> str:
        tier, table = standing_of(current_workspace()).plan.tier, load_table(settings.MODEL_PRESET)
        try:
            check_choice(table, tier.value, configured=value)
        except AppError as error:
            if any(value in choices(table, larger.value) for larger in Tier):
                raise limits.NotInPlan("models", f"The model {value}") from error
            raise serializers.ValidationError(error.detail) from error
        return value


class AgentViewSet(
    WorkspaceAPI,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet,  # type: ignore[type-arg]
):
    """Support agents: how each speaks, looks and how sure it must be before it answers."""

    audited = "agent"
    audited_fields = tuple(
        name for name in AgentSerializer.Meta.fields if name not in ("id", "created_at", "updated_at")
    )
    scopes: ClassVar = {"read": Scope.READ_AGENTS, "write": Scope.WRITE_AGENTS}
    serializer_class = AgentSerializer
    queryset = Agent.objects.all()
    lookup_value_converter = "uuid"
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]  # noqa: RUF012  as DRF declares it

    def get_object(self) -> Agent:
        return Agent.objects.get_or_404(self.kwargs["pk"])

    @idempotent
    def create(self, request: Request) -> Response:
        """Make an agent. Refused with 403 `limit_reached` where the plan includes no more."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        limits.check(standing_of(self.workspace), Limit.AGENTS, Agent.objects.count())
        given.save()
        return Response(given.data, status=201)

    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change settings. One that shapes answers is tested first where the agent has a test set: the answer is then
        202 with the run that tries it, and the change counts when nothing breaks.
        """
        agent = self.get_object()
        given = self.get_serializer(agent, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        changed = {name: new for name, new in given.validated_data.items() if getattr(agent, name) != new}
        run = held(Change(agent, credential_of(request).person_id, changed))
        if run is not None:
            return tested_first(run)
        self.perform_update(given)
        return Response(given.data)

    def perform_update(self, serializer: serializers.BaseSerializer[Any]) -> None:
        serializer.save(version=F("version") + 1)
        serializer.instance.refresh_from_db(fields=["version"])  # type: ignore[union-attr]
