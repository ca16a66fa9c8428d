"""A document comes in: read (or fetch) -> parse -> chunk -> embed -> index.

Every step can be repeated: what an interrupted run embedded is in the database and is not embedded again, and
the version that serves stays until the new one is whole. One worker at a time holds a document's lease; a
lease that ran out means that its worker died, and `tasks.resume_ingestion` hands the document to another.
A long scan is read in slices: what waits besides is not kept from its turn.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from agents import gates
from billing import limits
from billing.plans import Limit
from billing.subscriptions import standing_of
from knowledge import discovery, index, leaving, pages, rendering, style_sheets, versions
from knowledge.archives import unpack
from knowledge.blocks import ParsedDocument
from knowledge.chunking import ChunkDraft, chunk
from knowledge.embedding import Embedded, EmbeddingProfile, encoder_for
from knowledge.models import (
    WEB_KINDS,
    Chunk,
    Document,
    DocumentStatus,
    Source,
    SourceKind,
    Version,
    counted_pages,
)
from knowledge.parsing.errors import NeedsJavaScript, NothingToRead
from knowledge.parsing.sandbox import parse_apart
from knowledge.parsing.scan import Scan
from knowledge.parsing.selecting import Selectors
from knowledge.parsing.sniff import MediaType, sniff
from knowledge.passages import Passage, chunk_row, passage_of
from knowledge.profiles import profile_of_first
from knowledge.scans import KeptScan
from knowledge.scope import scope_of
from knowledge.screening import screen
from knowledge.vectors import Vectors, vectors_of
from netvexa.lib.errors import AppError
from tenants.context import current_workspace

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)  # renewed with every batch; longer than the slowest parser may take
MAX_ATTEMPTS = 3
RETRY_AFTER = timedelta(minutes=1)
BATCH = 16  # chunks committed together; one batch is stored while the next is embedded

T = TypeVar("T")
Places = dict[int, Passage]  # by ordinal


class IngestionInterrupted(AppError):
    """The worker died again and again in this document."""

    code = "ingestion_interrupted"
    status = 500
    default_detail = "Reading this document was interrupted several times. Try again, or split it into parts."


def ingest(document_id: UUID | str) -> list[UUID]:
    """Bring the newest version of a document into the index, or record why that failed. Never raises for
    it. Returns documents that came out of this one and are to be read, too, or itself where it is to be read on.
    """
    while _take(document_id):
        document = Document.objects.select_related("source__agent").get(pk=document_id)
        newest = versions.newest(document)
        if newest is None:
            _wait_for_content(document)
            return []
        version = newest
        try:
            version = _unserved(newest)
            more = _run(document, version)
        except IntegrityError:
            if Document.objects.filter(pk=document_id).exists():
                raise
            return []  # deleted while it was read: there is nothing left to record anything on
        except AppError as error:
            _record_failure(document, version, error)
        else:
            if more:
                return more
    return []


def _unserved(version: Version) -> Version:
    """The version, or a copy of one that served already: the time in which it did so stays known."""
    if version.valid_from is None:
        return version
    return versions.add_copy(version, author=version.author, remark="Read again")


def _wait_for_content(document: Document) -> None:
    """A page that was found but not fetched yet: its source's sync brings the content."""
    Document.objects.filter(pk=document.pk).update(
        status=DocumentStatus.WAITING, lease_until=None, attempts=0, fetch_due=True
    )


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


def _run(document: Document, version: Version) -> list[UUID]:
    if document.attempts > MAX_ATTEMPTS:
        raise IngestionInterrupted
    _report(document, "read")
    data = versions.content_of(version) if version.file else pages.fill(document, version)
    if sniff(data, name=version.name) is MediaType.ZIP:
        return unpack(document, data)
    _report(document, "parse")
    scan = KeptScan(data, show=partial(_report_page, document))
    parsed = read_content(document, version, data, scan=scan)
    if parsed.left and scan.has_next:
        _check_pages(document, parsed)
        return _read_on(document)
    parsed = _described(document, version, parsed)
    source = document.source
    text = versions.plain_text(parsed)
    if original := discovery.gives_way_to(source, document, parsed.canonical, text=text):
        leaving.leave(document.pk, code=leaving.COPY, why=discovery.copy_of(original), url=original)
        return []
    _check_pages(document, parsed)
    discovery.follow(source, document, version.links)
    if _is_held(document, version, parsed) or _is_as_before(document, version):
        return []
    _report(document, "chunk")
    profile = profile_of_first(document.source.agent, language=parsed.language)
    drafts = drafts_of(parsed, profile)
    store(document, version, drafts, profile)
    _report(document, "index", total=len(drafts))
    if gates.keeps_back(document.source.agent, version.pk):
        _stage(document, version)
    else:
        publish(document, version)
    scan.is_stored()
    return []


def _read_on(document: Document) -> list[UUID]:
    """Let go of a scan that has pages left. It shows how far it is while it waits for its next slice."""
    Document.objects.filter(pk=document.pk).update(lease_until=None, attempts=0, updated_at=timezone.now())
    return [document.pk]


def _check_pages(document: Document, parsed: ParsedDocument) -> None:
    """A long file is known to be long only now. Raises LimitReached where the plan has no room for it."""
    serving = document.live.pages if document.live else 1  # as `counted_pages` counts it now
    more = max(1, parsed.pages) - max(1, serving)
    if more > 0:
        standing = standing_of(current_workspace())
        limits.check_number(standing, Limit.PAGES, counted_pages(), adding=more)


def _is_held(document: Document, version: Version, parsed: ParsedDocument) -> bool:
    """Quarantine: instructions to a model wait for a person. What serves goes on serving."""
    findings = [] if version.approved_by else screen(parsed)
    if not findings:
        return False
    version.findings = findings
    version.save(update_fields=["findings"])
    Document.objects.filter(pk=document.pk).update(
        status=DocumentStatus.HELD, step="", lease_until=None, attempts=0, updated_at=timezone.now()
    )
    return True


def _is_as_before(document: Document, version: Version) -> bool:
    """A web page that differs only in what is not read, such as a time stamp: what serves goes on serving.

    Otherwise a page that is never the same twice would push its own history out.
    """
    if document.source.kind not in WEB_KINDS:
        return False
    with transaction.atomic():
        row = Document.objects.select_for_update(of=("self",)).select_related("live").get(pk=document.pk)
        if row.live is None or not versions.says_as_before(version, row.live):
            return False
        versions.replace_bytes(row.live, version)
        row.status, row.step = DocumentStatus.READY, ""
        row.lease_until, row.attempts = None, 0
        row.save()
    return True


def _report(document: Document, step: str, *, done: int = 0, total: int = 0) -> None:
    """Show how far it is, and renew the lease."""
    now = timezone.now()
    Document.objects.filter(pk=document.pk).update(
        step=step, done=done, total=total, lease_until=now + LEASE, updated_at=now
    )


def _report_page(document: Document, scan: KeptScan) -> None:
    """An attempt that gained a page does not count: whoever follows a killed worker has less to read."""
    _report(document, "scan", done=scan.page, total=scan.pages)
    if scan.gained:
        Document.objects.filter(pk=document.pk).update(attempts=0)


def _described(document: Document, version: Version, parsed: ParsedDocument) -> ParsedDocument:
    """The document under its title; the version has taken down what it says of itself, and its text."""
    parsed = replace(parsed, title=_title(document, version, parsed))
    version.title = parsed.title
    version.content_type, version.language = parsed.media_type, parsed.language
    version.pages, version.characters = parsed.pages, parsed.characters
    version.notes = list(parsed.notes)
    links = discovery.links_within(document.source, document, parsed.links)
    version.links = links[: discovery.MAX_LINKS_KEPT]
    if left_out := len(links) - len(version.links):
        version.notes.append(
            f"This page leads to more pages than the {discovery.MAX_LINKS_KEPT:,} that are followed from one:"
            f" at least {left_out:,} were left out. A sitemap brings them in."
        )
    version.external_links = discovery.links_elsewhere(document, version, parsed.targets)
    versions.keep_text(version, parsed)
    version.save()
    return parsed


def read_content(
    document: Document, version: Version, data: bytes, *, scan: Scan | None = None
) -> ParsedDocument:
    """Parse; a page that is empty without its scripts is rendered first, where there is a browser service."""
    try:
        return _read(document, version, data, name=version.name, charset=version.charset, scan=scan)
    except NeedsJavaScript:
        if not (document.url and rendering.is_available()):
            raise
    rendered = rendering.render(document.url)
    return _read(document, version, rendered, name="page.html", charset="utf-8")


def _read(
    document: Document, version: Version, data: bytes, *, name: str, charset: str, scan: Scan | None = None
) -> ParsedDocument:
    """Parse; a page of the web that links style sheets a second time with them, for the text that they hide.

    What people upload or send is not asked after: its addresses lead from wherever they have it.
    """
    scope = scope_of(document.source.scope)
    selectors = Selectors(keep=scope.keep, drop=scope.drop)
    parsed = parse_apart(data, name=name, charset=charset, selectors=selectors, scan=scan)
    if document.source.kind not in WEB_KINDS:
        return parsed
    sheets = style_sheets.texts_of(parsed.sheets, base=version.address or document.url)
    if not sheets:
        return parsed
    return parse_apart(data, name=name, charset=charset, selectors=selectors, sheets=sheets)


def _title(document: Document, version: Version, parsed: ParsedDocument) -> str:
    """What a person called it; else what it says itself. Documents with a key have titles of their own."""
    source = document.source
    if document.key:
        given = document.title if source.kind == SourceKind.PUSH else ""
        return given or parsed.title or document.title
    if source.title in {version.name[:200], document.url[:200]}:
        return (parsed.title or document.title)[:200]
    return source.title


def drafts_of(parsed: ParsedDocument, profile: EmbeddingProfile) -> list[ChunkDraft]:
    """The document in chunks. Raises NothingToRead where there are none."""
    drafts = chunk(parsed, count_tokens=encoder_for(profile.id).count_tokens)
    if not drafts:
        raise NothingToRead
    return drafts


def passages_of(parsed: ParsedDocument, profile: EmbeddingProfile) -> list[Passage]:
    return [
        passage_of(draft, language=parsed.language, profile=profile) for draft in drafts_of(parsed, profile)
    ]


def store(
    document: Document, version: Version, drafts: Sequence[ChunkDraft], profile: EmbeddingProfile
) -> None:
    """Store every chunk with its vectors, in batches that are each committed: what is done stays done."""
    done = _already_stored(version, drafts, profile)
    missing = [(ordinal, draft) for ordinal, draft in enumerate(drafts) if ordinal not in done]
    stored = len(done)
    _report(document, "embed", done=stored, total=len(drafts))
    for places, vectors in _embedded(version, missing, profile):
        _insert(document, version, places, vectors.result(), profile)
        vectors.are_stored()
        stored += len(places)
        _report(document, "embed", done=stored, total=len(drafts))


def _embedded(
    version: Version, drafts: Sequence[tuple[int, ChunkDraft]], profile: EmbeddingProfile
) -> Iterator[tuple[Places, Vectors]]:
    """Batches with their vectors, which are read one batch ahead: while the caller stores one, the next is embedded."""
    before: tuple[Places, Vectors] | None = None
    for batch in _batches(drafts):
        places = {
            ordinal: passage_of(draft, language=version.language, profile=profile) for ordinal, draft in batch
        }
        coming = (places, vectors_of(list(places.values()), profile))
        if before is not None:
            yield before
        before = coming
    if before is not None:
        yield before


def _already_stored(version: Version, drafts: Sequence[ChunkDraft], profile: EmbeddingProfile) -> set[int]:
    """Ordinals that an earlier run stored as they would be stored now; others are taken away."""

    def is_as_now(ordinal: int, content_hash: str) -> bool:
        if ordinal >= len(drafts):
            return False
        now = passage_of(drafts[ordinal], language=version.language, profile=profile)
        return now.content_hash == content_hash

    rows = version.chunks.values_list("ordinal", "content_hash")
    kept = {ordinal for ordinal, content_hash in rows if is_as_now(ordinal, content_hash)}
    version.chunks.exclude(ordinal__in=kept).delete()
    return kept


def _insert(
    document: Document,
    version: Version,
    places: Places,
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
            for ordinal, passage in places.items()
        ]
    )


def _stage(document: Document, version: Version) -> None:
    """Stored, but kept back until the agent's test set was asked: what serves goes on serving."""
    with transaction.atomic():
        row = Document.objects.select_for_update().get(pk=document.pk)
        version.chunk_count = version.chunks.count()
        version.save(update_fields=["chunk_count"])
        _forget_earlier(row, version)
        newest = not row.versions.filter(number__gt=version.number, draft=False).exists()
        row.status = DocumentStatus.STAGED if newest else DocumentStatus.WAITING
        row.lease_until, row.attempts, row.step = None, 0, ""
        row.save()


def _forget_earlier(document: Document, version: Version) -> None:
    """Delete the chunks of earlier versions that were kept back and never served."""
    earlier = Chunk.objects.filter(version__document=document, version__number__lt=version.number)
    earlier.exclude(version=document.live_id).delete()


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
        _forget_earlier(row, version)
        if before is None or before.pk != version.pk:
            index.count_in(version)
        version.chunk_count, version.valid_from = version.chunks.count(), now
        version.save(update_fields=["chunk_count", "valid_from"])
        newest = not row.versions.filter(number__gt=version.number, draft=False).exists()
        row.live, row.title = version, version.title or row.title
        row.good_at = row.good_at or now
        if not row.key:
            Source.objects.filter(pk=row.source_id).update(title=version.title[:200])
        row.status = DocumentStatus.READY if newest else DocumentStatus.WAITING
        row.lease_until, row.attempts = None, 0
        row.step, row.done, row.total = "", version.chunk_count, version.chunk_count
        row.save()
        versions.prune(row)


def _record_failure(document: Document, version: Version, error: AppError) -> None:
    """A passing fault waits for its next attempt; a lasting one, or the last attempt, is final until a
    retry.
    """
    again = not getattr(error, "permanent", True) and document.attempts < MAX_ATTEMPTS
    logger.info("Document %s failed: %s (%s)", document.pk, error.code, "again later" if again else "final")
    serves = document.live_id is not None and document.source.kind in WEB_KINDS
    if serves and not again:
        _keep_serving(document, version, error)
        return
    Document.objects.filter(pk=document.pk).update(
        status=DocumentStatus.WAITING if again else DocumentStatus.FAILED,
        lease_until=timezone.now() + RETRY_AFTER * document.attempts if again else None,
        error_code=error.code,
        error=error.detail[:500],
        updated_at=timezone.now(),
    )


def _keep_serving(document: Document, version: Version, error: AppError) -> None:
    """The page's new content cannot be used: the last good one stays, and stays ready, with a warning."""
    with transaction.atomic():
        if not version.file:
            version.delete()
        Document.objects.filter(pk=document.pk).update(
            status=DocumentStatus.READY,
            step="",
            lease_until=None,
            attempts=0,
            warning_code=error.code,
            warning=error.detail[:500],
            checked_at=timezone.now(),
            updated_at=timezone.now(),
        )


def _batches(items: Sequence[T]) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH)):
        yield batch
