"""The style sheets that a page of the web links, fetched for its parser, which has no network: they tell what the page
hides (`knowledge.parsing.styles`).

Pages of one site share their sheets, so each is kept for the workspace for an hour. One that cannot be had counts as
empty, and the page is read as if it named none.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable

from django.core.cache import cache

from knowledge import robots
from knowledge.fetching import FetchError, fetch
from knowledge.parsing.styles import with_imported
from knowledge.scope import canonical
from netvexa.lib.ratelimit import Bucket, spend
from tenants.context import current_workspace

KEPT = 3600  # seconds
KEPT_EMPTY = 600  # one that could not be had is asked for again sooner
MAX_BYTES = 512 * 1024  # of a page's sheets together
SECONDS = 5.0  # for one sheet
ENOUGH = 15.0  # seconds for a page's sheets; then no further one is asked for
AN_HOUR = 100  # sheets fetched for one workspace: what is kept of them stands in memory


def texts_of(sheets: Iterable[str], *, base: str) -> dict[str, str]:
    """The texts of the sheets that could be had, by the addresses as written; `base` is the page's own."""
    found: dict[str, str] = {}
    left, end = MAX_BYTES, time.monotonic() + ENOUGH
    for written in sheets:
        url = canonical(written, base=base)
        text = _text(url) if url and time.monotonic() < end else ""
        if text and len(text) <= left:
            found[written] = text
            left -= len(text)
    return found


def _text(url: str) -> str:
    key = f"{current_workspace().key}:sheet:{hashlib.sha256(url.encode()).hexdigest()}"
    text: str | None = cache.get(key)
    if text is None:
        if not _may_fetch():
            return ""
        text = with_imported(_fetched(url), lambda written: _imported(written, base=url))
        cache.set(key, text, timeout=KEPT if text else KEPT_EMPTY)
    return text


def _imported(written: str, *, base: str) -> str:
    """What a sheet imports; what that imports in turn is not looked at."""
    url = canonical(written, base=base)
    return _fetched(url) if url and _may_fetch() else ""


def _may_fetch() -> bool:
    bucket = Bucket(f"{current_workspace().key}:sheets", per_minute=AN_HOUR / 60, burst=AN_HOUR)
    return not spend(bucket).wait


def _fetched(url: str) -> str:
    """Only what a browser would take for a style sheet, and robots.txt lets us read."""
    try:
        if not robots.may_read(url):
            return ""
        robots.wait_for_turn(url)
        page = fetch(url, deadline=SECONDS, largest=MAX_BYTES)
    except FetchError:
        return ""
    # Other letters than ASCII name no class that is looked at.
    return page.content.decode("utf-8-sig", errors="replace") if page.content_type == "text/css" else ""
