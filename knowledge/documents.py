"""Adding to an agent's knowledge, replacing, retrying and taking away."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypedDict
from uuid import UUID

from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from django.utils import timezone

from agents.audiences import checked
from agents.models import Agent
from knowledge import discovery, fetching, index, sync
from knowledge.models import WEB_KINDS, Document, DocumentStatus, Source, SourceKind, Version
from knowledge.parsing.errors import DocumentTooLarge, EmptyDocument
from knowledge.parsing.qa import NAME, Pair, dump
from knowledge.parsing.selecting import Selectors
from knowledge.parsing.selecting import check as check_selectors
from knowledge.parsing.sniff import sniff
from knowledge.questions import checked_pairs
from knowledge.scope import MAX_PAGES, MAX_PATTERNS, Scope, canonical
from knowledge.tasks import ingest_document, sync_source
from knowledge.versions import add_version, files_of
from netvexa.lib.errors import AppError, Invalid
from netvexa.lib.hosts import shown_address

MAX_URL = 2000
MAX_DEPTH = 20


class StillBeingRead(AppError):
    code = "document_in_progress"
    status = 409
    default_detail = "This document is being read already."


class Progress(TypedDict):
    """How far a document is, as pages and the API show it."""

    status: str
    step: str
    done: int
    total: int
    error_code: str
    error: str
    serving: bool


def add_file(
    agent: Agent,
    *,
    name: str,
    content: bytes | File[bytes],
    title: str = "",
    url: str = "",
    audience: str = "",
    added_by: UUID | None = None,
) -> Source:
    """Add an uploaded file. `url` is where visitors can read it, for citations.

    Raises DocumentTooLarge, or a ParseError when the bytes show at once that they cannot be read.
    """
    data = _bytes_of(content)
    sniff(data, name=name)
    return _add(
        agent,
        kind=SourceKind.FILE,
        name=name,
        data=data,
        title=title or name,
        url=url,
        audience=audience,
        added_by=added_by,
    )


def add_text(
    agent: Agent,
    *,
    title: str,
    text: str,
    audience: str = "",
    draft: bool = False,
    added_by: UUID | None = None,
) -> Source:
    """Add a pasted text; it may use Markdown. A draft is kept back until it is published."""
    if not title.strip():
        raise Invalid("Give the text a title: visitors see it in citations.")
    data = _bytes_of(text.strip().encode())
    return _add(
        agent,
        kind=SourceKind.TEXT,
        name="text.md",
        data=data,
        title=title,
        audience=audience,
        draft=draft,
        added_by=added_by,
    )


def add_questions(
    agent: Agent,
    *,
    title: str,
    pairs: Sequence[Pair],
    audience: str = "",
    draft: bool = False,
    added_by: UUID | None = None,
) -> Source:
    """Add a set of questions with their answers. Raises Invalid."""
    if not title.strip():
        raise Invalid("Give the set a title: visitors see it in citations.")
    data = dump(checked_pairs(pairs))
    return _add(
        agent,
        kind=SourceKind.QUESTIONS,
        name=NAME,
        data=data,
        title=title,
        audience=audience,
        draft=draft,
        added_by=added_by,
    )


def add_url(
    agent: Agent, *, url: str, title: str = "", audience: str = "", added_by: UUID | None = None
) -> Source:
    """Add a web page; a worker fetches it. Raises FetchRefused when the address cannot be a public page."""
    url = _checked(url)
    source = _add(
        agent,
        kind=SourceKind.URL,
        name="",
        data=b"",
        title=title or url,
        url=url,
        audience=audience,
        added_by=added_by,
    )
    Source.objects.filter(pk=source.pk).update(next_sync_at=_first_sync(source))
    return source


def add_site(
    agent: Agent,
    *,
    url: str,
    scope: Scope,
    kind: SourceKind,
    title: str = "",
    audience: str = "",
    added_by: UUID | None = None,
) -> Source:
    """Add a website (crawled from `url`) or the pages of a sitemap; workers find and read the pages.

    Raises FetchRefused, or Invalid where the scope cannot work.
    """
    url = canonical(_checked(url))
    check_selectors(Selectors(keep=scope.keep, drop=scope.drop))
    if not 1 <= scope.pages <= MAX_PAGES or not 0 <= scope.depth <= MAX_DEPTH:
        raise Invalid(f"A website may have 1 to {MAX_PAGES:,} pages and a depth of 0 to {MAX_DEPTH}.")
    if len(scope.include) > MAX_PATTERNS or len(scope.exclude) > MAX_PATTERNS:
        raise Invalid(f"At most {MAX_PATTERNS} paths can be included or excluded.")
    with transaction.atomic():
        source = Source.objects.create(
            agent=agent,
            kind=kind,
            title=(title.strip() or shown_address(url))[:200],
            url=url,
            scope=scope.as_json(),
            audience=checked(audience),
            added_by=added_by,
        )
        if kind == SourceKind.SITE:
            discovery.add_pages(source, [url], depth=0)
        sync_now(source)
    return source


def sync_now(source: Source) -> bool:
    """Look at all pages of a source; False where that is going on already."""
    begun = sync.start(source)
    source.refresh_from_db()
    sync_source.enqueue(source.pk)
    return begun


def set_interval(source: Source, hours: int | None) -> None:
    """How often to look; None as often as the plan allows, 0 only when asked. Raises Invalid."""
    if source.kind not in WEB_KINDS:
        raise Invalid("Only web pages, websites and sitemaps are synced.")
    least = sync.shortest_interval()
    if hours is not None and hours and not least <= hours <= sync.MAX_INTERVAL:
        raise Invalid(f"Your plan syncs every {least} hours at most; choose {least} to {sync.MAX_INTERVAL}.")
    source.interval_hours = hours
    source.next_sync_at = _first_sync(source)
    source.save(update_fields=["interval_hours", "next_sync_at"])


def set_audience(source: Source, audience: str) -> None:
    """Whom the source is meant for, from the next question on; empty for everybody. Raises Invalid."""
    source.audience, before = checked(audience), source.audience
    if source.audience != before:
        source.audience_since = timezone.now()
        source.save(update_fields=["audience", "audience_since"])


def _first_sync(source: Source) -> datetime | None:
    hours = sync.interval_of(source)
    return (source.synced_at or timezone.now()) + timedelta(hours=hours) if hours else None


def _checked(url: str) -> str:
    url = url.strip()
    fetching.check_address(url)
    if len(url) > MAX_URL:
        raise Invalid("This address is too long.")
    return url


def update_file(
    source: Source,
    content: bytes | File[bytes],
    *,
    name: str = "",
    draft: bool = False,
    author: UUID | None = None,
) -> Document:
    """Replace a file's or a text's content. The same bytes again change nothing, unless reading them
    failed. A draft is kept back until it is published. An archive replaces what came of the one before.
    """
    data = _bytes_of(content)
    document = source.documents.filter(key="").first()
    if document is None:
        document = Document.objects.create(source=source, title=source.title)
    newest = document.versions.order_by("-number").first()
    name = name or (newest.name if newest else "")
    sniff(data, name=name)
    same = newest is not None and newest.sha256 == hashlib.sha256(data).hexdigest() and newest.draft == draft
    if same and (draft or not document.is_unread):
        return document
    with transaction.atomic():
        if newest is None or not same or newest.name != name[:200]:
            add_version(document, name=name, data=data, draft=draft, author=author)
        if draft:
            Document.objects.filter(pk=document.pk, live=None).update(status=DocumentStatus.DRAFT)
        else:
            start_reading(document)
    return document


def refetch(document: Document) -> None:
    """Look at a web page anew; what serves goes on until the new content is whole.

    Raises Invalid for what is no page of the web, and where a person chose the version: that stays until its release.
    """
    if document.source.kind not in WEB_KINDS:
        raise Invalid("Only web pages can be fetched again.")
    if document.pinned:
        raise Invalid(
            "Somebody chose a version of this page. Let it follow the site again, under Versions, to have it fetched."
        )
    with transaction.atomic():
        sync.start(document.source, only=document)
        sync_source.enqueue(document.source_id)


def retry(document: Document) -> None:
    """Read a document that failed once more. Raises StillBeingRead when it is being read already."""
    with transaction.atomic():
        row = Document.objects.select_for_update().get(pk=document.pk)
        if row.status in {DocumentStatus.WAITING, DocumentStatus.WORKING}:
            raise StillBeingRead
        if row.key and document.source.kind in WEB_KINDS and not row.pinned:
            sync.start(document.source, only=row)
            sync_source.enqueue(document.source_id)
        start_reading(row)


def delete_source(source: Source) -> None:
    """Take a source and everything learnt from it away, its files at last."""
    files = files_of(Version.objects.filter(document__source=source))
    storage = Version._meta.get_field("file").storage
    with transaction.atomic():
        for document in (
            source.documents.select_for_update().filter(live__isnull=False).select_related("live")
        ):
            if document.live is not None:
                index.count_out(document.live)
        source.delete()
        for name in files:
            transaction.on_commit(partial(storage.delete, name))


def progress_of(document: Document) -> Progress:
    return {
        "status": document.status,
        "step": document.step,
        "done": document.done,
        "total": document.total,
        "error_code": document.error_code,
        "error": document.error,
        "serving": document.live_id is not None,
    }


def _bytes_of(content: bytes | File[bytes]) -> bytes:
    size = len(content) if isinstance(content, bytes) else content.size
    if size > settings.MAX_UPLOAD_BYTES:
        raise DocumentTooLarge(
            f"This file is larger than {settings.MAX_UPLOAD_BYTES // (1024 * 1024)} MB. Split it into parts."
        )
    if not size:
        raise EmptyDocument
    return content if isinstance(content, bytes) else content.read()


def _add(
    agent: Agent,
    *,
    kind: SourceKind,
    name: str,
    data: bytes,
    title: str,
    url: str = "",
    audience: str = "",
    draft: bool = False,
    added_by: UUID | None = None,
) -> Source:
    with transaction.atomic():
        source = Source.objects.create(
            agent=agent,
            kind=kind,
            title=title.strip()[:200],
            url=url,
            audience=checked(audience),
            added_by=added_by,
        )
        status = DocumentStatus.DRAFT if draft else DocumentStatus.WAITING
        document = Document.objects.create(source=source, title=title.strip()[:300], url=url, status=status)
        add_version(document, name=name, data=data, draft=draft, author=added_by)
        if not draft:
            start_reading(document)
    return source


def start_reading(document: Document) -> None:
    """Hand a document to the workers once the transaction is committed."""
    Document.objects.filter(pk=document.pk).exclude(status=DocumentStatus.WORKING).update(
        status=DocumentStatus.WAITING,
        step="",
        done=0,
        total=0,
        error="",
        error_code="",
        attempts=0,
        lease_until=None,
    )
    ingest_document.enqueue(document.pk)
