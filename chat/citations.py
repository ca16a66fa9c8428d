"""Citation marks: renumbered in the order they appear while the text streams, and what they stand for.

A model cites passages by their place in its prompt; a visitor reads [1], [2], … in reading order. A mark that
names no passage is dropped. The pieces that were streamed are exactly the text that is stored.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from agents.providers import Passage
from chat.protocol import Citation

_MARK = re.compile(r"(?<!\\)\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")
_UNFINISHED = re.compile(r"\\?\[[\d,\s]{0,20}$|\\$")
SNIPPET_CHARS = 240


def says_something(text: str) -> bool:
    """Whether there is a word beside marks, also one that is not complete yet."""
    return bool(re.search(r"\w", re.sub(r"\[[\d,\s]*(?:\]|$)", "", text)))


class Marks:
    """Rewrites a stream of text, piece by piece."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = {passage.n: passage for passage in passages}
        self._order: list[int] = []
        self._held = ""

    def feed(self, text: str) -> str:
        """The text that can be shown now; a mark that is not complete yet is held back."""
        text = self._held + text
        unfinished = _UNFINISHED.search(text)
        cut = unfinished.start() if unfinished else len(text)
        self._held = text[cut:]
        return self._rewritten(text[:cut])

    def rest(self) -> str:
        """What was held back, at the end of the text."""
        held, self._held = self._held, ""
        return self._rewritten(held)

    def _rewritten(self, text: str) -> str:
        return _MARK.sub(self._renumbered, text)

    def _renumbered(self, mark: re.Match[str]) -> str:
        return "".join(self._number(int(n)) for n in mark[1].split(","))

    def _number(self, n: int) -> str:
        if n not in self._passages:
            return ""
        if n not in self._order:
            self._order.append(n)
        return f"[{self._order.index(n) + 1}]"

    def citations(self) -> list[Citation]:
        """What the marks that were used stand for, in the order of their numbers."""
        return [citation_of(place, self._passages[n]) for place, n in enumerate(self._order, start=1)]


def citation_of(n: int, passage: Passage) -> Citation:
    """What stands behind a mark: the passage's document, place and best words."""
    citation: Citation = {"n": n, "title": passage.title, "snippet": _snippet(passage)}
    if passage.url:
        citation["url"] = passage.url
    if passage.page:
        citation["page"] = passage.page
    if passage.heading_path:
        citation["heading"] = " › ".join(passage.heading_path)
    citation["chunk"] = passage.chunk_id
    return citation


def _snippet(passage: Passage) -> str:
    """The passage's best sentence with what follows, as a reader would look for it."""
    best = max(passage.sentences, key=lambda sentence: sentence.score, default=None)
    text = " ".join(passage.text[best.start if best else 0 :].split())
    return text if len(text) <= SNIPPET_CHARS else text[: SNIPPET_CHARS - 1].rsplit(" ", 1)[0] + "…"
