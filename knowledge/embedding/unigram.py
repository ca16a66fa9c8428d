"""SentencePiece's unigram tokenisation (Kudo 2018): of all ways to cut a word into pieces, the likeliest.

Our own, because the tokenizers library takes 250 MB a process for a vocabulary of 250,000 pieces and this takes
40. Texts are cut at spaces first and no piece spans two words, so that every word is cut once and remembered.
Each character is normalised by itself (NFKC), which keeps the offsets exact.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from knowledge.embedding.pooling import Span

SPACE = "\u2581"  # the mark that SentencePiece puts in front of a word
UNKNOWN_PENALTY = 10.0  # below the least likely piece, as SentencePiece counts
REMEMBERED_WORDS = 50_000
MAX_WORD = 400  # characters cut together; a longer run without spaces is cut in parts


@dataclass(frozen=True, slots=True)
class Encoded:
    """`offsets` are the characters of each token in the text, (0, 0) for special ones."""

    ids: list[int]
    offsets: list[Span]


class Unigram:
    """Safe to share between threads."""

    def __init__(self, pieces: Sequence[tuple[str, float]], *, bos: int, eos: int, unknown: int) -> None:
        self._pieces = {piece: (number, score) for number, (piece, score) in enumerate(pieces) if score}
        self._longest = max(map(len, self._pieces))
        self._unlikely = min(score for _, score in self._pieces.values()) - UNKNOWN_PENALTY
        self._bos, self._eos, self._unknown = bos, eos, unknown
        self._cut = lru_cache(REMEMBERED_WORDS)(self._likeliest)

    def encode_batch(self, texts: Sequence[str], *, add_special_tokens: bool = True) -> list[Encoded]:
        return [self._encode(text, special=add_special_tokens) for text in texts]

    def _encode(self, text: str, *, special: bool) -> Encoded:
        ids = [self._bos] if special else []
        offsets = [(0, 0)] if special else []
        for word, places in _words(text):
            for number, start, stop in self._cut(word):
                ids.append(number)
                offsets.append((places[start][0], places[stop - 1][1]))
        if special:
            ids.append(self._eos)
            offsets.append((0, 0))
        return Encoded(ids, offsets)

    def _likeliest(self, word: str) -> tuple[tuple[int, int, int], ...]:
        """The best cut as (piece, start, stop), by Viterbi's algorithm."""
        best = [0.0] + [-1e30] * len(word)
        last: list[tuple[int, int]] = [(0, 0)] * (len(word) + 1)
        for start, score in enumerate(best[:-1]):
            score = best[start]
            for stop in range(start + 1, min(len(word), start + self._longest) + 1):
                found = self._pieces.get(word[start:stop])
                number, own = found or (self._unknown, self._unlikely)
                if (found or stop == start + 1) and score + own > best[stop]:
                    best[stop], last[stop] = score + own, (number, start)
        cut = []
        stop = len(word)
        while stop:
            number, start = last[stop]
            cut.append((number, start, stop))
            stop = start
        return tuple(reversed(cut))


def _words(text: str) -> Iterator[tuple[str, list[Span]]]:
    """Each word, normalised and behind SPACE, with the characters of the text that each of its own came from."""
    word, places = SPACE, [(0, 0)]
    for at, character in enumerate(text):
        for normal in _normal(character):
            if normal == " " or len(word) == MAX_WORD:
                if len(word) > 1:
                    yield word, places
                word, places = (SPACE, [(at, at)]) if normal == " " else ("", [])
            if normal != " ":
                word += normal
                places.append((at, at + 1))
    if len(word) > 1:
        yield word, places


@lru_cache(8192)
def _normal(character: str) -> str:
    """NFKC of one character; all white space is a space, control characters and invisible marks are nothing."""
    if character.isspace() or character in "\u200b\u2581":
        return " "
    if unicodedata.category(character) in ("Cc", "Cf"):
        return ""
    return unicodedata.normalize("NFKC", character)
