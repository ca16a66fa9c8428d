"""Pages that send a browser on by themselves (`<meta http-equiv="refresh">`), as generators of static sites leave them
where a page has moved. They are followed like redirects: at once for good, after some seconds for the time being.
"""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from typing import NamedTuple
from urllib.parse import urldefrag, urljoin

from knowledge.fetching import DEADLINE, MAX_REDIRECTS, FetchedPage, FetchError, fetch

LONGEST_WAIT = 10  # seconds; what shows for longer is a page of its own, as one that loads itself anew is
_HEAD = 64 * 1024  # bytes in which it stands
# A browser that runs scripts does not look into these.
_PASSED_OVER = re.compile(
    rb"<!--.*?(?:-->|\Z)|<(noscript|script|style|template|textarea|title)\b.*?(?:</\1\b|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_META = re.compile(rb"<meta\b([^<>]{1,2000})>", re.IGNORECASE)
_IS_REFRESH = re.compile(r"(?:^|[\s\"'/])http-equiv\s*=\s*[\"']?\s*refresh\b", re.IGNORECASE)
_CONTENT = re.compile(r"(?:^|[\s\"'/])content\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|(\S+))", re.IGNORECASE)
_TOLD = re.compile(r"\s*(\d{1,9})(?:\.\d*)?\s*[;,]?\s*(?:url\s*=\s*)?[\"']?([^\"']*)", re.IGNORECASE)


class Refresh(NamedTuple):
    wait: int  # seconds
    url: str


def fetch_through(
    url: str, *, etag: str = "", last_modified: str = "", deadline: float = DEADLINE
) -> FetchedPage:
    """The page where a browser ends up; each fetch has this deadline. Raises FetchError.

    No ETag is kept of a page that another one leads to: it is that other one which is asked the next time.
    """
    page = fetch(url, etag=etag, last_modified=last_modified, deadline=deadline)
    for _ in range(MAX_REDIRECTS):
        on = refresh_of(page)
        if on is None:
            return page
        end = fetch(on.url, deadline=deadline)
        for_now = page.for_now or end.for_now or on.wait > 0
        page = replace(end, etag="", last_modified="", for_now=for_now)
    raise FetchError("This page sends from one address to the next without end.")


def refresh_of(page: FetchedPage) -> Refresh | None:
    """Where the page sends a browser on; None where it stays."""
    if page.content_type not in {"", "text/html", "application/xhtml+xml"}:
        return None
    head = _PASSED_OVER.sub(b" ", page.content[:_HEAD])
    metas = (found.group(1).decode(errors="replace") for found in _META.finditer(head))
    for meta in metas:
        content = _CONTENT.search(meta)
        if content and _IS_REFRESH.search(meta):
            return _told(unescape("".join(filter(None, content.groups()))), page.url)
    return None


def _told(content: str, at: str) -> Refresh | None:
    told = _TOLD.match(content)
    wait, to = (int(told.group(1)), told.group(2).strip()) if told else (0, "")
    try:
        url = urldefrag(urljoin(at, to)).url
    except ValueError:
        return None
    is_elsewhere = url.startswith(("http://", "https://")) and url != urldefrag(at).url
    return Refresh(wait, url) if is_elsewhere and wait <= LONGEST_WAIT else None
