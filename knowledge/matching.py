"""How well a question and a passage match, word by word. Pure arithmetic on vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.candidates import COSINE, LEXICAL, Candidate
from knowledge.embedding import EmbeddingProfile
from knowledge.embedding.pooling import INT8_SCALE, Bytes, Floats

WORDS, SENTENCE, PAIRS = 2.5, 1.0, 1.0  # the other weights: see `knowledge.candidates`
UNLIKE, ALIKE = 0.6, 0.9  # cosines between which two words come to be the same


@dataclass(frozen=True, slots=True)
class Question:
    """One row of `words`, one set of `forms` (stems in each language) and one weight (idf) a content word."""

    text: str
    profile: EmbeddingProfile
    vector: Floats
    words: Bytes
    forms: tuple[frozenset[str], ...]
    frequencies: Mapping[str, int]
    weights: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """`words` is the weighted mean, over the question's words, of the best match in the passage; `sentences`
    are the same mean within each sentence, `headings` within the headings above it. `lexical` is BM25 relative to the
    best candidate's.
    """

    score: float
    cosine: float
    lexical: float
    words: float
    sentences: tuple[float, ...]
    headings: float = 0.0


def match(question: Question, found: Sequence[Candidate]) -> list[Match]:
    """All passages in one go: a call of numpy costs more than the arithmetic of one passage."""
    if not found:
        return []
    weights = np.asarray(question.weights, dtype=np.float32)
    weights = weights / (weights.sum() or 1.0)
    highest = max(candidate.lexical for candidate in found) or 1.0
    parts = [_parts(candidate, width=question.profile.word_dimension) for candidate in found]
    counts = np.asarray([count for counted in parts for count in counted])
    lengths = np.asarray([sum(counted) for counted in parts])
    table = _similarities(question, found)
    best = _best_in_parts(question, table, counts)
    starts = np.cumsum([0, *(len(counted) for counted in parts[:-1])])
    in_parts = (weights @ best).tolist()
    anywhere = (weights @ np.maximum.reduceat(np.where(counts > 0, best, -1), starts, axis=1)).tolist()
    return [
        _match(
            question,
            candidate,
            lexical=candidate.lexical / highest,
            words=words if any(counted) else 0.0,
            headings=in_parts[start],
            sentences=in_parts[start + 1 : start + len(counted)],
            pairs=pairs,
        )
        for candidate, counted, start, words, pairs in zip(
            found, parts, starts.tolist(), anywhere, _pairs(weights, table, lengths), strict=True
        )
    ]


def _parts(candidate: Candidate, *, width: int) -> list[int]:
    """How many words each part of the passage has: the headings in front, then each sentence."""
    counts = candidate.word_counts
    words = len(candidate.words) // width if width else 0
    return [max(0, words - sum(counts)), *counts]


def _pairs(weights: Floats, table: Floats, lengths: NDArray[np.int_]) -> list[float]:
    """For each passage, of so many words, the share of the question's neighbouring words that are neighbours there
    (as in Metzler and Croft 2005, with vectors for words): of "travel insurance" more is meant than of its words apart.
    """
    found = np.zeros(len(lengths), dtype=np.float32)
    filled = np.flatnonzero(lengths)
    if len(weights) > 1 and filled.size:
        alike = np.zeros((len(weights) - 1, table.shape[1]), dtype=np.float32)
        together = np.minimum(table[:-1, :-1], table[1:, 1:])
        alike[:, :-1] = np.clip((together - UNLIKE) / (ALIKE - UNLIKE), 0, 1)
        ends = np.cumsum(lengths)
        alike[:, ends[filled] - 1] = 0  # the last word of one passage and the first of the next
        shares = weights[:-1] + weights[1:]
        best = np.maximum.reduceat(alike, (ends - lengths)[filled], axis=1)
        found[filled] = shares @ best / (shares.sum() or 1.0)
    return found.tolist()


def _best_in_parts(question: Question, table: Floats, counts: NDArray[np.int_]) -> Floats:
    """The best cosine of each word of the question in each part, (words of the question, parts); 0 in an empty one."""
    best = np.zeros((len(question.weights), len(counts)), dtype=np.float32)
    filled = np.flatnonzero(counts)
    if best.size and filled.size:
        starts = np.concatenate(([0], np.cumsum(counts[:-1])))[filled]
        best[:, filled] = np.maximum.reduceat(table, starts, axis=1)
    return best


def _similarities(question: Question, found: Sequence[Candidate]) -> Floats:
    """Cosines, (words of the question, words of all passages)."""
    words: NDArray[np.int8] = np.frombuffer(b"".join(candidate.words for candidate in found), dtype=np.int8)
    rows = words.reshape(-1, question.profile.word_dimension)
    scale = np.float32(INT8_SCALE * INT8_SCALE)
    table: Floats = question.words.astype(np.float32) @ rows.T.astype(np.float32) / scale
    return table


def _match(
    question: Question,
    candidate: Candidate,
    *,
    lexical: float,
    words: float,
    headings: float,
    sentences: list[float],
    pairs: float,
) -> Match:
    neighbours = len(question.weights) - 1
    weight = PAIRS * (1 - 1 / neighbours) if neighbours > 1 else 0.0  # one pair alone says nothing yet
    score = (
        COSINE * question.profile.relatedness(candidate.cosine)
        + LEXICAL * lexical
        + WORDS * words
        + SENTENCE * max(sentences, default=words)
        + weight * pairs
    )
    return Match(
        score=min(1.0, max(0.0, score / (COSINE + LEXICAL + WORDS + SENTENCE + weight))),
        cosine=candidate.cosine,
        lexical=lexical,
        words=words,
        headings=min(1.0, max(0.0, headings)),
        sentences=tuple(min(1.0, max(0.0, score)) for score in sentences),
    )
