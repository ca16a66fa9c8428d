"""make bench-retrieval: which paragraph answers? SQuAD v2 (CC BY-SA 4.0), through PostgreSQL and pgvector.

For each answerable question of shared/data: the rank of its own paragraph among all paragraphs, when ordered
by the vectors alone, by the BM25 scores alone, and as the product orders them. Last line: one JSON object.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from itertools import groupby
from uuid import UUID

import django

django.setup()

from agents.models import Agent  # noqa: E402  after setup
from benchmarks.data import shared  # noqa: E402
from benchmarks.knowledge_workspace import Library, workspace  # noqa: E402
from knowledge import retrieval  # noqa: E402

DEPTH = 10


def main() -> None:
    data = shared("squad_v2.json.gz")
    questions = [question for question in data["questions"] if question["a"]]
    if len(sys.argv) > 1:
        questions = questions[:: max(1, len(questions) // int(sys.argv[1]))]
    with workspace():
        library = Library(Agent.objects.create(name="Bench"))
        started = time.perf_counter()
        for title, paragraphs in groupby(data["paragraphs"], key=lambda paragraph: paragraph["title"]):
            library.add(title.replace("_", " "), [(p["id"], p["text"]) for p in paragraphs])
        print(f"{len(library.paragraph_of)} chunks indexed in {time.perf_counter() - started:.1f} s")
        report(library, questions)


def report(library: Library, questions: Sequence[dict[str, object]]) -> None:
    ranks: dict[str, list[int]] = {"vector": [], "full text": [], "hybrid": []}
    milliseconds: list[float] = []
    for question in questions:
        started = time.perf_counter()
        found = retrieval.search(str(question["q"]), agent_id=library.agent.pk, limit=100)
        milliseconds.append((time.perf_counter() - started) * 1000)
        for name, order in orders(found.passages).items():
            ranks[name].append(rank([library.paragraph_of[chunk] for chunk in order], question["p"]))
    print(f"{len(questions)} questions   {'recall@1':>9} {'recall@5':>9} {'recall@10':>9} {'MRR@10':>9}")
    figures: dict[str, float] = {}
    for name, found_ranks in ranks.items():
        row = [sum(r <= k for r in found_ranks) / len(found_ranks) for k in (1, 5, 10)]
        row.append(sum(1 / r for r in found_ranks if r <= DEPTH) / len(found_ranks))
        print(f"{name:16}" + "".join(f"{value:10.3f}" for value in row))
        key = name.replace(" ", "_")
        keys = (f"{key}_recall_1", f"{key}_recall_5", f"{key}_recall_10", f"{key}_mrr")
        figures |= {label: round(value, 4) for label, value in zip(keys, row, strict=True)}
    ordered = sorted(milliseconds)
    figures["search_p50_ms"] = round(ordered[len(ordered) // 2], 1)
    figures["search_p95_ms"] = round(ordered[len(ordered) * 95 // 100], 1)
    print(json.dumps(figures))


def orders(passages: Sequence[retrieval.Passage]) -> dict[str, list[UUID]]:
    """The candidates in each of the three orders. Each side proposed its own best, so none is cut short."""
    by_vector = sorted(passages, key=lambda passage: -passage.vector_score)
    by_words = sorted(passages, key=lambda passage: -passage.lexical_score)
    return {
        "vector": [passage.chunk_id for passage in by_vector],
        "full text": [passage.chunk_id for passage in by_words],
        "hybrid": [passage.chunk_id for passage in passages],
    }


def rank(paragraphs: Sequence[int], wanted: object) -> int:
    """Place of the wanted paragraph, each paragraph counted once; a large number where it is missing."""
    distinct = list(dict.fromkeys(paragraphs))
    return distinct.index(wanted) + 1 if wanted in distinct else 1_000_000


if __name__ == "__main__":
    main()
