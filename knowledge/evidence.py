"""One number from 0 to 1: how likely it is that the passages found answer the question."""

from __future__ import annotations

import math
from collections.abc import Sequence

from knowledge.matching import Match, Question

# Placeholders until fitted below.
INTERCEPT = -6.0
WEIGHTS = {"cosine": 4.0, "words": 6.0, "sentence": 4.0, "weakest": 2.0, "gap": 1.0}


def of(question: Question, ranked: Sequence[Match]) -> float:
    """The logistic of the best passages' features; 0 when nothing was found."""
    if not ranked or not question.weights:
        return 0.0
    features = features_of(ranked)
    return 1 / (1 + math.exp(-INTERCEPT - sum(WEIGHTS[name] * value for name, value in features.items())))


def features_of(ranked: Sequence[Match]) -> dict[str, float]:
    """What the score is made of: the best of the first three passages in each respect, and the lead of the
    first.
    """
    top = ranked[:3]
    rest = ranked[3:8]
    usual = sum(match.score for match in rest) / len(rest) if rest else 0.0
    return {
        "cosine": max(match.cosine for match in top),
        "words": max(match.words for match in top),
        "sentence": max(max(match.sentences, default=0.0) for match in top),
        "weakest": max(match.weakest for match in top),
        "gap": ranked[0].score - usual,
    }
