"""What visitors ask in vain, in the API."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from chat import gaps
from chat.models import Gap
from chat.quality_models import GapState
from netvexa.lib.api import Strict, wanted_choice, wanted_id
from tenants.api import WorkspaceAPI, credential_of
from tenants.keys import Scope


class GapSerializer(serializers.ModelSerializer[Gap]):
    """A question asked in vain, with the ways it was asked."""

    questions = serializers.SerializerMethodField()

    class Meta:
        model = Gap
        fields: ClassVar = [
            "id",
            "agent",
            "state",
            "questions",
            "asked",
            "disliked",
            "first_at",
            "last_at",
            "handled_at",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_questions(self, gap: Gap) -> list[str]:
        return gaps.wordings_of(gaps.askings_of([gap])[gap.pk])


class ClosestSerializer(serializers.Serializer[Any]):
    """The passage that comes nearest to an answer."""

    title = serializers.CharField()
    quote = serializers.CharField()
    url = serializers.CharField()
    evidence = serializers.FloatField()


class SuggestionSerializer(serializers.Serializer[Any]):
    """What could close the gap."""

    questions = serializers.ListField(child=serializers.CharField())
    draft = serializers.CharField()
    audience = serializers.CharField(help_text="Whom the draft's source is meant for; empty: everybody.")
    closest = ClosestSerializer(allow_null=True)


class GapDetail(GapSerializer):
    """A gap with what could close it."""

    suggestion = serializers.SerializerMethodField()

    class Meta(GapSerializer.Meta):
        fields: ClassVar = [*GapSerializer.Meta.fields, "suggestion"]
        read_only_fields = fields

    @extend_schema_field(SuggestionSerializer)
    def get_suggestion(self, gap: Gap) -> Any:
        return gaps.suggestion_for(gap)


class GapChange(Strict):
    """What becomes of a gap."""

    state = serializers.ChoiceField(choices=GapState.choices)


@extend_schema_view(
    list=extend_schema(
        parameters=[
            OpenApiParameter("agent", OpenApiTypes.UUID, description="Only this agent's."),
            OpenApiParameter("state", str, enum=GapState.values, description="Only in this state."),
        ]
    ),
    retrieve=extend_schema(responses=GapDetail),
)
class GapViewSet(
    WorkspaceAPI,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet,  # type: ignore[type-arg]
):
    """Questions that were not answered, or not well, brought together by meaning."""

    audited = "gap"
    audited_fields = ("agent_id", "state")
    scopes: ClassVar = {"read": Scope.READ_CONVERSATIONS, "write": Scope.WRITE_CONVERSATIONS}
    serializer_class = GapSerializer
    queryset = Gap.objects.all()
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Gap]:
        rows = Gap.objects.all()
        if agent := wanted_id(self.request, "agent"):
            rows = rows.filter(agent_id=agent)
        if state := wanted_choice(self.request, "state", GapState.values):
            rows = rows.filter(state=state)
        return rows

    def get_object(self) -> Gap:
        return Gap.objects.get_or_404(self.kwargs["pk"])

    def get_serializer_class(self) -> Any:
        return GapDetail if self.action == "retrieve" else GapSerializer

    @extend_schema(request=GapChange, responses=GapSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Mark it as handled, dismiss it, or open it again."""
        given = GapChange(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        row = self.get_object()
        if "state" in given.validated_data:
            gaps.settle(row, GapState(given.validated_data["state"]), by=credential_of(request).person_id)
        return Response(GapSerializer(row).data)
