"""make bench-answer: how long a visitor waits, with the built-in model and 2,000 chunks in the workspace.

One visitor first, then more at once, each asking the next question when the last is answered, over real
sockets of a real daphne. Waits run from the visitor's frame to the first `token` and to `end`. Questions that
are not answered from the knowledge (the agent abstains at once) do not count. Last line: one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import django

os.environ.setdefault("NETVEXA_ENVIRONMENT", "test")  # static files from where they stand
django.setup()

from agents.models import Agent  # noqa: E402  after setup
from benchmarks.data import shared  # noqa: E402
from benchmarks.knowledge_workspace import library, open_to_visitors, workspace  # noqa: E402
from tests.chat.visitor import Chat, chatting  # noqa: E402
from tests.plugins.processes import Site, running_site  # noqa: E402

CHUNKS = 2_000
ALONE = 60  # questions of the one visitor
LEVELS = (2, 4, 8, 16, 32, 64)
AT_ONCE = 80  # questions at each level, all visitors together
TARGET_MS = 500.0


class Wait(NamedTuple):
    """Milliseconds from the visitor's frame."""

    first_token: float
    end: float


def main() -> None:
    data = shared("squad_v2.json.gz")
    questions = cycle([question["q"] for question in data["questions"] if question["a"]][::7])
    with workspace() as made, tempfile.TemporaryDirectory() as folder:
        agent = library(data, chunks=CHUNKS, threshold=0.2)
        open_to_visitors(made)
        limits = {"NETVEXA_CHAT_SOCKETS_PER_ADDRESS": "1000", "NETVEXA_CHAT_MESSAGES_PER_MINUTE": "100000"}
        with running_site(Path(folder), **limits) as site:
            report(asyncio.run(_measure(site, agent, made.slug, questions)))


async def _measure(site: Site, agent: Agent, slug: str, questions: Iterator[str]) -> dict[int, list[Wait]]:
    await _visitors(site, agent, slug, questions, visitors=1, total=5)  # warms up
    waits = {1: await _visitors(site, agent, slug, questions, visitors=1, total=ALONE)}
    for level in LEVELS:
        waits[level] = await _visitors(site, agent, slug, questions, visitors=level, total=AT_ONCE)
        if _p95([wait.first_token for wait in waits[level]]) > 2 * TARGET_MS:
            break
    return waits


async def _visitors(
    site: Site, agent: Agent, slug: str, questions: Iterator[str], *, visitors: int, total: int
) -> list[Wait]:
    each = max(1, total // visitors)
    found = await asyncio.gather(
        *(_visitor(site, agent, slug, questions, answers=each) for _ in range(visitors))
    )
    return [wait for waits in found for wait in waits]


async def _visitor(
    site: Site, agent: Agent, slug: str, questions: Iterator[str], *, answers: int
) -> list[Wait]:
    waits: list[Wait] = []
    async with chatting(site, agent, slug=slug) as chat:
        for _ in range(answers * 3):
            if len(waits) < answers and (wait := await _ask(chat, next(questions))):
                waits.append(wait)
    if len(waits) < answers:
        sys.exit(f"Only {len(waits)} of {answers} questions were answered from the knowledge.")
    return waits


async def _ask(chat: Chat, question: str) -> Wait | None:
    begun, first = time.perf_counter(), 0.0
    await chat.ask(question)
    while (frame := await asyncio.wait_for(chat.next(), 30))["type"] != "end":
        if frame["type"] == "error":
            sys.exit(f"The server answered with an error: {frame}")
        if frame["type"] == "token" and not first:
            first = time.perf_counter()
    ended = time.perf_counter()
    return Wait((first - begun) * 1000, (ended - begun) * 1000) if frame["grounded"] and first else None


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1] if len(values) > 1 else float("inf")


def report(waits: dict[int, list[Wait]]) -> None:
    print(f"{'at once':>7}  {'answers':>7}  {'first p50':>9}  {'first p95':>9}  {'end p95':>8}  (ms)")
    held, holds = 0, True
    for level, found in waits.items():
        first = [wait.first_token for wait in found]
        p95, end = _p95(first), _p95([wait.end for wait in found])
        print(f"{level:>7}  {len(found):>7}  {statistics.median(first):9.0f}  {p95:9.0f}  {end:8.0f}")
        holds = holds and p95 < TARGET_MS
        held = level if holds else held
    alone = [wait.first_token for wait in waits[1]]
    figures = {
        "first_token_p50_ms": round(statistics.median(alone), 1),
        "first_token_p95_ms": round(_p95(alone), 1),
        "end_p95_ms": round(_p95([wait.end for wait in waits[1]]), 1),
        "chats_at_500ms": held,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
