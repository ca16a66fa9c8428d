"""Adding to an agent's knowledge, replacing, retrying and taking away."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TypedDict
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.db import transaction
from django.db.models import Max

from agents.models import Agent
from knowledge import fetching, index
from knowledge.models import Document, DocumentStatus, Source, SourceKind, Version, storage_folder
from knowledge.parsing.errors import DocumentTooLarge, EmptyDocument
from knowledge.parsing.sniff import sniff
from knowledge.tasks import ingest_document
from netvexa.lib.errors import AppError, Invalid
from netvexa.lib.ids import short_id

MAX_URL = 2000


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
    added_by: UUID | None = None,
) -> Source:
    """Add an uploaded file. `url` is where visitors can read it, for citations.

    Raises DocumentTooLarge, or a ParseError when the bytes show at once that they cannot be read.
    """
    data = _bytes_of(content)
    sniff(data, name=name)
    return _add(
        agent, kind=SourceKind.FILE, name=name, data=data, title=title or name, url=url, added_by=added_by
    )


def add_text(agent: Agent, *, title: str, text: str, added_by: UUID | None = None) -> Source:
    """Add a pasted text; it may use Markdown."""
    if not title.strip():
        raise Invalid("Give the text a title: visitors see it in citations.")
    data = _bytes_of(text.strip().encode())
    return _add(agent, kind=SourceKind.TEXT, name="text.md", data=data, title=title, added_by=added_by)


def add_url(agent: Agent, *, url: str, title: str = "", added_by: UUID | None = None) -> Source:
    """Add a web page; a worker fetches it. Raises FetchRefused when the address cannot be a public page."""
    url = url.strip()
    fetching.check_address(url)
    if len(url) > MAX_URL:
        raise Invalid("This address is too long.")
    return _add(agent, kind=SourceKind.URL, name="", data=b"", title=title or url, url=url, added_by=added_by)


def update_file(source: Source, content: bytes | File[bytes], *, name: str = "") -> Document:
    """Replace a file's or a text's content. The same bytes again change nothing, unless reading them
    failed.
    """
    data = _bytes_of(content)
    document = source.documents.get()
    newest = document.versions.order_by("-number").first()
    name = name or (newest.name if newest else "")
    sniff(data, name=name)
    if newest is not None and newest.sha256 == hashlib.sha256(data).hexdigest():
        return document
    with transaction.atomic():
        _add_version(document, name=name, data=data)
        _start(document)
    return document


def refetch(document: Document) -> None:
    """Fetch a web page anew; what serves goes on until the new content is whole."""
    if document.source.kind != SourceKind.URL:
        raise Invalid("Only web pages can be fetched again.")
    with transaction.atomic():
        _add_version(document, name="", data=b"")
        _start(document)


def retry(document: Document) -> None:
    """Read a document that failed once more. Raises StillBeingRead when it is being read already."""
    with transaction.atomic():
        row = Document.objects.select_for_update().get(pk=document.pk)
        if row.status in {DocumentStatus.WAITING, DocumentStatus.WORKING}:
            raise StillBeingRead
        _start(row)


def delete_source(source: Source) -> None:
    """Take a source and everything learnt from it away, its files at last."""
    files = list(
        Version.objects.filter(document__source=source).exclude(file="").values_list("file", flat=True)
    )
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
    added_by: UUID | None = None,
) -> Source:
    with transaction.atomic():
        source = Source.objects.create(
            agent=agent, kind=kind, title=title.strip()[:200], url=url, added_by=added_by
        )
        document = Document.objects.create(source=source, title=title.strip()[:300], url=url)
        _add_version(document, name=name, data=data)
        _start(document)
    return source


def _add_version(document: Document, *, name: str, data: bytes) -> None:
    """The stored name is random: what people call their files says nothing about paths on our disks."""
    last = document.versions.aggregate(last=Max("number"))["last"] or 0
    version = Version(document=document, number=last + 1, name=name[:200], size=len(data))
    if data:
        version.sha256 = hashlib.sha256(data).hexdigest()
        version.file.save(f"{storage_folder()}/{short_id(20)}", ContentFile(data), save=False)
    version.save()


def _start(document: Document) -> None:
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
