"""Versions in the API: what was known when, what changed, drafts and ways back."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, cast
from uuid import UUID

from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from agents.models import Agent
from knowledge import gated, history
from knowledge.api import SCOPES, person_of
from knowledge.models import Version
from netvexa.lib.api import or_tested, tested_first, wanted_id
from netvexa.lib.errors import Invalid, NotFound
from tenants.api import WorkspaceAPI


class VersionSerializer(serializers.ModelSerializer[Version]):
    """One state of a document. `valid_from` and `valid_to` say when answers came from it."""

    class Meta:
        model = Version
        fields: ClassVar = [
            "id",
            "document",
            "number",
            "title",
            "content_type",
            "size",
            "sha256",
            "language",
            "pages",
            "chunk_count",
            "draft",
            "findings",
            "remark",
            "created_at",
            "valid_from",
            "valid_to",
        ]
        read_only_fields = fields


class VersionWithText(VersionSerializer):
    text = serializers.SerializerMethodField(
        help_text="What is read of it, as plain text; empty where it cannot be."
    )

    class Meta(VersionSerializer.Meta):
        fields: ClassVar = [*VersionSerializer.Meta.fields, "text"]
        read_only_fields = fields

    def get_text(self, version: Version) -> str:
        try:
            return history.read_text(version)
        except Invalid:
            return ""


class ChangedLine(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(["same", "added", "removed", "skipped"])
    text = serializers.CharField(allow_blank=True)


@extend_schema_view(
    list=extend_schema(
        parameters=[
            OpenApiParameter("document", OpenApiTypes.UUID, description="Only this document's."),
            OpenApiParameter("agent", OpenApiTypes.UUID, description="With `at`: only this agent's."),
            OpenApiParameter(
                "at", OpenApiTypes.DATETIME, description="Only those that answers came from at that time."
            ),
        ]
    )
)
class VersionViewSet(
    WorkspaceAPI,
    mixins.ListModelMixin,
    viewsets.GenericViewSet,  # type: ignore[type-arg]
):
    """The past of documents: `?at=` tells what was known at a time, `?document=` how one came about."""

    audited = "version"
    audited_fields = ("document_id", "number", "valid_from", "valid_to")
    scopes: ClassVar = SCOPES
    serializer_class = VersionSerializer
    queryset = Version.objects.all()
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Version]:
        rows = Version.objects.all()
        agent, at = wanted_id(self.request, "agent"), self.request.query_params.get("at")
        if at is not None:
            rows = history.known_at(_moment(at), agent=Agent.objects.get_or_404(agent) if agent else None)
        document = wanted_id(self.request, "document")
        return rows.filter(document_id=document) if document else rows

    def get_object(self) -> Version:
        version = Version.objects.filter(pk=self.kwargs["pk"]).select_related("document").first()
        if version is None:
            raise NotFound("There is no such version.")
        return version

    @extend_schema(responses=VersionWithText)
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """A version with its text."""
        return Response(VersionWithText(self.get_object()).data)

    @extend_schema(
        parameters=[
            OpenApiParameter("with", OpenApiTypes.UUID, required=True, description="The newer version.")
        ],
        responses=ChangedLine(many=True),
    )
    @action(detail=True, methods=["get"], pagination_class=None)
    def compare(self, request: Request, pk: UUID) -> Response:
        """What changed from this version to another one of its document, line by line."""
        old = self.get_object()
        other = wanted_id(request, "with")
        new = old.document.versions.filter(pk=other).first() if other else None
        if new is None:
            raise NotFound("There is no such version of this document.")
        lines = [{"kind": line.kind, "text": line.text} for line in history.compare(old, new)]
        return Response(cast("Any", ChangedLine(lines, many=True)).data)

    @extend_schema(request=None, responses={202: or_tested(VersionSerializer)})
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: UUID) -> Response:
        """Let a draft serve. Where the agent has a test set the draft is tested first: the answer is then the run that
        tries it, and the draft serves when nothing breaks.
        """
        version = self.get_object()
        if (run := gated.publish(version, by=person_of(request))) is not None:
            return tested_first(run)
        return Response(VersionSerializer(version).data, status=202)

    @extend_schema(request=None, responses={202: or_tested(VersionSerializer)})
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: UUID) -> Response:
        """Go back to this version. A web page then stays as it is until it is fetched again by hand.

        Where the agent has a test set this is tested first, as a draft is.
        """
        version = self.get_object()
        if (run := gated.restore(version, by=person_of(request))) is not None:
            return tested_first(run)
        return Response(VersionSerializer(version).data, status=202)


def _moment(text: str) -> datetime:
    try:
        moment = parse_datetime(text.replace(" ", "+"))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Invalid("at is a time with its zone, such as 2026-05-03T12:00:00Z.")
    return moment
