"""Exact answers in the API."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from agents.audience_fields import AudienceField
from agents.models import Agent
from chat import curated, curated_changes, tasks
from chat.models import CuratedAnswer
from chat.quality_models import MAX_ANSWER, MAX_QUESTION
from netvexa.lib.api import Strict, TestedFirst, tested_first, wanted_id
from netvexa.lib.errors import Invalid
from netvexa.lib.idempotency import idempotent
from tenants.api import WorkspaceAPI, credential_of
from tenants.keys import Scope


class CuratedSerializer(Strict, serializers.ModelSerializer[CuratedAnswer]):
    """An answer in the team's own words, and the wordings of its question."""

    questions = serializers.ListField(
        child=serializers.CharField(max_length=MAX_QUESTION),
        source="wordings",
        min_length=1,
        max_length=curated.MAX_WORDINGS,
    )
    answer = serializers.CharField(max_length=MAX_ANSWER)
    audience = AudienceField(required=False)

    class Meta:
        model = CuratedAnswer
        fields: ClassVar = [
            "id",
            "agent",
            "questions",
            "answer",
            "link",
            "audience",
            "is_active",
            "hits",
            "last_hit_at",
            "created_at",
            "updated_at",
        ]
        read_only_fields: ClassVar = ["id", "hits", "last_hit_at", "created_at", "updated_at"]

    def validate_agent(self, agent: Agent) -> Agent:
        if self.instance is not None and agent != self.instance.agent:
            raise serializers.ValidationError("An exact answer stays with its agent.")
        return agent

    def store(self, *, by: UUID | None) -> UUID | None:
        """Store it with its wordings; the run that it waits for, if it does. Raises Invalid."""
        given = dict(self.validated_data)
        row = self.instance or CuratedAnswer(created_by=by)
        wordings = given.pop("wordings", None) or row.wordings
        for name, value in given.items():
            setattr(row, name, value)
        self.instance = row
        run = curated_changes.save(row, wordings, by=by)
        if run is None:
            tasks.make_curated_vectors.enqueue(row.agent_id)
        return run


class CuratedFile(Strict):
    """A CSV file with the columns question and answer."""

    agent = serializers.UUIDField()
    file = serializers.FileField()
    audience = AudienceField(required=False, default="")


class Imported(serializers.Serializer[Any]):
    """How many questions were taken from the file."""

    questions = serializers.IntegerField()


@extend_schema_view(
    list=extend_schema(
        parameters=[OpenApiParameter("agent", OpenApiTypes.UUID, description="Only this agent's.")]
    )
)
class CuratedViewSet(
    WorkspaceAPI,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[CuratedAnswer],
):
    """Exact answers: given as they stand to whoever asks one of their questions."""

    audited = "exact_answer"
    audited_fields = ("agent_id", "answer", "link", "is_active")
    scopes: ClassVar = {"read": Scope.READ_KNOWLEDGE, "write": Scope.WRITE_KNOWLEDGE}
    serializer_class = CuratedSerializer
    queryset = CuratedAnswer.objects.all()
    lookup_value_converter = "uuid"
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]  # noqa: RUF012  as DRF declares it

    def get_queryset(self) -> QuerySet[CuratedAnswer]:
        rows = CuratedAnswer.objects.prefetch_related("questions")
        agent = wanted_id(self.request, "agent")
        return rows.filter(agent_id=agent) if agent else rows

    def get_object(self) -> CuratedAnswer:
        return CuratedAnswer.objects.get_or_404(self.kwargs["pk"])

    @extend_schema(responses={201: CuratedSerializer, 202: TestedFirst})
    @idempotent
    def create(self, request: Request) -> Response:
        """Add an exact answer.

        Where the agent has a test set it is tested first what that breaks: the answer is then 202 with the run, and the
        exact answer comes into use when nothing breaks. So are changes and deletions.
        """
        return self._store(request, self.get_serializer(data=request.data), status=201)

    @extend_schema(responses={200: CuratedSerializer, 202: TestedFirst})
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Change an exact answer."""
        given = self.get_serializer(self.get_object(), data=request.data, partial=True)
        return self._store(request, given, status=200)

    def _store(self, request: Request, given: Any, *, status: int) -> Response:
        given.is_valid(raise_exception=True)
        run = given.store(by=credential_of(request).person_id)
        return Response(given.data, status=status) if run is None else tested_first(run)

    @extend_schema(responses={204: None, 202: TestedFirst})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Delete an exact answer."""
        run = curated_changes.delete(self.get_object(), by=credential_of(request).person_id)
        return Response(status=204) if run is None else tested_first(run)

    @extend_schema(request=CuratedFile, responses={201: Imported, 202: TestedFirst})
    @action(detail=False, methods=["post"], url_path="import", parser_classes=[MultiPartParser])
    def import_file(self, request: Request) -> Response:
        """Take questions and answers from a CSV file; a question that is there gets the new answer."""
        given = CuratedFile(data=request.data)
        given.is_valid(raise_exception=True)
        agent = Agent.objects.get_or_404(given.validated_data["agent"])
        if given.validated_data["file"].size > 5_000_000:
            raise Invalid("The file is larger than 5 MB. Split it.")
        pairs = curated.pairs_in(given.validated_data["file"].read())
        audience, by = given.validated_data["audience"], credential_of(request).person_id
        if (run := curated_changes.import_pairs(agent, pairs, by=by, audience=audience)) is not None:
            return tested_first(run)
        tasks.make_curated_vectors.enqueue(agent.pk)
        return Response({"questions": len(pairs)}, status=201)
