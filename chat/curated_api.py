"""Exact answers in the API."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from agents.audience_fields import AudienceField
from agents.models import Agent
from chat import curated, tasks
from chat.models import CuratedAnswer
from chat.quality_models import MAX_ANSWER, MAX_QUESTION
from netvexa.lib.api import Strict, wanted_id
from netvexa.lib.errors import Invalid
from netvexa.lib.idempotency import idempotent
from tenants.api import WorkspaceAPI
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

    def save(self, **kwargs: Any) -> CuratedAnswer:
        """Store it with its wordings. Raises Invalid."""
        given = dict(self.validated_data)
        row = self.instance or CuratedAnswer()
        wordings = given.pop("wordings", None) or row.wordings
        for name, value in given.items():
            setattr(row, name, value)
        self.instance = curated.save(row, wordings)
        tasks.make_curated_vectors.enqueue(self.instance.agent_id)
        return self.instance


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
class CuratedViewSet(WorkspaceAPI, viewsets.ModelViewSet[CuratedAnswer]):
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

    @idempotent
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Add an exact answer."""
        return super().create(request, *args, **kwargs)

    @extend_schema(request=CuratedFile, responses={201: Imported})
    @action(detail=False, methods=["post"], url_path="import", parser_classes=[MultiPartParser])
    def import_file(self, request: Request) -> Response:
        """Take questions and answers from a CSV file; a question that is there gets the new answer."""
        given = CuratedFile(data=request.data)
        given.is_valid(raise_exception=True)
        agent = Agent.objects.get_or_404(given.validated_data["agent"])
        if given.validated_data["file"].size > 5_000_000:
            raise Invalid("The file is larger than 5 MB. Split it.")
        data, audience = given.validated_data["file"].read(), given.validated_data["audience"]
        count = curated.import_csv(agent, data, by=None, audience=audience)
        tasks.make_curated_vectors.enqueue(agent.pk)
        return Response({"questions": count}, status=201)
