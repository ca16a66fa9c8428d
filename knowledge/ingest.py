"""A document comes in: read (or fetch) -> parse -> chunk -> embed -> index.

Every step can be repeated: what an interrupted run embedded is in the database and is not embedded again, and
the version that serves stays until the new one is whole. One worker at a time holds a document's lease; a
lease that ran out means that its worker died, and `tasks.resume_ingestion` hands the document to another.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from knowledge import index
from knowledge.blocks import ParsedDocument
from knowledge.chunking import chunk
from knowledge.embedding import Embedded, EmbeddingProfile, encoder_for
from knowledge.fetching import fetch
from knowledge.models import Chunk, Document, DocumentStatus, Source, SourceKind, Version, storage_folder
from knowledge.parsing.errors import NothingToRead
from knowledge.parsing.sandbox import parse_apart
from knowledge.passages import Passage, chunk_row, passage_of, stored_vectors
from knowledge.profiles import profile_of_first
from netvexa.lib.errors import AppError
from netvexa.lib.ids import short_id

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)  # renewed with every batch; longer than the slowest parser may take
MAX_ATTEMPTS = 3
RETRY_AFTER = timedelta(minutes=1)
BATCH = 64  # chunks embedded and committed together

T = TypeVar("T")


class IngestionInterrupted(AppError):
    """The worker died again and again in this document."""

    code = "ingestion_interrupted"
    status = 500
    default_detail = "Reading this document was interrupted several times. Try again, or split it into parts."


def ingest(document_id: UUID | str) -> None:
    """Bring the newest version of a document into the index, or record why that failed. Never raises for
    it.
    """
    while _take(document_id):
        document = Document.objects.select_related("source__agent").get(pk=document_id)
        version = document.versions.order_by("-number").first()
        if version is None:
            return
        try:
            _run(document, version)
        except IntegrityError:
            if Document.objects.filter(pk=document_id).exists():
                raise
            return  # deleted while it was read: there is nothing left to record anything on
        except AppError as error:
            _record_failure(document, error)


def _take(document_id: UUID | str) -> bool:
    """Get the lease, unless the document is done or another worker has it."""
    now = timezone.now()
    taken = (
        Document.objects.unfinished()
        .filter(Q(lease_until=None) | Q(lease_until__lt=now), pk=document_id)
        .update(
            status=DocumentStatus.WORKING,
            lease_until=now + LEASE,
            attempts=F("attempts") + 1,
            error="",
            error_code="",
            updated_at=now,
        )
    )
    return bool(taken)


def _run(document: Document, version: Version) -> None:
    if document.attempts > MAX_ATTEMPTS:
        raise IngestionInterrupted
    _report(document, "read")
    data = _fetched(document, version) if document.source.kind == SourceKind.URL else _stored(version)
    _report(document, "parse")
    parsed = _parsed(document, version, data)
    _report(document, "chunk")
    profile = profile_of_first(document.source.agent, language=parsed.language)
    passages = passages_of(parsed, profile)
    store(document, version, passages, profile)
    _report(document, "index", total=len(passages))
    publish(document, version)


def _report(document: Document, step: str, *, done: int = 0, total: int = 0) -> None:
    """Show how far it is, and renew the lease."""
    now = timezone.now()
    Document.objects.filter(pk=document.pk).update(
        step=step, done=done, total=total, lease_until=now + LEASE, updated_at=now
    )


def _stored(version: Version) -> bytes:
    with version.file.open("rb") as file:
        data: bytes = file.read()
    return data


def _fetched(document: Document, version: Version) -> bytes:
    """The page's content, fetched once a version and kept, so that an interrupted run does not ask again."""
    if version.file:
        return _stored(version)
    page = fetch(document.url)
    version.file.save(f"{storage_folder()}/{short_id(20)}", ContentFile(page.content), save=False)
    version.size, version.charset = len(page.content), page.charset
    version.sha256 = hashlib.sha256(page.content).hexdigest()
    version.save(update_fields=["file", "size", "charset", "sha256"])
    return page.content


def _parsed(document: Document, version: Version, data: bytes) -> ParsedDocument:
    parsed = parse_apart(data, name=version.name, charset=version.charset)
    if not _is_title_given(document, version):
        document.source.title = (parsed.title or document.title)[:200]
    parsed = replace(parsed, title=document.source.title)
    version.title = parsed.title
    version.content_type, version.language = parsed.media_type, parsed.language
    version.pages, version.characters = parsed.pages, parsed.characters
    version.notes = list(parsed.notes)
    version.save(update_fields=["title", "content_type", "language", "pages", "characters", "notes"])
    return parsed


def _is_title_given(document: Document, version: Version) -> bool:
    """Whether a person named the source; else it goes by its file's name or address until it is read."""
    return document.source.title not in {version.name[:200], document.url[:200]}


def passages_of(parsed: ParsedDocument, profile: EmbeddingProfile) -> list[Passage]:
    drafts = chunk(parsed, count_tokens=encoder_for(profile.id, threads=_threads()).count_tokens)
    if not drafts:
        raise NothingToRead
    return [passage_of(draft, language=parsed.language, profile=profile) for draft in drafts]


def store(
    document: Document, version: Version, passages: Sequence[Passage], profile: EmbeddingProfile
) -> None:
    """Store every passage with its vectors, in batches that are each committed: what is done stays done.

    While the database writes one batch, the next one is being embedded.
    """
    done = _already_stored(version, passages)
    missing = [(ordinal, passage) for ordinal, passage in enumerate(passages) if ordinal not in done]
    _report(document, "embed", done=len(done), total=len(passages))
    stored = len(done)

    def prepare(batch: list[tuple[int, Passage]]) -> Callable[[], dict[str, Embedded]]:
        known = _known_vectors([passage for _, passage in batch], profile)
        return lambda: _vectors([passage for _, passage in batch], known, profile)

    for batch, vectors in _ahead(_batches(missing), prepare):
        _insert(document, version, batch, vectors, profile)
        stored += len(batch)
        _report(document, "embed", done=stored, total=len(passages))


def _already_stored(version: Version, passages: Sequence[Passage]) -> set[int]:
    """Ordinals that an earlier run stored as they would be stored now; others are taken away."""
    rows = version.chunks.values_list("ordinal", "content_hash")
    kept = {
        ordinal
        for ordinal, content_hash in rows
        if ordinal < len(passages) and passages[ordinal].content_hash == content_hash
    }
    version.chunks.exclude(ordinal__in=kept).delete()
    return kept


def _known_vectors(passages: Sequence[Passage], profile: EmbeddingProfile) -> dict[str, Embedded]:
    """Vectors of the same content that stand in this workspace already: it is embedded once."""
    rows = (
        Chunk.objects.filter(content_hash__in={p.content_hash for p in passages}, profile=profile.id)
        .order_by("content_hash")
        .distinct("content_hash")
        .values_list("content_hash", "embedding", "words")
    )
    return {
        content_hash: stored_vectors(embedding, bytes(words), width=profile.word_dimension)
        for content_hash, embedding, words in rows
    }


def _vectors(
    passages: Sequence[Passage], known: dict[str, Embedded], profile: EmbeddingProfile
) -> dict[str, Embedded]:
    new = {p.content_hash: p.reading for p in passages if p.content_hash not in known}
    embedded = encoder_for(profile.id, threads=_threads()).embed(list(new.values()))
    return {**known, **dict(zip(new, embedded, strict=True))}


def _insert(
    document: Document,
    version: Version,
    batch: Sequence[tuple[int, Passage]],
    vectors: dict[str, Embedded],
    profile: EmbeddingProfile,
) -> None:
    Chunk.objects.bulk_create(
        [
            chunk_row(
                passage,
                vectors[passage.content_hash],
                version=version,
                agent_id=document.source.agent_id,
                ordinal=ordinal,
                profile_id=profile.id,
            )
            for ordinal, passage in batch
        ]
    )


def publish(document: Document, version: Version) -> None:
    """Let the new version serve in one step, and the old one go. A newer one that came meanwhile is next."""
    now = timezone.now()
    with transaction.atomic():
        row = Document.objects.select_for_update().get(pk=document.pk)
        before = row.live
        if before is not None and before.pk != version.pk:
            index.count_out(before)
            before.chunks.all().delete()
            before.valid_to = now
            before.save(update_fields=["valid_to"])
        if before is None or before.pk != version.pk:
            index.count_in(version)
        version.chunk_count, version.valid_from = version.chunks.count(), now
        version.save(update_fields=["chunk_count", "valid_from"])
        newest = not row.versions.filter(number__gt=version.number).exists()
        row.live, row.title = version, version.title or row.title
        Source.objects.filter(pk=row.source_id).update(title=version.title[:200])
        row.status = DocumentStatus.READY if newest else DocumentStatus.WAITING
        row.lease_until, row.attempts = None, 0
        row.step, row.done, row.total = "", version.chunk_count, version.chunk_count
        row.save()


def _record_failure(document: Document, error: AppError) -> None:
    """A passing fault waits for its next attempt; a lasting one, or the last attempt, is final until a
    retry.
    """
    again = not getattr(error, "permanent", True) and document.attempts < MAX_ATTEMPTS
    logger.info("Document %s failed: %s (%s)", document.pk, error.code, "again later" if again else "final")
    Document.objects.filter(pk=document.pk).update(
        status=DocumentStatus.WAITING if again else DocumentStatus.FAILED,
        lease_until=timezone.now() + RETRY_AFTER * document.attempts if again else None,
        error_code=error.code,
        error=error.detail[:500],
        updated_at=timezone.now(),
    )


def _threads() -> int:
    threads: int = settings.EMBEDDING_THREADS
    return threads


def _batches(items: Sequence[T]) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH)):
        yield batch


S = TypeVar("S")
R = TypeVar("R")


def _ahead(items: Iterator[S], prepare: Callable[[S], Callable[[], R]]) -> Iterator[tuple[S, R]]:
    """Each item with its result, computed in a second thread one item ahead.

    `prepare` runs here, where the database connection is; what it returns runs there.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="embedding") as pool:
        before = None
        for item in items:
            coming = (item, pool.submit(prepare(item)))
            if before is not None:
                yield before[0], before[1].result()
            before = coming
        if before is not None:
            yield before[0], before[1].result()
