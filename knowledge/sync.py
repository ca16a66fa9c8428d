"""Watching web sources: which pages are due, which came, which went.

A sync is a row's state, not a process: it advances in slices of a few seconds, each by any worker that gets
the source's lease, so that a site of thousands of pages holds up nobody and survives a restart. Nothing is
taken away because of an error: a page goes after two syncs in a row found it missing (most of a site's pages at once
only after a day), and where the agent's test set
is asked first, together with all else that the sync brought.
"""

from __future__ import annotations

import logging
import math
import random
import time
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from billing.plans import Tier
from billing.subscriptions import standing_of
from knowledge import leaving, robots
from knowledge.discovery import add_pages, bring_back_copies, bring_back_root, copies_in, pages_left
from knowledge.fetching import FetchError, PageMissing
from knowledge.models import (
    WEB_KINDS,
    Document,
    DocumentStatus,
    Source,
    SourceKind,
    SyncState,
)
from knowledge.pages import (
    ForbiddenByRobots,
    LeadsElsewhere,
    LeadsToKnown,
    LeftOut,
    address_of,
    look,
    note_failure,
)
from knowledge.scope import MAX_PAGES, scope_of
from knowledge.sitemaps import pages_of
from netvexa.lib.errors import Invalid
from tenants.context import current_workspace

logger = logging.getLogger(__name__)

SLICE = 15.0  # seconds; then the next one queues up behind everybody else's work
LEASE = timedelta(minutes=5)
RUNNING_AT_ONCE = 3  # sources of one workspace
MISSES = 2  # syncs in a row without a page before it goes
FEW = 5  # pages; less may go at once, however small their site
DOWN_FOR = 24  # hours, after which a site that lost most of its pages at once is believed to have lost them
CONFIRM_AFTER = timedelta(minutes=10)
LONGEST = timedelta(hours=12)  # a sync that takes longer is ended as it is
MAX_INTERVAL = 24 * 30
# Of our code, at whatever a page holds; where a part of the platform is away, the whole sync waits for it.
_FAULTS = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
HOURS = {Tier.STARTER: 24, Tier.GROWTH: 6}  # every other plan: 1


class OurFault(FetchError):
    code = "fetch_our_fault"
    status = 500
    default_detail = "Something went wrong on our side while this was looked at."


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be handed to the workers next: documents to read, and whether the sync goes on at once."""

    read: list[UUID] = field(default_factory=list)
    again: bool = False


def shortest_interval() -> int:
    """Hours between two syncs that this workspace's plan allows."""
    return HOURS.get(standing_of(current_workspace()).plan.tier, 1)


def interval_of(source: Source) -> int:
    """Hours between two syncs of this source; 0 means only when somebody asks."""
    if source.interval_hours is None:
        return shortest_interval()
    return source.interval_hours and max(source.interval_hours, shortest_interval())


def start(source: Source, *, only: Document | None = None) -> bool:
    """Begin a sync, of one page where it is named; False where one is running already, which another then follows.

    Raises Invalid for what has no original to look at. Pages whose version a person chose are left alone.
    """
    if source.kind not in WEB_KINDS:
        raise Invalid("Only web pages, websites and sitemaps can be synced.")
    with transaction.atomic():
        row = Source.objects.select_for_update().filter(pk=source.pk)
        begun = row.get().sync_state == SyncState.IDLE
        if begun:
            row.update(
                sync_state=SyncState.RUNNING,
                sync_started_at=timezone.now(),
                sync_error="",
                found={"listed": 0} if only else {},
                lease_until=None,
                next_sync_at=None,
            )
        elif not only:
            row.update(next_sync_at=timezone.now())  # what was looked at already may have changed since
        bring_back_root(source)
        rows = source.documents.exclude(status=DocumentStatus.GONE)
        if only:
            rows.filter(pk=only.pk).update(fetch_due=True, attempts=0, lease_until=None)
        elif begun:
            rows.filter(pinned=False).update(fetch_due=True)
    return begun


def start_due() -> list[UUID]:
    """Begin the syncs whose time has come, so many at once; return every source that has work to do."""
    now = timezone.now()
    running = Source.objects.filter(sync_state=SyncState.RUNNING)
    room = RUNNING_AT_ONCE - running.count()
    due = Source.objects.filter(kind__in=WEB_KINDS, sync_state=SyncState.IDLE, next_sync_at__lte=now)
    for source in due.order_by("next_sync_at")[: max(0, room)]:
        start(source)
    free = running.filter(Q(lease_until=None) | Q(lease_until__lt=now))
    return list(free.values_list("pk", flat=True))


def advance(source_id: UUID | str) -> Work:
    """Do one slice of a running sync. Returns at once where another worker has it."""
    now = timezone.now()
    taken = (
        Source.objects.filter(pk=source_id, sync_state=SyncState.RUNNING)
        .filter(Q(lease_until=None) | Q(lease_until__lt=now))
        .update(lease_until=now + LEASE)
    )
    if not taken:
        return Work()
    source = Source.objects.get(pk=source_id)
    try:
        return _slice(source)
    except FetchError as error:
        _finish(source, error=error.detail)
        return Work()
    except _FAULTS:
        logger.exception("A sync could not go on")
        _finish(source, error=OurFault.default_detail)
        return Work()
    finally:
        Source.objects.filter(pk=source_id).update(lease_until=None)


def _slice(source: Source) -> Work:
    if source.kind == SourceKind.SITEMAP and "listed" not in source.found:
        _list_pages(source)
    read: list[UUID] = []
    end = time.monotonic() + SLICE
    while document := _next(source):
        if _visit(source, document):
            read.append(document.pk)
        if time.monotonic() > end:
            return Work(read, again=True)
    if read or (source.documents.unfinished().exists() and not _is_overdue(source)):
        return Work(read)
    if bring_back_copies(source) and not _is_overdue(source):
        return Work(again=True)
    _finish(source)
    return Work()


def _next(source: Source) -> Document | None:
    now = timezone.now()
    due = source.documents.filter(fetch_due=True).filter(Q(lease_until=None) | Q(lease_until__lt=now))
    return due.select_related("live").order_by("depth", "created_at").first()


def _is_overdue(source: Source) -> bool:
    return bool(source.sync_started_at and timezone.now() - source.sync_started_at > LONGEST)


def _list_pages(source: Source) -> None:
    """The pages of a sitemap; those within scope are kept or come in, and others count as missing."""
    listing = pages_of(source.url, most=MAX_PAGES)
    listed = [url for url in listing.pages if _admits_path(source, url)]
    add_pages(source, listed, depth=0, found_on=source.url)
    present = source.documents.exclude(status=DocumentStatus.GONE)
    is_listed = Q(key__in=listed) | Q(url__in=listed)
    present.filter(is_listed, warning_code="").update(misses=0)
    if not listed:
        _tell(
            source, f"The sitemap lists {len(listing.pages):,} pages, none of which you chose to have read."
        )
    if listing.left_out:
        _tell(source, f"The sitemap was read in part, so no page counts as gone. {listing.left_out}")
    else:
        present.exclude(is_listed).update(misses=F("misses") + 1)
    _count(source, listed=len(listed))
    _count_over(source, listed)


def _admits_path(source: Source, url: str) -> bool:
    """A sitemap says itself what belongs to the site; only the patterns choose among it."""
    scope = scope_of(source.scope)
    return scope.admits(url, start=url)


def _visit(source: Source, document: Document) -> bool:
    """Look at one page; True where there is new content to read. A fault of ours at one page keeps no other waiting."""
    try:
        return _look_at(source, document)
    except _FAULTS:
        logger.exception("A page could not be looked at")
        _note_error(source, document, OurFault())
        return False


def _look_at(source: Source, document: Document) -> bool:
    is_crawl = source.kind != SourceKind.URL
    if is_crawl and not robots.may_read(address_of(document)):
        _leave_out(source, document, ForbiddenByRobots("The site's robots.txt asks not to read this page."))
        return False
    if is_crawl:
        robots.wait_for_turn(address_of(document))
    is_new = document.good_at is None
    try:
        version = look(document)
    except LeftOut as reason:
        _leave_out(source, document, reason)
        return False
    except FetchError as error:
        _note_error(source, document, error)
        return False
    if version is None:
        _count(source, same=1)
        return document.error_code == leaving.COPY and leaving.stay(document.pk)
    _count(source, **({"new": 1} if is_new else {"changed": 1}))
    return _hand_over(document)


def _hand_over(document: Document) -> bool:
    """The new version waits to be read; one that is being read now is followed by it."""
    Document.objects.filter(pk=document.pk).exclude(status=DocumentStatus.WORKING).update(
        status=DocumentStatus.WAITING, step="", done=0, total=0, error="", error_code="", attempts=0,
        lease_until=None,
    )  # fmt: skip
    return True


def _note_error(source: Source, document: Document, error: FetchError) -> None:
    note_failure(document, error)
    missing = isinstance(error, PageMissing)
    if missing:
        Document.objects.filter(pk=document.pk).update(misses=F("misses") + 1)
    elif Document.objects.filter(pk=document.pk, status=DocumentStatus.WAITING, live=None).exists():
        Document.objects.filter(pk=document.pk).update(fetch_due=True)  # its lease says when
    _count(source, **({"missing": 1} if missing else {"failed": 1}))


def _leave_out(source: Source, document: Document, reason: LeftOut) -> None:
    """A copy goes, and so does what never served; what serves is kept as it was, with a warning. A redirect that calls
    itself temporary, as to a log-in for a night, makes no copy of what serves: it counts as a miss.

    The start stays in any case, since all other pages are found from it: of two alike it is the one.
    """
    _count(source, **{reason.counted: 1})
    is_start = document.key == source.url
    serves = document.live_id is not None
    if isinstance(reason, LeadsToKnown) and not (reason.for_now and serves):
        goes = reason.twin if is_start else document
        _take_out(goes, reason, url=reason.url)
    elif is_start or serves:
        note_failure(document, reason)
        if isinstance(reason, LeadsToKnown) and not is_start:
            Document.objects.filter(pk=document.pk).update(misses=F("misses") + 1)
    else:
        _take_out(document, reason)


def _take_out(document: Document, reason: LeftOut, *, url: str = "") -> None:
    """`url`: where the page is that stands for this one."""
    Document.objects.filter(pk=document.pk).update(checked_at=timezone.now())
    leaving.leave(document.pk, code=reason.code, why=reason.detail, url=url)


def _count(source: Source, **more: int) -> None:
    for name, number in more.items():
        source.found[name] = source.found.get(name, 0) + number
    Source.objects.filter(pk=source.pk).update(found=source.found)


def _tell(source: Source, sentence: str) -> None:
    """What people should know of this sync, although it goes on."""
    source.sync_error = sentence[:500]
    Source.objects.filter(pk=source.pk).update(sync_error=source.sync_error)


def _finish(source: Source, *, error: str = "") -> None:
    """End the sync: unless it failed, take out what was missing twice, and say when the next one is."""
    if not error:
        if source.kind == SourceKind.SITE:
            _count_unreachable(source)
            linked = source.documents.present().values_list("live__links", flat=True)
            _count_over(source, {link for links in linked for link in links or []})
        _take_out_missing(source)
    missing = source.documents.filter(live__isnull=False, misses__gte=1)
    unsure = not _seems_down(source) and missing.filter(misses__lt=MISSES).exists()
    with transaction.atomic():
        row = Source.objects.select_for_update().filter(pk=source.pk)
        asked, now = row.get().next_sync_at, timezone.now()
        wanted = asked is not None and asked <= now  # set by `start` while this sync ran
        row.update(
            sync_state=SyncState.IDLE,
            synced_at=now,
            sync_error=(error or source.sync_error)[:500],
            found=source.found,
            next_sync_at=now if wanted else _next_time(source, now, soon=unsure and not error),
        )


def _next_time(source: Source, now: datetime, *, soon: bool) -> datetime | None:
    """Counted from the start of this sync, a little early at random, so that a plan's interval is kept."""
    hours = interval_of(source)
    if not hours:
        return None
    regular = (source.sync_started_at or now) + timedelta(hours=hours * random.uniform(0.95, 1.0))  # noqa: S311
    return max(now + timedelta(minutes=1), min(regular, now + CONFIRM_AFTER) if soon else regular)


def _count_unreachable(source: Source) -> None:
    """Pages that no page of the site leads to any more have missed this sync.

    While the start or any page on the way could not be read, nobody knows, and nothing is counted.
    """
    read = source.documents.present().exclude(error_code=leaving.COPY)
    rows = list(read.values_list("key", "url", "depth", "live__links", "warning_code"))
    if any(warning not in {"", PageMissing.code, LeadsElsewhere.code} for *_, warning in rows):
        return
    leads = {key: links or [] for key, _, _, links, _ in rows}
    place = _places(source, {key: url for key, url, *_ in rows})
    reached = {key for key, _, depth, *_ in rows if depth == 0}
    queue = deque(reached)
    while queue:
        for link in leads.get(queue.popleft(), []):
            key = place.get(link)
            if key is not None and key not in reached:
                reached.add(key)
                queue.append(key)
    # One that answers 404 was counted when it did.
    answering = source.documents.exclude(warning_code=PageMissing.code)
    answering.filter(key__in=reached).update(misses=0)
    answering.filter(key__in=leads.keys() - reached).update(misses=F("misses") + 1)


def _count_over(source: Source, addresses: Collection[str]) -> None:
    """How many pages are known of and not read, because the source or the plan has no room for them."""
    known = source.documents.values_list("key", "url")
    over = set(addresses).difference(*known) if pages_left(source, scope_of(source.scope)) <= 0 else ()
    if over:
        _count(source, over=len(over))


def _places(source: Source, urls: dict[str, str]) -> dict[str, str]:
    """The keys of present documents by each address that leads there: their own, the redirect's end, their copies'."""
    place = {url: key for key, url in urls.items()} | {key: key for key in urls}
    copies = copies_in(source).values_list("key", "url")
    return {copy: place[url] for copy, url in copies if url in place} | place


def _take_out_missing(source: Source) -> None:
    """Pages that two syncs in a row did not find go, except those whose version a person chose."""
    found = source.documents.leaving().filter(error_code=leaving.MISSED, misses__lt=MISSES)
    for document_id in found.values_list("pk", flat=True):
        leaving.stay(document_id)  # the minute's beat has read what is to be read
    gone = source.documents.present().filter(misses__gte=_enough_misses(source), pinned=False)
    for document_id in gone.values_list("pk", flat=True):
        if not leaving.leave(document_id, code=leaving.MISSED):
            _count(source, gone=1)


def _enough_misses(source: Source) -> int:
    """How many syncs in a row must miss a page before it goes: those of a day where the site seems to be down."""
    hours = interval_of(source)
    if not hours or not _seems_down(source):
        return MISSES
    _tell(
        source, "Most pages of this site seem to be gone. They serve for a day more, in case it is only down."
    )
    return max(MISSES, math.ceil(DOWN_FOR / hours) + 1)


def _seems_down(source: Source) -> bool:
    """Whether more than half of the pages are missing, as while a site is repaired or wants everybody to log in."""
    serving = source.documents.filter(live__isnull=False, pinned=False)
    missing = serving.filter(misses__gte=1).count()
    return missing >= FEW and 2 * missing > serving.count()
