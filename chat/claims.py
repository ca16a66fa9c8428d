"""Each sentence that a model writes is held against the passages that it cites, before or while it is shown.

`knowledge.support` judges: numbers and their units, names and negation have to match, and the words, or else the
meaning, have to be there. A sentence without a mark is checked only if it states a number or a name, against all
passages. What the built-in model writes is quoted, and needs no check.

Where the agent drops what is not supported, text is released sentence by sentence, so that a visitor never sees a
claim that vanishes. Where it flags, the text streams as it comes, and a last line says that a part of it could not
be confirmed. Both ways, the pieces that were shown are the text that is stored.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from agents.models import UnsupportedClaims
from chat.citations import Marks
from chat.links import Links
from knowledge import support
from knowledge.retrieval import Passage
from knowledge.sentences import ends_sentence

KEPT = 10  # sentences that a receipt keeps
_MARK = re.compile(r"\[(\d{1,3})\]")
# A sentence ends with its mark, its closing quotes and the marks behind it, at white space; or with its line. Scripts
# without spaces need none, only to know what comes next.
_END = re.compile(
    r"""[.!?…؟۔।]["'”’»)\]*_]*(?:\s*\[\d{1,3}\])*\s+(?=[^\s\[])"""
    r"""|[。！？｡]["'”’»)\]*_」』）]*(?:\s*\[\d{1,3}\])*\s*(?=[^\s\["'”’»)\]*_」』）])|\n+"""
)


@dataclass
class Claims:
    """Checks a stream of sentences. `unsupported` are those that nothing cited supports."""

    marks: Marks
    passages: Sequence[Passage]
    known: str
    profile: str
    policy: str
    unsupported: list[str] = field(default_factory=list)
    _held: str = ""

    async def feed(self, text: str) -> str:
        """What can be shown now of the text so far."""
        self._held += text
        ends = _ends_in(self._held)
        if not ends:
            return "" if self._drops else text
        whole, self._held = self._held[: ends[-1]], self._held[ends[-1] :]
        kept = await self._checked(whole)
        return kept if self._drops else text

    async def rest(self) -> str:
        """What was held back, at the end of the text."""
        held, self._held = self._held, ""
        kept = await self._checked(held)
        return kept if self._drops else ""

    @property
    def _drops(self) -> bool:
        return self.policy == UnsupportedClaims.DROP

    async def _checked(self, text: str) -> str:
        kept = ""
        for sentence in sentences_of(text):
            if await self._is_supported(sentence):
                kept += sentence
            else:
                self.unsupported.append(_MARK.sub("", sentence).strip())
        return kept

    async def _is_supported(self, sentence: str) -> bool:
        claim = _MARK.sub("", sentence).strip(" \n\t*_#>-")
        cited = self._cited(sentence)
        if not cited and not support.has_facts(claim):
            return True
        texts = [_whole(passage) for passage in cited or self.passages]
        lack = await asyncio.to_thread(support.lack_of, claim, texts, known=self.known)
        if lack == support.Lack.WORDS and not cited:
            return True  # nothing it states is wrong, and it claims no source
        if lack == support.Lack.WORDS:
            return await asyncio.to_thread(support.is_near, claim, texts, profile=self.profile)
        return lack is None

    def _cited(self, sentence: str) -> list[Passage]:
        behind = self.marks.chunks
        chunks = {behind.get(int(n)) for n in _MARK.findall(sentence)}
        return [passage for passage in self.passages if str(passage.chunk_id) in chunks]


@dataclass
class Showing:
    """What a model writes passes this on its way to the visitor: known links, renumbered marks, checked sentences."""

    links: Links
    marks: Marks
    claims: Claims | None

    async def feed(self, text: str) -> str:
        """What can be shown now."""
        shown = self.marks.feed(self.links.feed(text))
        return await self.claims.feed(shown) if self.claims else shown

    async def rest(self, text: str) -> str:
        """The last piece, and what was held back."""
        shown = self.marks.feed(self.links.feed(text) + self.links.rest()) + self.marks.rest()
        return await self.claims.feed(shown) + await self.claims.rest() if self.claims else shown

    @property
    def unsupported(self) -> list[str]:
        return self.claims.unsupported if self.claims else []


def sentences_of(text: str) -> list[str]:
    """The text cut behind each sentence; joined again it is the text."""
    cuts = [0, *_ends_in(text), len(text)]
    return [text[start:end] for start, end in pairwise(cuts) if start < end]


def _ends_in(text: str) -> list[int]:
    found = _END.finditer(text)
    return [end.end() for end in found if end.group().startswith("\n") or ends_sentence(text, end)]


def _whole(passage: Passage) -> str:
    return "\n".join((passage.title, *passage.heading_path, passage.text))
