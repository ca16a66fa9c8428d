"""Sources and documents in the API."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, ClassVar, cast
from uuid import UUID

from django.db.models import Count, Prefetch, Q, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from agents import gates
from agents.audience_fields import AudienceField
from agents.models import Agent
from knowledge import documents, gated, history, hooks
from knowledge.models import WEB_KINDS, Document, DocumentStatus, Source, SourceKind
from knowledge.parsing.qa import MAX_ANSWER, MAX_QUESTION, Pair, dump
from knowledge.preview import preview
from knowledge.pushing import NAMES, Pushed
from knowledge.questions import MAX_PAIRS, checked_pairs
from knowledge.room import check_limits, check_room
from knowledge.scope import DEFAULT_DEPTH, DEFAULT_PAGES, MAX_PAGES, scope_of
from netvexa.lib.api import Strict, TestedFirst, tested_first, wanted_choice, wanted_id
from netvexa.lib.errors import Invalid
from netvexa.lib.idempotency import idempotent
from netvexa.lib.json_body import JsonBody
from tenants.api import WorkspaceAPI, credential_of
from tenants.keys import Scope

SCOPES = {"read": Scope.READ_KNOWLEDGE, "write": Scope.WRITE_KNOWLEDGE}
MAX_TEXT = 500_000
DOCUMENTS_SHOWN = 100


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
            "external_id",
            "checked_at",
            "good_at",
            "warning_code",
            "warning",
            "found_on",
            "pinned",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields

    url = serializers.CharField(read_only=True, help_text="Empty for what is no page.")
    found_on = serializers.CharField(read_only=True, help_text="The page that links to it, if one does.")
    external_id = serializers.CharField(
        source="key", read_only=True, help_text="Your own id, the page's address, or the path in an archive."
    )

    def get_serving(self, document: Document) -> bool:
        return document.live_id is not None


class SourceSerializer(serializers.ModelSerializer[Source]):
    """Something that was added, and what came of it. It carries its first 100 documents; list the others."""

    url = serializers.CharField(read_only=True, help_text="Empty for what is no page.")
    documents = serializers.SerializerMethodField()
    waiting = serializers.SerializerMethodField(
        help_text="How many of its documents wait for the test set: new content, or pages that are to go."
    )
    test_run = serializers.SerializerMethodField(
        help_text="The run that tests them, or holds them until it is applied or dropped; null before it begins."
    )

    class Meta:
        model = Source
        fields: ClassVar = [
            "id",
            "agent",
            "kind",
            "title",
            "url",
            "audience",
            "scope",
            "interval_hours",
            "sync_state",
            "synced_at",
            "next_sync_at",
            "sync_error",
            "found",
            "waiting",
            "test_run",
            "documents",
            "created_at",
        ]
        read_only_fields = fields

    def get_waiting(self, source: Source) -> int:
        """A list counts them for all of its sources at once."""
        counted: int | None = getattr(source, "staged", None)
        return source.documents.filter(status=DocumentStatus.STAGED).count() if counted is None else counted

    def get_test_run(self, source: Source) -> UUID | None:
        return gates.deciding(source.agent_id) if self.get_waiting(source) else None

    @extend_schema_field(DocumentSerializer(many=True))
    def get_documents(self, source: Source) -> Any:
        """A list reads them for all of its sources at once."""
        rows = getattr(source, "first", None)
        if rows is None:
            rows = source.documents.order_by("created_at")[:DOCUMENTS_SHOWN]
        return DocumentSerializer(rows, many=True).data


class ScopeSerializer(Strict):
    """Which pages of a website are read. Paths are prefixes, or patterns with `*`."""

    pages = serializers.IntegerField(min_value=1, max_value=MAX_PAGES, default=DEFAULT_PAGES)
    depth = serializers.IntegerField(min_value=0, max_value=documents.MAX_DEPTH, default=DEFAULT_DEPTH)
    include = serializers.ListField(child=serializers.CharField(max_length=300), default=list)
    exclude = serializers.ListField(child=serializers.CharField(max_length=300), default=list)
    keep = serializers.CharField(max_length=300, default="", allow_blank=True)
    drop = serializers.CharField(max_length=300, default="", allow_blank=True)


class PairSerializer(Strict):
    question = serializers.CharField(max_length=MAX_QUESTION)
    answer = serializers.CharField(max_length=MAX_ANSWER)


ADDABLE = [choice for choice in SourceKind.choices if choice[0] not in (SourceKind.PUSH, SourceKind.FILE)]
_NEEDS = {
    SourceKind.FILE: "file",
    SourceKind.TEXT: "text",
    SourceKind.QUESTIONS: "pairs",
    SourceKind.URL: "url",
    SourceKind.SITE: "url",
    SourceKind.SITEMAP: "url",
}


class NewSource(Strict):
    """A web page, a website, a sitemap, a pasted text, or questions with answers."""

    agent = serializers.UUIDField()
    kind = serializers.ChoiceField(ADDABLE)
    title = serializers.CharField(max_length=200, required=False, allow_blank=True)
    url = serializers.URLField(max_length=2000, required=False)
    text = serializers.CharField(max_length=MAX_TEXT, required=False)
    pairs = serializers.ListField(child=PairSerializer(), required=False, max_length=MAX_PAIRS)
    scope = ScopeSerializer(required=False)
    audience = AudienceField(required=False, default="")
    draft = serializers.BooleanField(default=False, help_text="Texts and questions only: kept back for now.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        needed = _NEEDS[SourceKind(attrs["kind"])]
        if not attrs.get(needed):
            raise serializers.ValidationError({needed: ["This kind of source needs it."]})
        return attrs


class NewFile(Strict):
    """A file, sent as a form (multipart)."""

    agent = serializers.UUIDField()
    kind = serializers.ChoiceField([SourceKind.FILE], default=SourceKind.FILE)
    title = serializers.CharField(max_length=200, required=False, allow_blank=True)
    url = serializers.URLField(max_length=2000, required=False)
    file = serializers.FileField(max_length=200)
    audience = AudienceField(required=False, default="")


def add(agent: Agent, given: dict[str, Any], *, added_by: UUID | None) -> Source:
    """Add what was given to the agent's knowledge."""
    title, kind, audience = given.get("title", ""), SourceKind(given["kind"]), given["audience"]
    match kind:
        case SourceKind.FILE:
            file = given["file"]
            return documents.add_file(
                agent,
                name=file.name,
                content=file,
                title=title,
                url=given.get("url", ""),
                audience=audience,
                added_by=added_by,
            )
        case SourceKind.URL:
            return documents.add_url(
                agent, url=given["url"], title=title, audience=audience, added_by=added_by
            )
        case SourceKind.SITE | SourceKind.SITEMAP:
            return documents.add_site(
                agent,
                url=given["url"],
                scope=scope_of(given.get("scope", {})),
                kind=kind,
                title=title,
                audience=audience,
                added_by=added_by,
            )
        case SourceKind.QUESTIONS:
            pairs = [Pair(**pair) for pair in given["pairs"]]
            return documents.add_questions(
                agent, title=title, pairs=pairs, audience=audience, draft=given["draft"], added_by=added_by
            )
        case _:
            return documents.add_text(
                agent,
                title=title,
                text=given["text"],
                audience=audience,
                draft=given["draft"],
                added_by=added_by,
            )


class Content(Strict):
    """New content for a source: a text, or pairs."""

    text = serializers.CharField(max_length=MAX_TEXT, required=False)
    pairs = serializers.ListField(child=PairSerializer(), required=False, max_length=MAX_PAIRS)
    draft = serializers.BooleanField(default=False, help_text="Kept back until it is published.")


class FileContent(Strict):
    """New content for a file, sent as a form (multipart)."""

    file = serializers.FileField(max_length=200)
    draft = serializers.BooleanField(default=False, help_text="Kept back until it is published.")


def _is_form(request: Request) -> bool:
    return str(request.content_type).startswith("multipart/")


class SourceChange(Strict):
    interval_hours = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=0,
        help_text="null: as often as the plan allows; 0: only when asked.",
    )
    audience = AudienceField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError("Send interval_hours, audience, or both.")
        return attrs


class PreviewSerializer(serializers.Serializer[Any]):
    urls = serializers.ListField(child=serializers.CharField())
    complete = serializers.BooleanField(help_text="Whether a sitemap names all pages.")
    sentence = serializers.CharField(allow_blank=True)


class PreviewRequest(Strict):
    kind = serializers.ChoiceField([SourceKind.SITE, SourceKind.SITEMAP])
    url = serializers.URLField(max_length=2000)
    scope = ScopeSerializer(required=False)


class HookSerializer(serializers.Serializer[Any]):
    url = serializers.CharField(help_text="POST here, without a key, to start a sync. It is a secret.")


def replace_content(source: Source, given: dict[str, Any], *, author: UUID | None) -> Document:
    """Raises Invalid where the content is not of the source's kind."""
    if source.kind in WEB_KINDS or source.kind == SourceKind.PUSH:
        raise Invalid("The content of this source comes from elsewhere; it cannot be replaced here.")
    needed = _NEEDS[SourceKind(source.kind)]
    if needed not in given:
        raise Invalid(f"This source takes new content as {needed}.")
    name = ""
    if source.kind == SourceKind.FILE:
        data, name = given["file"], given["file"].name
    elif source.kind == SourceKind.QUESTIONS:
        data = dump(checked_pairs([Pair(**pair) for pair in given["pairs"]]))
    else:
        data = given["text"].encode()
    return documents.update_file(source, data, name=name, draft=given["draft"], author=author)


class PushSerializer(Strict):
    """A document under an id of yours."""

    agent = serializers.UUIDField()
    external_id = serializers.CharField(max_length=500)
    title = serializers.CharField(max_length=300)
    content = serializers.CharField(max_length=MAX_TEXT)
    format = serializers.ChoiceField(list(NAMES), default="markdown")
    url = serializers.URLField(max_length=2000, required=False, default="", help_text="For citations.")
    audience = AudienceField(required=False, default="")
    draft = serializers.BooleanField(
        default=False, help_text="Its content is kept back until it is published; title and url hold at once."
    )


_AGENT = OpenApiParameter("agent", OpenApiTypes.UUID, description="Only this agent's.")


@extend_schema_view(list=extend_schema(parameters=[_AGENT]))
class SourceViewSet(
    WorkspaceAPI,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet,  # type: ignore[type-arg]
):
    """Where an agent's knowledge comes from. Adding one is quick; reading it goes on in the background."""

    audited = "source"
    audited_fields = ("agent_id", "kind", "title", "url", "audience", "scope", "interval_hours")
    scopes: ClassVar = SCOPES
    costs: ClassVar = {"create": 5, "retry": 5}
    parser_classes = (JsonBody, MultiPartParser)  # files come as forms
    serializer_class = SourceSerializer
    queryset = Source.objects.all()
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Source]:
        first = Document.objects.order_by("created_at")[:DOCUMENTS_SHOWN]
        rows = Source.objects.prefetch_related(Prefetch("documents", first, to_attr="first"))
        is_staged = Q(documents__status=DocumentStatus.STAGED)
        rows = rows.annotate(staged=Count("documents", filter=is_staged))
        agent = wanted_id(self.request, "agent")
        return rows.filter(agent_id=agent) if agent else rows

    def get_object(self) -> Source:
        return Source.objects.get_or_404(self.kwargs["pk"])

    @extend_schema(
        request={"application/json": NewSource, "multipart/form-data": NewFile},
        responses={201: SourceSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Add a source. Follow `documents[].status` until it is `ready` or `failed`."""
        given = (NewFile if _is_form(request) else NewSource)(data=request.data)
        given.is_valid(raise_exception=True)
        fields = cast("dict[str, Any]", given.validated_data)
        agent = Agent.objects.get_or_404(fields["agent"])
        file = fields.get("file")
        check_limits(self.workspace, adding=file.size if file else len(fields.get("text", "")))
        source = add(agent, fields, added_by=credential_of(request).person_id)
        return Response(SourceSerializer(source).data, status=201)

    @extend_schema(responses={204: None, 202: TestedFirst})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Delete a source with everything learnt from it.

        Where the agent has a test set it is tested first what that breaks: the answer is then 202 with the run, and the
        source goes when nothing breaks.
        """
        run = gated.delete_source(self.get_object(), by=credential_of(request).person_id)
        return Response(status=204) if run is None else tested_first(run)

    @extend_schema(request=SourceChange, responses={200: SourceSerializer, 202: TestedFirst})
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Change how often a web source is looked at, or whom a source is meant for.

        Another audience is tested first where the agent has a test set, as deleting a source is; until then the source
        answers the visitors that it answered before.
        """
        source = self.get_object()
        given = SourceChange(data=request.data)
        given.is_valid(raise_exception=True)
        if "interval_hours" in given.validated_data:
            documents.set_interval(source, given.validated_data["interval_hours"])
        run = None
        if "audience" in given.validated_data:
            person_id = credential_of(request).person_id
            run = gated.set_audience(source, given.validated_data["audience"], by=person_id)
        return Response(SourceSerializer(source).data) if run is None else tested_first(run)

    @extend_schema(request=None, responses={202: SourceSerializer})
    @action(detail=True, methods=["post"])
    def sync(self, request: Request, pk: UUID) -> Response:
        """Look at all its pages now. What serves goes on serving meanwhile."""
        source = self.get_object()
        documents.sync_now(source)
        return Response(SourceSerializer(source).data, status=202)

    @extend_schema(
        request={"application/json": Content, "multipart/form-data": FileContent},
        responses={202: DocumentSerializer},
    )
    @action(detail=True, methods=["put"])
    def content(self, request: Request, pk: UUID) -> Response:
        """Replace the content of a file, a text or a set of questions, at once or as a draft."""
        source = self.get_object()
        given = (FileContent if _is_form(request) else Content)(data=request.data)
        given.is_valid(raise_exception=True)
        document = replace_content(source, given.validated_data, author=credential_of(request).person_id)
        document.refresh_from_db()
        return Response(DocumentSerializer(document).data, status=202)

    @extend_schema(request=PreviewRequest, responses=PreviewSerializer)
    @action(detail=False, methods=["post"])
    def preview(self, request: Request) -> Response:
        """The first pages that a website or sitemap would bring. Nothing is added."""
        given = PreviewRequest(data=request.data)
        given.is_valid(raise_exception=True)
        fields = cast("dict[str, Any]", given.validated_data)
        scope = scope_of(fields.get("scope", {}))
        found = preview(fields["url"], kind=SourceKind(fields["kind"]), scope=scope)
        return Response(PreviewSerializer(asdict(found)).data)

    @extend_schema(request=None, responses=HookSerializer)
    @action(detail=True, methods=["post"])
    def hook(self, request: Request, pk: UUID) -> Response:
        """A new secret address that starts a sync of this source; the one before stops working."""
        return Response(HookSerializer({"url": hooks.renew(self.get_object())}).data)

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
            OpenApiParameter("external_id", str, description="Only with this id of yours."),
        ]
    )
)
class DocumentViewSet(
    WorkspaceAPI,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet,  # type: ignore[type-arg]
):
    """Files and pages, and how far the reading of each is. Send your own under an id of yours."""

    audited = "document"
    audited_fields = ("source_id", "title", "url", "status", "pinned")
    scopes: ClassVar = SCOPES
    serializer_class = DocumentSerializer
    queryset = Document.objects.all()
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Document]:
        rows = Document.objects.all()
        source = wanted_id(self.request, "source")
        status = wanted_choice(self.request, "status", DocumentStatus.values)
        rows = rows.filter(source_id=source) if source else rows
        external = self.request.query_params.get("external_id")
        rows = rows.filter(key=external) if external else rows
        return rows.filter(status=status) if status else rows

    def get_object(self) -> Document:
        return Document.objects.get_or_404(self.kwargs["pk"])

    @extend_schema(
        request=PushSerializer,
        responses={200: DocumentSerializer, 201: DocumentSerializer, 202: TestedFirst},
    )
    def create(self, request: Request) -> Response:
        """Add a document, or replace the one that was sent with the same `external_id`.

        The same content again changes nothing. Where the agent has a test set, new content is read, tested and then
        serves; a document that serves others than the `audience` sent now is tested first as a whole: the answer is
        then 202 with the run.
        """
        given = PushSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        fields = cast("dict[str, Any]", given.validated_data)
        agent = Agent.objects.get_or_404(fields.pop("agent"))
        check_room(self.workspace, adding=len(fields["content"].encode()))
        done = gated.push(agent, Pushed(**fields), by=credential_of(request).person_id)
        if isinstance(done, UUID):
            return tested_first(done)
        document, is_new = done
        return Response(DocumentSerializer(document).data, status=201 if is_new else 200)

    @extend_schema(responses={204: None, 202: TestedFirst})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Delete a document that was sent by the API. Where the agent has a test set it is tested first, as deleting a
        source is.
        """
        run = gated.delete_document(self.get_object(), by=credential_of(request).person_id)
        return Response(status=204) if run is None else tested_first(run)

    @extend_schema(request=None, responses={202: DocumentSerializer})
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: UUID) -> Response:
        """Use what was held for review after all."""
        document = self.get_object()
        history.approve(document, by=person_of(request))
        document.refresh_from_db()
        return Response(DocumentSerializer(document).data, status=202)

    @extend_schema(request=None, responses={200: DocumentSerializer})
    @action(detail=True, methods=["post"])
    def refuse(self, request: Request, pk: UUID) -> Response:
        """Keep what was held for review out; what served before goes on serving."""
        document = self.get_object()
        history.refuse(document)
        document.refresh_from_db()
        return Response(DocumentSerializer(document).data)


def person_of(request: Request) -> UUID:
    """Who stands behind the key: the person who made it, or the key itself once that person is gone."""
    credential = credential_of(request)
    return credential.person_id or credential.holder_id
