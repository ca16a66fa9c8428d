"""Sources and documents in the API."""

from __future__ import annotations

from typing import Any, ClassVar, cast
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from agents.models import Agent
from billing import limits, storage
from billing.plans import Limit
from billing.subscriptions import standing_of
from knowledge import documents
from knowledge.models import Document, DocumentStatus, Source, SourceKind
from netvexa.lib.api import Strict
from netvexa.lib.errors import Invalid, NotFound
from netvexa.lib.idempotency import idempotent
from tenants.api import WorkspaceAPI, key_of
from tenants.keys import Scope

SCOPES = {"read": Scope.READ_KNOWLEDGE, "write": Scope.WRITE_KNOWLEDGE}
MAX_TEXT = 500_000


class DocumentSerializer(serializers.ModelSerializer[Document]):
    """One file or page, and how far its reading is."""

    serving = serializers.SerializerMethodField(help_text="Whether answers come from it already.")

    class Meta:
        model = Document
        fields: ClassVar = [
            "id",
            "source",
            "title",
            "url",
            "status",
            "step",
            "done",
            "total",
            "error_code",
            "error",
            "serving",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields

    def get_serving(self, document: Document) -> bool:
        return document.live_id is not None


class SourceSerializer(serializers.ModelSerializer[Source]):
    """Something that was added, and what came of it."""

    documents = DocumentSerializer(many=True, read_only=True)

    class Meta:
        model = Source
        fields: ClassVar = ["id", "agent", "kind", "title", "url", "documents", "created_at"]
        read_only_fields = fields


class NewSource(Strict):
    """A file (multipart), a web page or a pasted text."""

    agent = serializers.UUIDField()
    kind = serializers.ChoiceField(SourceKind.choices)
    title = serializers.CharField(max_length=200, required=False, allow_blank=True)
    url = serializers.URLField(max_length=2000, required=False)
    text = serializers.CharField(max_length=MAX_TEXT, required=False)
    file = serializers.FileField(required=False, max_length=200)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        needed = attrs["kind"] if attrs["kind"] != SourceKind.FILE else "file"
        if not attrs.get(needed):
            raise serializers.ValidationError({needed: ["This kind of source needs it."]})
        return attrs


def add(agent: Agent, given: dict[str, Any], *, added_by: UUID | None) -> Source:
    """Add what was given to the agent's knowledge."""
    title = given.get("title", "")
    if given["kind"] == SourceKind.FILE:
        file = given["file"]
        return documents.add_file(
            agent,
            name=file.name,
            content=file,
            title=title,
            url=given.get("url", ""),
            added_by=added_by,
        )
    if given["kind"] == SourceKind.URL:
        return documents.add_url(agent, url=given["url"], title=title, added_by=added_by)
    return documents.add_text(agent, title=title, text=given["text"], added_by=added_by)


def check_limits(workspace: Any, *, adding: int) -> None:
    """Raises LimitReached where the plan has no room for one more source of this many bytes."""
    standing = standing_of(workspace)
    limits.check(standing, Limit.SOURCES, Source.objects.count())
    limits.check(standing, Limit.STORAGE_BYTES, storage.stored_bytes(), adding=adding)


_AGENT = OpenApiParameter("agent", OpenApiTypes.UUID, description="Only this agent's.")


@extend_schema_view(list=extend_schema(parameters=[_AGENT]))
class SourceViewSet(
    WorkspaceAPI,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet,  # type: ignore[type-arg]
):
    """Where an agent's knowledge comes from. Adding one is quick; reading it goes on in the background."""

    scopes: ClassVar = SCOPES
    serializer_class = SourceSerializer
    queryset = Source.objects.all()
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Source]:
        rows = Source.objects.prefetch_related("documents")
        agent = _uuid(self.request.query_params.get("agent"), "agent")
        return rows.filter(agent_id=agent) if agent else rows

    def get_object(self) -> Source:
        return Source.objects.get_or_404(self.kwargs["pk"])

    @extend_schema(request=NewSource, responses={201: SourceSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Add a source. Follow `documents[].status` until it is `ready` or `failed`."""
        given = NewSource(data=request.data)
        given.is_valid(raise_exception=True)
        fields = cast("dict[str, Any]", given.validated_data)
        agent = Agent.objects.get_or_404(fields["agent"])
        file = fields.get("file")
        check_limits(self.workspace, adding=file.size if file else len(fields.get("text", "")))
        source = add(agent, fields, added_by=key_of(request).created_by_id)
        return Response(SourceSerializer(source).data, status=201)

    def perform_destroy(self, instance: Source) -> None:
        documents.delete_source(instance)

    @extend_schema(request=None, responses={202: SourceSerializer})
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: UUID) -> Response:
        """Read those of its documents again that failed."""
        source = self.get_object()
        for document in source.documents.filter(status=DocumentStatus.FAILED):
            documents.retry(document)
        return Response(SourceSerializer(source).data, status=202)


@extend_schema_view(
    list=extend_schema(
        parameters=[
            OpenApiParameter("source", OpenApiTypes.UUID, description="Only this source's."),
            OpenApiParameter("status", str, enum=DocumentStatus.values, description="Only in this status."),
        ]
    )
)
class DocumentViewSet(
    WorkspaceAPI,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet,  # type: ignore[type-arg]
):
    """Files and pages, and how far the reading of each is."""

    scopes: ClassVar = SCOPES
    serializer_class = DocumentSerializer
    queryset = Document.objects.all()
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Document]:
        rows = Document.objects.all()
        source = _uuid(self.request.query_params.get("source"), "source")
        status = self.request.query_params.get("status")
        if status and status not in DocumentStatus.values:
            raise Invalid(f"status is one of {', '.join(DocumentStatus.values)}.")
        rows = rows.filter(source_id=source) if source else rows
        return rows.filter(status=status) if status else rows

    def get_object(self) -> Document:
        document = Document.objects.filter(pk=self.kwargs["pk"]).first()
        if document is None:
            raise NotFound("There is no such document.")
        return document


def _uuid(text: str | None, name: str) -> UUID | None:
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise Invalid(f"{name} must be an id.") from None
