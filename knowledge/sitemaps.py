"""Sitemaps: the pages they list, through indexes, never more than asked for."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from defusedxml import DefusedXmlException, ElementTree

from knowledge.fetching import FetchError, fetch
from knowledge.scope import canonical

MAX_FILES = 50
MAX_UNPACKED = 50 * 1024 * 1024  # as sitemaps.org allows


class NoSitemap(FetchError):
    code = "sitemap_unreadable"
    status = 422
    default_detail = "There is no sitemap at this address: it holds no list of pages."
    permanent = True


def pages_of(url: str, *, most: int) -> list[str]:
    """Canonical addresses that the sitemap lists, at most `most`. Raises FetchError."""
    pages: dict[str, None] = {}
    waiting, seen = [url], {url}
    while waiting and len(pages) < most and len(seen) <= MAX_FILES:
        here = waiting.pop(0)
        is_index, addresses = _read(fetch(here).content)
        for address in filter(None, (canonical(address, base=here) for address in addresses)):
            if not is_index:
                pages[address] = None
            elif address not in seen:
                seen.add(address)
                waiting.append(address)
    return list(pages)[:most]


def _read(content: bytes) -> tuple[bool, list[str]]:
    """Whether it is an index of sitemaps, and the addresses in it. Plain lists of addresses count, too."""
    content = _unpacked(content)
    if content.lstrip()[:1] != b"<":
        lines = content.decode("utf-8", errors="replace").split()
        if not lines or not all(line.startswith("http") for line in lines[:10]):
            raise NoSitemap
        return False, lines
    try:
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, DefusedXmlException, ValueError):
        raise NoSitemap from None
    kind = root.tag.rpartition("}")[2]
    if kind not in {"urlset", "sitemapindex"}:
        raise NoSitemap
    return kind == "sitemapindex", list(_locations(root))


def _locations(root: ElementTree.Element) -> Iterator[str]:
    for entry in root:
        for child in entry:
            if child.tag.rpartition("}")[2] == "loc" and child.text:
                yield child.text.strip()


def _unpacked(content: bytes) -> bytes:
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        unpacked = zlib.decompressobj(wbits=31).decompress(content, MAX_UNPACKED + 1)
    except zlib.error:
        raise NoSitemap from None
    if len(unpacked) > MAX_UNPACKED:
        raise NoSitemap("This sitemap unpacks to more than 50 MB; it was not read.")
    return unpacked
