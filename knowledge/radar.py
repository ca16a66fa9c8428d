"""What in the knowledge a person should look at: contradictions, stale and dead pages, duplicates, reviews.

Everything here is found by rules and the same knowledge has the same findings. A finding is open while its
cause is there; one that a person dismissed stays dismissed.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.text import Truncator

from knowledge.facts import Fact, conflicts, facts_in
from knowledge.fetching import PageMissing
from knowledge.models import (
    WEB_KINDS,
    Chunk,
    Document,
    DocumentStatus,
    ExternalLink,
    Finding,
    FindingKind,
    FindingState,
    Version,
)
from netvexa.lib.hosts import shown_address

MAX_CHUNKS = 50_000  # read for figures; larger workspaces are searched in part
MAX_CONFLICTS = 500
MAX_DEAD_LINKS = 500  # a link in the text of every page is one for each of them
OLD = timedelta(days=365)  # a file or text that nobody touched
UNSEEN = timedelta(days=7)  # a page that no sync could read


@dataclass(frozen=True, slots=True)
class Found:
    """A finding before it is stored; `parts` identify its cause."""

    kind: FindingKind
    document: str
    sentence: str
    parts: tuple[str, ...]
    other: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return hashlib.sha256("\0".join((self.kind.value, *self.parts)).encode()).hexdigest()


def scan() -> int:
    """Look at everything in this workspace; returns how many findings are open. Takes seconds to a minute."""
    now = timezone.now()
    found = [
        *_held(),
        *_dead(),
        *islice(_dead_links(), MAX_DEAD_LINKS),
        *_stale(),
        *_duplicates(),
        *_contradictions(),
    ]
    with transaction.atomic():
        for each in found:
            _store(each)
        Finding.objects.filter(state=FindingState.OPEN, seen_at__lt=now).update(state=FindingState.GONE)
    return Finding.objects.filter(state=FindingState.OPEN).count()


def _store(found: Found) -> None:
    """New, or seen again; what was gone is open again, what was dismissed stays dismissed."""
    row, is_new = Finding.objects.get_or_create(
        key=found.key,
        defaults={
            "kind": found.kind,
            "document_id": found.document,
            "other_id": found.other,
            "sentence": found.sentence[:500],
            "detail": found.detail,
        },
    )
    if not is_new:
        row.seen_at = timezone.now()
        row.sentence, row.detail = found.sentence[:500], found.detail
        if row.state == FindingState.GONE:
            row.state = FindingState.OPEN
        row.save()


def _held() -> Iterator[Found]:
    for document in Document.objects.filter(status=DocumentStatus.HELD):
        sentence = "This document holds text that reads like instructions to the AI. It is kept out until you decide."
        yield Found(FindingKind.HELD, str(document.pk), sentence, (str(document.pk),))


def _dead() -> Iterator[Found]:
    """Addresses that answer 404: pages that serve, and links of the site's own pages."""
    rows = Document.objects.filter(source__kind__in=WEB_KINDS).present()
    missing = Q(warning_code=PageMissing.code) | Q(status=DocumentStatus.FAILED, error_code=PageMissing.code)
    for document in rows.filter(missing):
        where = f" {shown_address(document.found_on)} links to it." if document.found_on else ""
        sentence = f"{shown_address(document.url)} does not exist any more.{where}"
        yield Found(FindingKind.DEAD_LINK, str(document.pk), sentence, (str(document.pk),))


def _dead_links() -> Iterator[Found]:
    """Links of documents that serve to what is gone, wherever it was."""
    dead = dict(ExternalLink.objects.dead().values_list("url", "dead_since"))
    rows = Version.objects.filter(serves__isnull=False, external_links__overlap=list(dead))
    for document, links in rows.order_by("document_id").values_list("document_id", "external_links"):
        for url in links:
            if since := dead.get(url):
                shown = Truncator(shown_address(url)).chars(300)
                sentence = f"It links to {shown}, which does not exist any more (since {since:%-d %b %Y})."
                detail = {"link": url, "since": since.isoformat()}
                yield Found(
                    FindingKind.DEAD_LINK, str(document), sentence, (str(document), url), detail=detail
                )


def _stale() -> Iterator[Found]:
    now = timezone.now()
    serving = Document.objects.filter(live__isnull=False)
    for document in serving.filter(source__kind__in=WEB_KINDS, good_at__lt=now - UNSEEN).exclude(pinned=True):
        sentence = (
            f"This page could not be read since {document.good_at:%-d %b %Y}; answers use what it said then."
        )
        yield Found(FindingKind.STALE, str(document.pk), sentence, (str(document.pk), "unseen"))
    by_hand = serving.exclude(source__kind__in=WEB_KINDS).filter(live__created_at__lt=now - OLD)
    for document in by_hand.select_related("live"):
        age = f"{document.live.created_at:%B %Y}" if document.live else ""
        sentence = f"This content was added in {age} and has not changed since. Is it still right?"
        yield Found(FindingKind.STALE, str(document.pk), sentence, (str(document.pk), str(document.live_id)))


def _duplicates() -> Iterator[Found]:
    """Documents of one agent and audience with the same text, oldest first."""
    rows = Version.objects.filter(serves__isnull=False).exclude(text_sha256="")
    groups: dict[tuple[Any, str, str], list[Version]] = defaultdict(list)
    for version in rows.select_related("document__source").order_by("document__created_at"):
        source = version.document.source
        groups[source.agent_id, source.audience, version.text_sha256].append(version)
    for (_, _, text), (first, *others) in groups.items():
        for other in others:
            sentence = f"“{other.document.title}” has the same text as “{first.document.title}”."
            parts = (str(other.document_id), text)
            yield Found(
                FindingKind.DUPLICATE, str(other.document_id), sentence, parts, other=str(first.document_id)
            )


def _contradictions() -> Iterator[Found]:
    """Within an agent and an audience: what partners pay may differ from what is asked of everybody."""
    by_reader: dict[tuple[Any, str], list[Fact]] = defaultdict(list)
    for reader, fact in _facts():
        by_reader[reader].append(fact)
    count = 0
    for facts in by_reader.values():
        for conflict in conflicts(facts):
            count += 1
            if count > MAX_CONFLICTS:
                return
            first, second = sorted((conflict.first, conflict.second), key=lambda fact: fact.document)
            figures = [", ".join(sorted(fact.figures)) for fact in (first, second)]
            yield Found(
                FindingKind.CONTRADICTION,
                first.document,
                f"Two sources give a different {first.kind.split()[0]}: {figures[0]} and {figures[1]}.",
                (first.document, second.document, first.sentence, second.sentence),
                other=second.document,
                detail={"first": first.sentence, "second": second.sentence},
            )


def _facts() -> Iterator[tuple[tuple[Any, str], Fact]]:
    """Figures in the sentences that serve, each sentence of a document once, with its agent and audience."""
    rows = Chunk.objects.filter(version__serves__isnull=False, text__regex=r"\d").values_list(
        "agent_id",
        "version__document__source__audience",
        "version__document_id",
        "version__language",
        "heading_path",
        "text",
        "spans",
    )
    for agent, audience, document, language, headings, text, spans in rows[:MAX_CHUNKS].iterator():
        heading = headings[-1] if len(headings) > 1 else ""  # the first is the title
        for start, end in zip(spans[::4], spans[1::4], strict=True):
            for fact in facts_in(text[start:end], document=str(document), heading=heading, language=language):
                yield (agent, audience), fact
