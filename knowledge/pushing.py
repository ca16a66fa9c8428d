"""Documents that a program sends under ids of its own: sent again, they are replaced."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from agents.audiences import checked
from agents.models import Agent
from knowledge.documents import start_reading
from knowledge.models import Document, DocumentStatus, Source, SourceKind, Version
from knowledge.versions import add_version, files_of, newest, take_out
from netvexa.lib.errors import Invalid

TITLE = "Sent by the API"
NAMES = {"markdown": "text.md", "html": "page.html", "text": "text.txt"}


@dataclass(frozen=True, slots=True)
class Pushed:
    """`format` is one of NAMES. `url` is where visitors can read it, for citations. A draft is kept back until it is
    published.
    """

    external_id: str
    title: str
    content: str
    format: str = "markdown"
    url: str = ""
    audience: str = ""
    draft: bool = False


def push(agent: Agent, pushed: Pushed, *, added_by: UUID | None) -> tuple[Document, bool]:
    """Add or replace the document with this id; says whether it is new. The same content changes nothing,
    unless reading it failed.
    """
    data = pushed.content.strip().encode()
    if not data:
        raise Invalid("A document needs some content.")
    with transaction.atomic():
        moving = document_that_moves(agent, pushed)
        was_restricted = moving is not None and bool(moving.source.audience)
        source = _source_of(agent, checked(pushed.audience), added_by)
        document, is_new = _document_of(source, pushed)
        before = document.versions.order_by("-number").first() if pushed.draft else newest(document)
        name = NAMES[pushed.format]
        same = (
            before is not None
            and before.draft == pushed.draft
            and (before.sha256, before.name) == (hashlib.sha256(data).hexdigest(), name)
            and (document.title, document.url) == (pushed.title, pushed.url)
        )
        if same and (pushed.draft or not document.is_unread):
            return document, False
        if not same:
            if was_restricted and not pushed.draft:
                _stop_serving(document)  # nobody said that others may read what it said to its audience
            Document.objects.filter(pk=document.pk).update(title=pushed.title[:300], url=pushed.url)
            add_version(document, name=name, data=data, draft=pushed.draft, author=added_by)
        if pushed.draft:
            Document.objects.filter(pk=document.pk, live=None).update(status=DocumentStatus.DRAFT)
        else:
            start_reading(document)
    document.refresh_from_db()
    return document, is_new


def document_that_moves(agent: Agent, pushed: Pushed) -> Document | None:
    """The document that serves others than those whom `pushed` is meant for. Raises Invalid for no audience's name."""
    audience = checked(pushed.audience)
    serving = (
        _sent(agent).filter(key=pushed.external_id, live__isnull=False).exclude(source__audience=audience)
    )
    return serving.select_related("source").first()


def check_removable(document: Document) -> None:
    """Raises Invalid for what was not sent by a program."""
    if document.source.kind != SourceKind.PUSH:
        raise Invalid("Only documents that were sent by the API can be deleted alone; delete their source.")


def remove(document: Document) -> None:
    """Delete a document that was sent, with its versions and files. Raises Invalid for others."""
    check_removable(document)
    with transaction.atomic():
        row = Document.objects.select_for_update(of=("self",)).select_related("live").get(pk=document.pk)
        names = files_of(row.versions.all())
        take_out(row, status=DocumentStatus.GONE)
        row.delete()
        for name in names:
            transaction.on_commit(partial(Version._meta.get_field("file").storage.delete, name))


def _source_of(agent: Agent, audience: str, added_by: UUID | None) -> Source:
    """One source an agent and audience, made with the first document; the agent's row keeps two from making two."""
    Agent.objects.select_for_update().get(pk=agent.pk)
    source = Source.objects.filter(agent=agent, kind=SourceKind.PUSH, audience=audience).first()
    return source or Source.objects.create(
        agent=agent, kind=SourceKind.PUSH, title=TITLE, audience=audience, added_by=added_by
    )


def _stop_serving(document: Document) -> None:
    row = Document.objects.select_for_update(of=("self",)).select_related("live").get(pk=document.pk)
    take_out(row, status=DocumentStatus.WAITING)


def _sent(agent: Agent) -> QuerySet[Document]:
    return Document.objects.filter(source__agent=agent, source__kind=SourceKind.PUSH)


def _document_of(source: Source, pushed: Pushed) -> tuple[Document, bool]:
    """The document with this id, new or moved to the audience that it is sent for now; whether it is new."""
    document = _sent(source.agent).filter(key=pushed.external_id).first()
    if document is None:
        return Document.objects.create(
            source=source, key=pushed.external_id, title=pushed.title[:300], url=pushed.url
        ), True
    if document.source_id != source.pk:
        Document.objects.filter(pk=document.pk).update(source=source)
        Source.objects.filter(pk=source.pk).update(audience_since=timezone.now())
        document.source = source
    return document, False
