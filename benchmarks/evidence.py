"""make bench-evidence: fit the evidence score on one half of the questions, and judge it on the other.

An argument is the languages of the knowledge, and so the model: english (default) or multilingual.

Questions come from shared/data: SQuAD v2's answerable ones; its unanswerable ones, which were written to look
answerable; the same answerable ones put to an agent that has only the other articles; and CLINC150's
out-of-scope ones. The constants in `knowledge.evidence` are what this prints. Last line: one JSON object.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import django
import numpy as np
from numpy.typing import NDArray

django.setup()

from agents.models import Agent  # noqa: E402  after setup
from benchmarks.data import shared  # noqa: E402
from benchmarks.knowledge_workspace import Library, workspace  # noqa: E402
from knowledge import evidence, retrieval  # noqa: E402

Numbers = NDArray[np.float64]
EACH = 900  # questions of a kind
FITTED = {"off_topic": 1.0, "chit_chat": 1.0, "unanswerable": 1.0}  # weights against the answerable ones
KEPT = 0.94  # of the answerable ones, at a threshold of one half
PENALTY = 1.0  # of the ridge: keeps weights small where features say the same


def main() -> None:
    languages = sys.argv[1] if len(sys.argv) > 1 else "english"
    data = shared("squad_v2.json.gz")
    outside = [text for text, _ in shared("clinc150_out_of_scope.json.gz")["oos"]]
    with workspace():
        libraries = [
            Library(Agent.objects.create(name=name, knowledge_languages=languages))
            for name in ("even", "odd")
        ]
        library_of: dict[int, int] = {}
        articles = groupby(data["paragraphs"], key=lambda paragraph: paragraph["title"])
        for number, (title, group) in enumerate(articles):
            paragraphs = [(paragraph["id"], paragraph["text"]) for paragraph in group]
            libraries[number % 2].add(title.replace("_", " "), paragraphs)
            library_of |= {paragraph: number % 2 for paragraph, _ in paragraphs}
        answerable = _sample([q for q in data["questions"] if q["a"]])
        unanswerable = _sample([q for q in data["questions"] if q["imp"]])
        kinds = {
            "answerable": [(q["q"], libraries[library_of[q["p"]]]) for q in answerable],
            "unanswerable": [(q["q"], libraries[library_of[q["p"]]]) for q in unanswerable],
            "off_topic": [(q["q"], libraries[1 - library_of[q["p"]]]) for q in answerable],
            "chit_chat": [(text, libraries[0]) for text in outside],
        }
        features = {kind: _features(asked) for kind, asked in kinds.items()}
    report(features)


def _sample(questions: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    return questions[:: max(1, len(questions) // EACH)]


def _features(asked: Sequence[tuple[object, Library]]) -> Numbers:
    rows = []
    for question, library in asked:
        found = retrieval.search(str(question), agent_id=library.agent.pk)
        rows.append(list(found.features.values()) or [0.0] * len(evidence.FEATURES))
    return np.array(rows, dtype=np.float64)


def report(features: dict[str, Numbers]) -> None:
    """Even rows fit, odd rows judge; the intercept is then moved so that one half keeps KEPT of the answerable."""
    fit = {kind: rows[::2] for kind, rows in features.items()}
    held = {kind: rows[1::2] for kind, rows in features.items()}
    right = fit["answerable"]
    rows = np.concatenate([right, *(fit[kind] for kind in FITTED)])
    labels = np.concatenate([np.ones(len(right)), np.zeros(len(rows) - len(right))])
    weights = np.concatenate(
        [np.full(len(right), sum(FITTED.values()))]
        + [np.full(len(fit[kind]), weight * len(right) / len(fit[kind])) for kind, weight in FITTED.items()]
    )
    beta = logistic(rows, labels, weights)
    beta[0] = -np.quantile(right @ beta[1:], 1 - KEPT)
    print("intercept", round(float(beta[0]), 2))
    print({name: round(float(b), 2) for name, b in zip(evidence.FEATURES, beta[1:], strict=True)})
    scores = {kind: 1 / (1 + np.exp(-(beta[0] + part @ beta[1:]))) for kind, part in held.items()}
    figures = {
        f"{kind}_auc": round(auc(scores["answerable"], part), 4)
        for kind, part in scores.items()
        if kind != "answerable"
    }
    print(f"{'threshold':>10}" + "".join(f"{kind:>14}" for kind in scores))
    for threshold in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8):
        print(f"{threshold:10}" + "".join(f"{(part >= threshold).mean():14.3f}" for part in scores.values()))
    print(json.dumps(figures))


def logistic(rows: Numbers, labels: Numbers, weights: Numbers) -> Numbers:
    """Weighted ridge logistic regression by Newton's method; the intercept comes first."""
    design = np.hstack([np.ones((len(rows), 1)), rows])
    beta = np.zeros(design.shape[1])
    ridge = PENALTY * np.eye(design.shape[1])
    ridge[0, 0] = 0
    for _ in range(50):
        chance = 1 / (1 + np.exp(-design @ beta))
        slope = design.T @ (weights * (labels - chance)) - ridge @ beta
        curve = (design * (weights * chance * (1 - chance))[:, None]).T @ design + ridge
        beta += np.linalg.solve(curve, slope)
    return beta


def auc(higher: Numbers, lower: Numbers) -> float:
    """The chance that a score of the first kind is above one of the second."""
    ordered = np.sort(lower)
    below = (np.searchsorted(ordered, higher, "left") + np.searchsorted(ordered, higher, "right")) / 2
    return float(below.mean() / len(lower))


if __name__ == "__main__":
    main()
