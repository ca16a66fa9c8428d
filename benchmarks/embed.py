"""make bench-embed: what it costs to turn a question into vectors, alone and among 32 others.

The same questions go through the model one by one (each caller its own pass) and through `Batcher`, by 1 and by 32
callers at once, in turns, so that what else the machine does falls on both alike. An argument is how many
questions a round asks (320). Last line: one JSON object.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import django

django.setup()

from django.conf import settings  # noqa: E402  after setup

from benchmarks.data import shared  # noqa: E402
from knowledge.embedding import PROFILES, EmbeddingInput, Encoder, encoder_for  # noqa: E402
from knowledge.embedding.batching import Batcher  # noqa: E402

ROUNDS = 5
CALLERS = 32
WIDTHS = (14, 8, 15, 8, 8)

Ask = Callable[[EmbeddingInput], object]


def main() -> None:
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 320
    questions = [question["q"] for question in shared("squad_v2.json.gz")["questions"][:: 7596 // wanted]][
        :wanted
    ]
    figures: dict[str, float] = {}
    heads = ("alone ms p50", "p95", "32 callers /s", "p50 ms", "p95")
    print(" " * 28 + "".join(f"{head:>{width}}" for head, width in zip(heads, WIDTHS, strict=True)))
    for profile in PROFILES.values():
        encoder = encoder_for(profile.id)
        inputs = [EmbeddingInput(profile.query_prefix + question) for question in questions]
        ways = {
            "one by one": _single(encoder),
            "batched": Batcher(encoder, cores=settings.EMBEDDING_THREADS).embed,
        }
        rows = _measured(ways, inputs)
        for name, row in rows.items():
            print(
                f"{profile.id[:16]:17}{name:11}"
                + "".join(f"{value:{w}.1f}" for value, w in zip(row, WIDTHS, strict=True))
            )
        label = profile.id.split("-")[0]
        figures[f"{label}_single_ms"] = round(rows["batched"][0], 2)
        figures[f"{label}_single_cost"] = round(rows["batched"][0] / rows["one by one"][0], 3)
        figures[f"{label}_gain_32"] = round(rows["batched"][2] / rows["one by one"][2], 2)
    print(json.dumps(figures))


def _single(encoder: Encoder) -> Ask:
    return lambda asked: encoder.embed([asked])[0]


def _measured(ways: Mapping[str, Ask], inputs: list[EmbeddingInput]) -> dict[str, list[float]]:
    """For each way: alone p50 and p95 in ms; questions a second with CALLERS at once, and their p50 and p95."""
    alone: dict[str, list[float]] = {name: [] for name in ways}
    crowd: dict[str, list[float]] = {name: [] for name in ways}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, ask in ways.items():
            alone[name] += [_timed(ask, asked) for asked in inputs[::4]]
            started = time.perf_counter()
            with ThreadPoolExecutor(CALLERS) as pool:
                crowd[name] += pool.map(partial(_timed, ask), inputs)
            rates[name].append(len(inputs) / (time.perf_counter() - started))
    return {
        name: [*_percentiles(alone[name]), statistics.median(rates[name]), *_percentiles(crowd[name])]
        for name in ways
    }


def _timed(ask: Ask, asked: EmbeddingInput) -> float:
    started = time.perf_counter()
    ask(asked)
    return (time.perf_counter() - started) * 1000


def _percentiles(values: list[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(values, n=20)
    return cuts[9], cuts[18]


if __name__ == "__main__":
    main()
