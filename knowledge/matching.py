"""How well a question and a passage match, word by word. Pure arithmetic on vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from knowledge.candidates import COSINE, LEXICAL, Candidate
from knowledge.embedding import EmbeddingProfile
from knowledge.embedding.pooling import INT8_SCALE, Bytes, Floats

WORDS, SENTENCE = 2.0, 2.0  # the other weights: see `knowledge.candidates`
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
    weights = np.asarray(question.weights, dtype=np.float32)
    weights = weights / (weights.sum() or 1.0)
    highest = max((candidate.lexical for candidate in found), default=0.0) or 1.0
    found = [replace(candidate, lexical=candidate.lexical / highest) for candidate in found]
    parts = [_parts(candidate, width=question.profile.word_dimension) for candidate in found]
    best = _best_in_parts(question, found, [count for counts in parts for count in counts])
    matches, at = [], 0
    for candidate, counts in zip(found, parts, strict=True):
        columns = best[:, at : at + len(counts)]
        matches.append(
            _match(question, candidate, columns[:, np.asarray(counts) > 0], columns[:, 1:], weights)
        )
        at += len(counts)
    return matches


def _parts(candidate: Candidate, *, width: int) -> list[int]:
    """How many words each part of the passage has: the headings in front, then each sentence."""
    counts = candidate.word_counts
    words = len(candidate.words) // width if width else 0
    return [max(0, words - sum(counts)), *counts]


def _best_in_parts(question: Question, found: Sequence[Candidate], counts: Sequence[int]) -> Floats:
    """The best cosine of each word of the question in each part, (words of the question, parts); 0 in an empty one."""
    best = np.zeros((len(question.weights), len(counts)), dtype=np.float32)
    filled = np.flatnonzero(counts)
    if best.size and filled.size:
        starts = np.cumsum([0, *counts[:-1]])[filled]
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
    question: Question, candidate: Candidate, parts: Floats, sentences_of: Floats, weights: Floats
) -> Match:
    """`parts` and `sentences_of` hold the best cosine of each word in the passage's parts and in its sentences."""
    words = float(weights @ parts.max(axis=1)) if parts.size else 0.0
    sentences: list[float] = (weights @ sentences_of).tolist()
    top = max(sentences, default=words)
    score = (
        COSINE * question.profile.relatedness(candidate.cosine)
        + LEXICAL * candidate.lexical
        + WORDS * words
        + SENTENCE * top
    )
    return Match(
        score=min(1.0, max(0.0, score / SUM)),
        cosine=candidate.cosine,
        lexical=candidate.lexical,
        words=words,
        sentences=tuple(min(1.0, max(0.0, score)) for score in sentences),
    )
