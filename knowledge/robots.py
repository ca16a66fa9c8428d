"""What a site asks of crawlers: robots.txt (RFC 9309), kept for an hour, and the time between two visits."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache
from protego import Protego

from knowledge.fetching import (
    USER_AGENT,
    FetchError,
    FetchTypeUnsupported,
    PageForbidden,
    PageMissing,
    RequestRefused,
    fetch,
)
from tenants.context import current_workspace

KEPT = 3600  # seconds
MAX_SIZE = 500_000  # bytes; RFC 9309 asks for 500 KiB
USUAL_DELAY = 1  # seconds between two pages of one host
MAX_DELAY = 10
_NAME = USER_AGENT.partition("/")[0]


def may_read(url: str) -> bool:
    """Whether robots.txt lets us. Raises FetchError when the site's server is not well: better not now."""
    return bool(_rules(url).can_fetch(url, _NAME))


def sitemaps_of(url: str) -> list[str]:
    """The sitemaps that the site's robots.txt names."""
    return list(_rules(url).sitemaps)[:20]


def wait_for_turn(url: str, *, delay: int | None = None) -> None:
    """Sleep until this host may be asked again. All workspaces share the turns: the host sees one visitor.

    `delay` in seconds is for a single look, for which robots.txt is not fetched.
    """
    host = urlsplit(url).netloc
    if urlsplit(url).hostname in settings.FETCH_PRIVATE_HOSTS:
        return
    if delay is None:
        delay = min(MAX_DELAY, max(USUAL_DELAY, round(_rules(url).crawl_delay(_NAME) or 0)))
    end = time.monotonic() + 3 * MAX_DELAY
    while not cache.add(f"crawl-turn:{host}", 1, timeout=delay) and time.monotonic() < end:
        time.sleep(0.1)


def _rules(url: str) -> Protego:
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    key = f"{current_workspace().key}:robots:{origin}"
    text = cache.get(key)
    if text is None:
        text = _text(f"{origin}/robots.txt")
        cache.set(key, text, timeout=KEPT)
    return Protego.parse(text)


def _text(url: str) -> str:
    """No file, one that is refused (4xx) or one that is no text means that everything may be read; a server that is
    not well, or too busy (429), means later.
    """
    try:
        return fetch(url).content[:MAX_SIZE].decode("utf-8", errors="replace")
    except (PageMissing, PageForbidden, RequestRefused, FetchTypeUnsupported):
        return ""
    except FetchError as error:
        raise FetchError(f"The site's robots.txt could not be read: {error.detail}") from error
