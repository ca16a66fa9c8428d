"""One number from 0 to 1: how likely it is that the passages found answer the question."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from knowledge.matching import Match

# Fitted by `make bench-evidence` on one half of its questions: answerable ones against ones about something
# else. On the other half the AUC is 0.99, and at 0.5 it keeps 95 % of the answerable and lets 5 % of the others
# pass; questions on the topic that no passage answers it hardly tells (AUC 0.61).
INTERCEPT = -11.09
WEIGHTS = {"cosine": 10.35, "bm25": 4.21, "words": 4.34, "sentence": 3.59, "lead": 4.64}


def of(features: Mapping[str, float]) -> float:
    """The logistic of the features; 0 when nothing was found."""
    if not features:
        return 0.0
    return 1 / (1 + math.exp(-INTERCEPT - sum(WEIGHTS[name] * value for name, value in features.items())))


def features_of(ranked: Sequence[Match]) -> dict[str, float]:
    """The best of the first three passages in each respect, and the lead of the first over the rest."""
    if not ranked:
        return {}
    top, rest = ranked[:3], ranked[3:8]
    usual = sum(match.score for match in rest) / len(rest) if rest else 0.0
    return {
        "cosine": max(match.cosine for match in top),
        "bm25": max(match.bm25 for match in top),
        "words": max(match.words for match in top),
        "sentence": max(max(match.sentences, default=0.0) for match in top),
        "lead": ranked[0].score - usual,
    }
