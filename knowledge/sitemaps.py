"""Sitemaps: the pages they list, through indexes, never more than asked for."""

from __future__ import annotations

import time
from dataclasses import dataclass

from knowledge.fetching import FetchError, fetch
from knowledge.parsing.errors import ParseError
from knowledge.parsing.sandbox import list_apart
from knowledge.parsing.sitemap import Listed
from knowledge.scope import canonical

MAX_FILES = 200
ENOUGH = 120.0  # seconds; then no further file is asked for


class NoSitemap(FetchError):
    code = "sitemap_unreadable"
    status = 422
    permanent = True


@dataclass(frozen=True, slots=True)
class Listing:
    """`pages` are canonical addresses; `left_out` is a sentence on why there may be more, "" where these are all."""

    pages: list[str]
    left_out: str = ""


def pages_of(url: str, *, most: int) -> Listing:
    """What the sitemap lists, at most `most` pages. Raises FetchError, also where it lists none."""
    pages: dict[str, None] = {}
    waiting, seen, left_out = [url], {url}, ""
    end = time.monotonic() + ENOUGH
    for _ in range(MAX_FILES):
        if not waiting or len(pages) > most or time.monotonic() > end:
            break
        here = waiting.pop(0)
        try:
            listed = _listed(fetch(here).content)
        except FetchError as error:
            if here == url:
                raise
            left_out = f"{here} could not be read: {error.detail}"
            continue
        for address in filter(None, (canonical(address, base=here) for address in listed.addresses)):
            if not listed.is_index:
                pages[address] = None
            elif address not in seen:
                seen.add(address)
                waiting.append(address)
    if not pages:
        raise NoSitemap(left_out or "This sitemap lists no pages.")
    if len(pages) > most:
        left_out = f"It lists more than {most:,} pages."
    elif waiting:
        left_out = f"It has more files than could be read; {len(waiting):,} are left."
    return Listing(list(pages)[:most], left_out)


def _listed(content: bytes) -> Listed:
    try:
        return list_apart(content)
    except ParseError as error:
        raise NoSitemap(error.detail) from None
