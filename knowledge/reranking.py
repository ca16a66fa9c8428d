"""The best passages in the order of a cross-encoder, where the operator has one (`RERANK_MODEL`).

A cross-encoder reads the question and a passage together, and costs a pass of a network for each pair: so it reads
the best few only. Nothing else depends on it. Evidence is taken before, so its threshold means the same with and
without, and a model that fails leaves the passages in the order that they had.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings

from knowledge.candidates import Candidate
from knowledge.matching import Match

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

logger = logging.getLogger(__name__)
READ = 12  # passages; what is below them is shown to nobody
_one_at_a_time = threading.Lock()  # a pass takes all cores, and the tokeniser has one state for all threads

Ranked = tuple[Candidate, Match]


def reranked(query: str, ranked: Sequence[Ranked]) -> tuple[list[Ranked], list[float | None]]:
    """All passages, the first `READ` of them by the cross-encoder's scores; and these, 0 to 1, in the same order.

    None stands for a passage that it has not read: all of them without a model, or when it fails. A passage has the
    score of the place that it comes to: scores fall as before, and what is made of them follows the new order.
    """
    scores = _scores(query, [found for found, _ in ranked[:READ]])
    read = sorted(zip(ranked, scores, strict=False), key=lambda pair: -pair[1])
    unread = ranked[len(read) :]
    placed = [
        (found, replace(match, score=place.score))
        for ((found, match), _), (_, place) in zip(read, ranked, strict=False)
    ]
    return [*placed, *unread], [*(score for _, score in read), *(None for _ in unread)]


def warm_up() -> None:
    """Load the model before the first question; it takes seconds."""
    _model()


def _scores(query: str, found: Sequence[Candidate]) -> list[float]:
    model = _model()
    if model is None or not found:
        return []
    import torch

    pairs = [(query, "\n".join([" › ".join(one.heading_path), one.text])) for one in found]
    try:
        with _one_at_a_time:
            scores = model.predict(pairs, activation_fn=torch.nn.Sigmoid(), show_progress_bar=False)
    except Exception:  # whatever an operator's model raises: the passages are there without it
        logger.exception("The reranking model failed; passages keep the order that they had")
        return []
    return [float(score) for score in scores]


@cache
def _model() -> CrossEncoder | None:
    """The operator's model; None without one. What cannot be loaded is said once, in each process."""
    folder = settings.RERANK_MODEL
    if not folder:
        return None
    try:
        from sentence_transformers import CrossEncoder

        model: CrossEncoder = CrossEncoder(folder, num_labels=1, device="cpu", local_files_only=True)
    except Exception:
        logger.exception("The reranking model in %s cannot be loaded; passages are not reranked", folder)
        return None
    return model
