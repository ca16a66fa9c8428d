"""Addresses that open a page at quoted words (text fragments), or a PDF at its page. The widget has its twin."""

from __future__ import annotations

import re
from urllib.parse import quote

EDGE_WORDS = 5  # words of a long quotation that begin and end a text fragment
_PDF = re.compile(r"\.pdf(?:$|[?#])", re.IGNORECASE)
_MARKUP = re.compile(r"[*`>|]|\B#+|\b_+|_+\b", re.ASCII)  # not user_name, C#
_GAP = re.compile(r"…|\.\.\.|\n")


def quoted_url(url: str, snippet: str, *, page: str = "") -> str:
    """The address at the quoted words; as it is where it names its place already, empty where it is no web page's."""
    if not url.startswith(("http://", "https://")):
        return ""
    if "#page=" in url or ":~:" in url:
        return url
    if _PDF.search(url):
        return at_page(url, page) if page.isdecimal() else url
    fragment = _fragment(snippet)
    return f"{url}{'' if '#' in url else '#'}:~:text={fragment}" if fragment else url


def at_page(url: str, page: str) -> str:
    """The address of a PDF at a page, which counts from 1; as it is where it is no PDF's or names its place already."""
    return f"{url}#page={page}" if _PDF.search(url) and "#" not in url else url


def _fragment(snippet: str) -> str:
    longest = max(_GAP.split(_MARKUP.sub(" ", snippet)), key=len)
    words = longest.split()
    if len(words) <= EDGE_WORDS * 2:
        return _escaped(words)
    return f"{_escaped(words[:EDGE_WORDS])},{_escaped(words[-EDGE_WORDS:])}"


def _escaped(words: list[str]) -> str:
    return quote(" ".join(words), safe="!'()*~._").replace("-", "%2D")
