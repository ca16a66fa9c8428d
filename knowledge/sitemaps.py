"""Sitemaps: the pages they list, through indexes, never more than asked for."""

from __future__ import annotations

from knowledge.fetching import FetchError, fetch
from knowledge.parsing.errors import ParseError
from knowledge.parsing.sandbox import list_apart
from knowledge.parsing.sitemap import Listed
from knowledge.scope import canonical

MAX_FILES = 50


class NoSitemap(FetchError):
    code = "sitemap_unreadable"
    status = 422
    permanent = True


def pages_of(url: str, *, most: int) -> list[str]:
    """Canonical addresses that the sitemap lists, at most `most`. Raises FetchError."""
    pages: dict[str, None] = {}
    waiting, seen = [url], {url}
    while waiting and len(pages) < most and len(seen) <= MAX_FILES:
        here = waiting.pop(0)
        listed = _listed(fetch(here).content)
        for address in filter(None, (canonical(address, base=here) for address in listed.addresses)):
            if not listed.is_index:
                pages[address] = None
            elif address not in seen:
                seen.add(address)
                waiting.append(address)
    return list(pages)[:most]


def _listed(content: bytes) -> Listed:
    try:
        return list_apart(content)
    except ParseError as error:
        raise NoSitemap(error.detail) from None
