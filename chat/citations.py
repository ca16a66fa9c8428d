"""Citation marks: renumbered in the order they appear while the text streams, and what they stand for.

A model cites passages by their place in its prompt; a visitor reads [1], [2], … in reading order. A mark that
names no passage is dropped. The pieces that were streamed are exactly the text that is stored.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from agents.providers import Passage, Sentence
from chat.protocol import Citation
from knowledge import support
from knowledge.sentences import sentence_spans
from netvexa.lib.quotes import at_page

_MARK = re.compile(r"(?<!\\)\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")
_UNFINISHED = re.compile(r"\\?\[[\d,\s]{0,20}$|\\$")
_MARKS = re.compile(r"(?:[\s,;]*(?<!\\)\[\d{1,3}\])+[.,;:!?]*")
SNIPPET_CHARS = 240
SAID = 0.3  # share of words from which a sentence of a passage counts as what an answer says


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

    @property
    def chunks(self) -> dict[int, str]:
        """The chunk behind each mark that was used."""
        return {place: self._passages[n].chunk_id for place, n in enumerate(self._order, start=1)}

    def citations(self, text: str) -> list[Citation]:
        """What the marks of this answer stand for, in the order of their numbers."""
        claims = claims_of(text)
        return [
            citation_of(place, self._passages[n], claims=claims[place])
            for place, n in enumerate(self._order, start=1)
        ]

    def quoted(self, text: str) -> dict[str, list[Sentence]]:
        """The sentences of each cited chunk that say what this answer says."""
        claims = claims_of(text)
        return {
            self._passages[n].chunk_id: said_by(self._passages[n], claims[place])
            for place, n in enumerate(self._order, start=1)
        }


def claims_of(text: str) -> defaultdict[int, list[str]]:
    """The sentences that each mark stands behind: those of its paragraph since the mark before."""
    claims = defaultdict[int, list[str]](list)
    start = 0
    for marks in _MARKS.finditer(text):
        since = text[start : marks.start()].rpartition("\n\n")[2]
        start = marks.end()
        for n in re.findall(r"\d+", marks[0]):
            claims[int(n)] += [since[first:last] for first, last in sentence_spans(since)]
    return claims


def citation_of(n: int, passage: Passage, *, claims: Sequence[str] = ()) -> Citation:
    """What stands behind a mark: the passage's document, and the place and words that the claims rest on."""
    quoted = _quoted(passage, claims)
    citation: Citation = {"n": n, "title": passage.title, "snippet": _snippet(passage, quoted)}
    page = quoted.page if quoted and quoted.page else passage.page_number
    if passage.url:
        citation["url"] = at_page(passage.url, str(page)) if page else passage.url
    if passage.page:
        citation["page"] = _printed(passage, page)
    if passage.heading_path:
        citation["heading"] = " › ".join(passage.heading_path)
    citation["chunk"] = passage.chunk_id
    return citation


def _quoted(passage: Passage, claims: Sequence[str]) -> Sentence | None:
    """The sentence that says what the claims say; where none does, the one that fits the question best."""
    said = support.shared(claims, [sentence.text for sentence in passage.sentences])
    # Rounded: of those that are about as near, the question decides.
    near = [round(share, 1) if share >= SAID else 0.0 for share in said]
    pairs = zip(near, passage.sentences, strict=True)
    best = max(pairs, key=lambda pair: (pair[0], pair[1].score), default=None)
    return best[1] if best else None


def said_by(passage: Passage, claims: Sequence[str]) -> list[Sentence]:
    """For each claim the sentence of the passage that says it, if one does; each once, in the order of the claims."""
    texts = [sentence.text for sentence in passage.sentences]
    said = list[Sentence]()
    for claim in claims:
        shares = support.shared([claim], texts)
        best = max(range(len(texts)), key=shares.__getitem__, default=None)
        if best is not None and shares[best] >= SAID and passage.sentences[best] not in said:
            said.append(passage.sentences[best])
    return said


def _printed(passage: Passage, page: int | None) -> str:
    """The page as it is printed: numbers go on within a passage; of roman numerals and the like, where it begins."""
    first = passage.page or ""
    if page is None or passage.page_number is None or not first.isdecimal():
        return first
    return str(int(first) + page - passage.page_number)


def _snippet(passage: Passage, quoted: Sentence | None) -> str:
    """The quoted sentence with what follows, as a reader would look for it."""
    text = " ".join(passage.text[quoted.start if quoted else 0 :].split())
    return text if len(text) <= SNIPPET_CHARS else text[: SNIPPET_CHARS - 1].rsplit(" ", 1)[0] + "…"
