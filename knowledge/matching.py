"""How well a question and a passage match, word by word. Pure arithmetic on vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.candidates import COSINE, LEXICAL, Candidate
from knowledge.embedding import EmbeddingProfile
from knowledge.embedding.pooling import INT8_SCALE, Bytes, Floats

WORDS, SENTENCE = 2.0, 1.5  # the other weights: see `knowledge.candidates`
SUM = COSINE + LEXICAL + WORDS + SENTENCE


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
    are the same mean within each sentence. `lexical` is BM25 relative to the best candidate's.
    """

    score: float
    cosine: float
    lexical: float
    words: float
    sentences: tuple[float, ...]


def match(question: Question, found: Sequence[Candidate]) -> list[Match]:
    """All passages in one go: a call of numpy costs more than the arithmetic of one passage."""
    if not found:
        return []
    weights = np.asarray(question.weights, dtype=np.float32)
    weights = weights / (weights.sum() or 1.0)
    highest = max(candidate.lexical for candidate in found) or 1.0
    parts = [_parts(candidate, width=question.profile.word_dimension) for candidate in found]
    counts = np.asarray([count for counted in parts for count in counted])
    best = _best_in_parts(question, found, counts)
    starts = np.cumsum([0, *(len(counted) for counted in parts[:-1])])
    in_parts = (weights @ best).tolist()
    anywhere = (weights @ np.maximum.reduceat(np.where(counts > 0, best, -1), starts, axis=1)).tolist()
    return [
        _match(
            question,
            candidate,
            lexical=candidate.lexical / highest,
            words=words if any(counted) else 0.0,
            sentences=in_parts[start + 1 : start + len(counted)],
        )
        for candidate, counted, start, words in zip(found, parts, starts.tolist(), anywhere, strict=True)
    ]


def _parts(candidate: Candidate, *, width: int) -> list[int]:
    """How many words each part of the passage has: the headings in front, then each sentence."""
    counts = candidate.word_counts
    words = len(candidate.words) // width if width else 0
    return [max(0, words - sum(counts)), *counts]


def _best_in_parts(question: Question, found: Sequence[Candidate], counts: NDArray[np.int_]) -> Floats:
    """The best cosine of each word of the question in each part, (words of the question, parts); 0 in an empty one."""
    best = np.zeros((len(question.weights), len(counts)), dtype=np.float32)
    filled = np.flatnonzero(counts)
    if best.size and filled.size:
        starts = np.concatenate(([0], np.cumsum(counts[:-1])))[filled]
        best[:, filled] = np.maximum.reduceat(_similarities(question, found), starts, axis=1)
    return best


def _similarities(question: Question, found: Sequence[Candidate]) -> Floats:
    """Cosines, (words of the question, words of all passages)."""
    words: NDArray[np.int8] = np.frombuffer(b"".join(candidate.words for candidate in found), dtype=np.int8)
    rows = words.reshape(-1, question.profile.word_dimension)
    scale = np.float32(INT8_SCALE * INT8_SCALE)
    table: Floats = question.words.astype(np.float32) @ rows.T.astype(np.float32) / scale
    return table


def _match(
    question: Question, candidate: Candidate, *, lexical: float, words: float, sentences: list[float]
) -> Match:
    score = (
        COSINE * question.profile.relatedness(candidate.cosine)
        + LEXICAL * lexical
        + WORDS * words
        + SENTENCE * max(sentences, default=words)
    )
    return Match(
        score=min(1.0, max(0.0, score / SUM)),
        cosine=candidate.cosine,
        lexical=lexical,
        words=words,
        sentences=tuple(min(1.0, max(0.0, score)) for score in sentences),
    )
