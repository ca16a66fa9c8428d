"""Whether the links of documents that serve still lead somewhere.

Each address is asked for once a week for a whole workspace, for its head alone; one that was not found again a day
later. Only a server that says 404 or 410, and a name that does not exist, count as a miss, and two of them in a row as
dead: a server that is away, busy, or shy of programs says nothing about a page. This is the visit that a link's reader
would make, not a crawl, so robots.txt is not asked; hosts keep their turns.
"""

from __future__ import annotations

import time
from datetime import timedelta
from urllib.parse import urlsplit

from django.db.models import F, Func, TextField
from django.utils import timezone

from knowledge import robots
from knowledge.fetching import GONE, FetchError, ServerMissing, status_of
from knowledge.models import DEAD_AFTER, WEB_KINDS, Document, ExternalLink, Version

SLICE = 15.0  # seconds; then the next one queues up behind everybody else's work
SECONDS = 10.0  # for one link
MOST = 5000  # of a workspace
EVERY = timedelta(days=7)
SOON = timedelta(hours=20)  # after a miss, or where nothing was learnt: the next night
_NOT_NOW = frozenset({408, 425, 429})  # what may be said of a page that there is or is not


def gather() -> None:
    """Have a row for each address that documents lead to now. Pages that a sync looks at anyway have none."""
    live = Version.objects.filter(serves__isnull=False).order_by()
    each = Func(F("external_links"), function="unnest", output_field=TextField())
    links = live.annotate(link=each).values_list("link", flat=True)
    watched = Document.objects.present().filter(source__kind__in=WEB_KINDS, url__in=links)
    held = set(links.distinct().order_by("link")[:MOST]) - set(watched.values_list("url", flat=True))
    ExternalLink.objects.exclude(url__in=held).delete()
    ExternalLink.objects.bulk_create([ExternalLink(url=url) for url in held], ignore_conflicts=True)


def check() -> bool:
    """Look at those whose time has come, for one slice; True where some are left."""
    end = time.monotonic() + SLICE
    silent: set[str] = set()  # hosts that are not waited for again in this slice
    while link := ExternalLink.objects.filter(due_at__lte=timezone.now()).order_by("due_at").first():
        if time.monotonic() > end:
            return True
        if _claim(link) and urlsplit(link.url).netloc not in silent:
            _look(link, silent)
    return False


def _claim(link: ExternalLink) -> bool:
    """One worker looks, and a link that ends it is not the first of the next one's."""
    now = timezone.now()
    return bool(ExternalLink.objects.filter(pk=link.pk, due_at__lte=now).update(due_at=now + SOON))


def _look(link: ExternalLink, silent: set[str]) -> None:
    robots.wait_for_turn(link.url, delay=robots.USUAL_DELAY)
    row = ExternalLink.objects.filter(pk=link.pk)
    try:
        status = status_of(link.url, deadline=SECONDS)
    except ServerMissing:
        status = next(iter(GONE))
    except FetchError:
        silent.add(urlsplit(link.url).netloc)
        status = 0
    if status in GONE:
        row.update(misses=F("misses") + 1, dead_since=link.dead_since or timezone.now())
    elif status and status < 500 and status not in _NOT_NOW:
        row.update(misses=0, dead_since=None, due_at=timezone.now() + EVERY)
    elif link.misses < DEAD_AFTER:
        row.update(misses=0, dead_since=None)
