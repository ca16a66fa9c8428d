"""How well a question and a passage match, word by word. Pure arithmetic on vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.candidates import Candidate
from knowledge.embedding import EmbeddingProfile
from knowledge.embedding.pooling import INT8_SCALE, Bytes, Floats

# Weights of the sum, in round numbers that no data set was tuned on; halving or doubling any one of them
# costs
# less than 0.01 of recall@1.
COSINE, LEXICAL, WORDS, SENTENCE = 1.0, 0.5, 2.0, 2.0
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
    best = max((candidate.lexical for candidate in found), default=0.0) or 1.0
    weights = np.asarray(question.weights, dtype=np.float32)
    weights = weights / (weights.sum() or 1.0)
    return [_match(question, candidate, weights, best) for candidate in found]


def _match(question: Question, candidate: Candidate, weights: Floats, best: float) -> Match:
    table = _similarities(question, candidate)
    per_word = table.max(axis=1) if table.size else np.zeros(len(weights), dtype=np.float32)
    words = float(weights @ per_word)
    sentences = _sentence_scores(table, weights, candidate.word_counts)
    lexical = candidate.lexical / best
    top = max(sentences, default=words)
    score = (
        COSINE * question.profile.relatedness(candidate.cosine)
        + LEXICAL * lexical
        + WORDS * words
        + SENTENCE * top
    )
    return Match(
        score=min(1.0, max(0.0, score / SUM)),
        cosine=candidate.cosine,
        lexical=lexical,
        words=words,
        sentences=tuple(min(1.0, max(0.0, score)) for score in sentences),
    )


def _similarities(question: Question, candidate: Candidate) -> Floats:
    """Cosines, (words of the question, words of the passage)."""
    width = question.profile.word_dimension
    rows: NDArray[np.int8] = np.frombuffer(candidate.words, dtype=np.int8).reshape(-1, width)
    scale = np.float32(INT8_SCALE * INT8_SCALE)
    table: Floats = question.words.astype(np.float32) @ rows.T.astype(np.float32) / scale
    return table


def _sentence_scores(table: Floats, weights: Floats, counts: Sequence[int]) -> list[float]:
    """The weighted best match within each sentence; the rows in front of the first belong to the headings."""
    at = table.shape[1] - sum(counts)
    scores: list[float] = []
    for count in counts:
        part = table[:, at : at + count]
        scores.append(float(weights @ part.max(axis=1)) if count and len(weights) else 0.0)
        at += count
    return scores
