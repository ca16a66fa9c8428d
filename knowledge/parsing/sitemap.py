"""The addresses in a sitemap's file."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from defusedxml import DefusedXmlException, ElementTree

from knowledge.parsing.errors import ParseError

_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # how XML in UTF-16 begins
MAX_UNPACKED = 50 * 1024 * 1024  # as sitemaps.org allows


class NoAddresses(ParseError):
    code = "sitemap_unreadable"
    default_detail = "There is no sitemap at this address: it holds no list of pages."


@dataclass(frozen=True, slots=True)
class Listed:
    """`addresses` as they are written: of pages, or of sitemaps where it is an index."""

    is_index: bool
    addresses: list[str]


def read(content: bytes) -> Listed:
    """Plain lists of addresses count, too. Raises NoAddresses."""
    content = _unpacked(content).removeprefix(codecs.BOM_UTF8)
    if content.lstrip()[:1] != b"<" and not content.startswith(_WIDE):
        lines = content.decode("utf-8", errors="replace").split()
        if not lines or not all(line.startswith("http") for line in lines[:10]):
            raise NoAddresses
        return Listed(is_index=False, addresses=lines)
    try:
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, DefusedXmlException, ValueError):
        raise NoAddresses from None
    kind = root.tag.rpartition("}")[2]
    if kind not in {"urlset", "sitemapindex"}:
        raise NoAddresses
    return Listed(is_index=kind == "sitemapindex", addresses=list(_locations(root)))


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
        raise NoAddresses from None
    if len(unpacked) > MAX_UNPACKED:
        raise NoAddresses("This sitemap unpacks to more than 50 MB; it was not read.")
    return unpacked
