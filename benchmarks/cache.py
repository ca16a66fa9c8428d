"""make bench-cache: how often a kept answer serves, how often it is the wrong one, and how much sooner it comes.

Likeness: banking77's training questions are kept, each with its intent as the passage it rests on; its test
questions are asked, and so are those that no support agent should answer (CLINC150's), and pairs that differ in
a single thing that turns the meaning. A hit on another intent is wrong; banking77's labels overlap, so even the
same words twice count as wrong now and then. Unguarded is the nearest question alone, at the same cosine.

Time: visitors over real sockets of a real server, RAG on a small shop's knowledge, and a model that needs 200 ms
to its first token and then writes some 60 words at 50 a second. Each question is asked anew (a miss), then again in
the same words and in others (hits). Waits run from the visitor's frame to the first token, which is the stricter
measure: to the whole answer a hit is sooner still. Last line: one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

import django

os.environ.setdefault("NETVEXA_ENVIRONMENT", "test")
django.setup()

import numpy as np  # noqa: E402  after setup

from agents.models import Agent  # noqa: E402
from benchmarks.data import shared  # noqa: E402
from benchmarks.knowledge_workspace import Library, workspace  # noqa: E402
from billing.models import Entitlement  # noqa: E402
from billing.plans import Tier  # noqa: E402
from chat.cache import AMBIGUITY, NEIGHBOURS, Hit, chosen  # noqa: E402
from chat.models import CachedAnswer, CacheState  # noqa: E402
from knowledge import recall  # noqa: E402
from knowledge.embedding import EmbeddingInput, encoder_for  # noqa: E402
from tenants.context import platform  # noqa: E402
from tenants.models import Domain, Workspace  # noqa: E402
from tests.chat.visitor import SHOP, Chat, chatting  # noqa: E402
from tests.fakes.llm import FakeLLM, running  # noqa: E402
from tests.plugins.processes import Site, running_site  # noqa: E402

THRESHOLD = 0.95
TRAPS = (
    ("How do I cancel my order?", "How do I not cancel my order?"),
    ("Can I pay with a card?", "Can I pay without a card?"),
    ("Is there a fee for 10 transfers?", "Is there a fee for 20 transfers?"),
    ("How do I exchange GBP to AUD?", "How do I exchange AUD to GBP?"),
    ("Can I transfer money from my savings account?", "Can I transfer money to my savings account?"),
    ("How do I enable two-factor authentication?", "How do I disable two-factor authentication?"),
    ("What is included in plan A?", "What is included in plan B?"),
    ("Do you ship to Austria?", "Do you ship to Australia?"),
    ("Can I change my order before delivery?", "Can I change my order after delivery?"),
    ("Is the limit 5 kg?", "Is the limit 5 lb?"),
    ("What time do you open?", "What time do you close?"),
    ("What is the minimum deposit?", "What is the maximum deposit?"),
    ("Does the price include tax?", "Does the price exclude tax?"),
    ("Who is Anna Smith?", "Who is Anna Jones?"),
    ("Is it $20 a month?", "Is it €20 a month?"),
    ("How do I upgrade my plan?", "How do I downgrade my plan?"),
)
QUESTIONS = (  # each asked anew, in the same words, and in others
    ("How long does standard delivery to Austria take?", "How long does the standard delivery to Austria take?"),
    ("How long does express delivery take?", "How long will the express delivery take?"),
    ("Can I return an item?", "Is it possible to return an item?"),
    ("When does the refund arrive?", "When will the refund arrive?"),
    ("On which card does the refund arrive?", "Which card does the refund arrive on?"),
    ("When is the shop in Graz open?", "When is your shop in Graz open?"),
    ("Is the shop closed on Sundays?", "Is your shop closed on Sundays?"),
    ("Which delivery takes one working day?", "What delivery takes one working day?"),
    ("Within how many days can I return an item?", "Within how many days could I return an item?"),
    ("Is the shop in Graz open on weekdays?", "Is your shop in Graz open on weekdays?"),
)  # fmt: skip
ROUNDS = 4
SENTENCES = [line for line in SHOP.splitlines() if line and not line.startswith("#")]
CITES_ALL = "".join(f"[{n}]" for n in range(1, 8))  # whatever is found, and in whatever order
ANSWER = " ".join(f"{sentence} {CITES_ALL}" for sentence in SENTENCES)


class Likeness(NamedTuple):
    """Counts over the questions that were asked."""

    asked: int
    unguarded: int
    unguarded_wrong: int
    hits: int
    wrong: int


class Kept:
    """Questions that are kept, with what each rests on."""

    def __init__(self, rows: Sequence[tuple[str, str]]) -> None:
        self.vectors = vectors_of([text for text, _ in rows])
        self.entries = [
            CachedAnswer(question=text, chunks=[_passage(intent)], state=CacheState.LIVE)
            for text, intent in rows
        ]

    def near(self, question: str, vector: np.ndarray[Any, Any]) -> list[Hit]:
        """As `chat.cache` finds them in the database."""
        cosines = self.vectors @ vector
        order = np.argsort(-cosines)[:NEIGHBOURS]
        return [
            Hit(entry=self.entries[place], similarity=float(cosines[place]))
            for place in order
            if cosines[place] >= THRESHOLD - AMBIGUITY
            and recall.difference(question, self.entries[place].question, language="en") is None
        ]


def _passage(intent: str) -> UUID:
    return uuid5(NAMESPACE_URL, intent)


def vectors_of(texts: Sequence[str]) -> np.ndarray[Any, Any]:
    encoder = encoder_for()
    return np.array([embedded.vector for embedded in encoder.embed([EmbeddingInput(text) for text in texts])])


def likeness(kept: Kept, asked: Sequence[tuple[str, str]]) -> Likeness:
    """Ask each question of what is kept."""
    unguarded = unguarded_wrong = hits = wrong = 0
    for (question, intent), vector in zip(asked, vectors_of([text for text, _ in asked]), strict=True):
        cosines = kept.vectors @ vector
        nearest = int(cosines.argmax())
        if cosines[nearest] >= THRESHOLD:
            unguarded += 1
            unguarded_wrong += kept.entries[nearest].chunks != [_passage(intent)]
        hit = chosen(kept.near(question, vector), threshold=THRESHOLD)
        if hit is not None:
            hits += 1
            wrong += hit.entry.chunks != [_passage(intent)]
    return Likeness(len(asked), unguarded, unguarded_wrong, hits, wrong)


def measure_likeness() -> Likeness:
    rows = shared("banking77.json.gz")["rows"]
    others = shared("clinc150_out_of_scope.json.gz")["oos"]
    kept = Kept([(text, intent) for split, intent, text in rows if split == "train"])
    found = likeness(kept, [(text, intent) for split, intent, text in rows if split == "test"])
    oos = likeness(kept, [(text, "oos") for text, *_ in others])
    traps = [likeness(Kept([(one, one)]), [(other, other)]) for one, other in TRAPS]
    print(f"{'questions':34}  {'asked':>6}  {'unguarded':>9}  {'wrong':>5}  {'hits':>5}  {'wrong':>5}")
    for name, counts in (
        ("banking77, test against training", found),
        ("CLINC150, out of scope", oos),
        ("pairs that differ in one thing", Likeness(*map(sum, zip(*traps, strict=True)))),
    ):
        print(
            f"{name:34}  {counts.asked:6}  {counts.unguarded:9}  {counts.unguarded_wrong:5}"
            f"  {counts.hits:5}  {counts.wrong:5}"
        )
    return Likeness(*(sum(pair) for pair in zip(found, oos, strict=True)))._replace(asked=found.asked)


# How much sooner a hit comes


def measure_time() -> tuple[list[float], list[float]]:
    """Milliseconds to the first token of misses and of hits."""
    with running() as fake, workspace() as made, tempfile.TemporaryDirectory() as folder:
        model = "gpt-6-astra"
        fake.behaves(model, says=ANSWER, first_token_after=0.2, gap=0.02)
        agent: Agent = Agent.objects.create(name="Benchmark", evidence_threshold=0.0)
        Library(agent).add("Help of the shop", list(enumerate(SHOP.split("\n\n"))))
        with platform():
            Domain.objects.create(domain=f"{made.slug}.localhost", tenant=made, is_primary=True)
            Entitlement.objects.create(workspace=made, tier=Tier.ENTERPRISE)
        limits = {"NETVEXA_CHAT_SOCKETS_PER_ADDRESS": "1000", "NETVEXA_CHAT_MESSAGES_PER_MINUTE": "100000"}
        keys = {"OPENAI_API_KEY": "fake", "OPENAI_BASE_URL": f"{fake.url}/v1"}
        with running_site(Path(folder), **limits, **keys) as site:
            return asyncio.run(_conversations(site, agent, made, fake))


async def _conversations(
    site: Site, agent: Agent, made: Workspace, fake: FakeLLM
) -> tuple[list[float], list[float]]:
    await _first_token(site, agent, made, "Where is the shop?")  # loads the model's client
    misses, hits = [], []
    for _ in range(ROUNDS):
        await _empty(made)
        for question, other in QUESTIONS:
            misses.append(await _first_token(site, agent, made, question))
            hits += [await _first_token(site, agent, made, asked) for asked in (question, other)]
    expected = 1 + len(misses)
    if len(fake.requests) != expected:
        raise SystemExit(f"The model was asked {len(fake.requests)} times instead of {expected}.")
    return misses, hits


async def _empty(made: Workspace) -> None:
    from tenants.context import run_in_tenant

    await run_in_tenant(made, lambda: CachedAnswer.objects.all().delete())


async def _first_token(site: Site, agent: Agent, made: Workspace, question: str) -> float:
    async with chatting(site, agent, slug=made.slug) as chat:
        begun, first = time.perf_counter(), 0.0
        await chat.ask(question)
        while (frame := await asyncio.wait_for(chat.next(), 30))["type"] != "end":
            if frame["type"] == "error":
                raise SystemExit(f"The server answered with an error: {frame}")
            if frame["type"] == "token" and not first:
                first = (time.perf_counter() - begun) * 1000
        await _kept(chat)
    return first


async def _kept(chat: Chat) -> None:
    """Answers of a conversation come one after the other, each kept before the next begins."""
    await chat.answer("Hello!")


def p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def main() -> None:
    found = measure_likeness()
    misses, hits = measure_time()
    print(f"\n{'first token, ms':34}  {'p50':>7}  {'p95':>7}  {'count':>6}")
    for name, values in (("misses", misses), ("hits", hits)):
        print(f"{name:34}  {statistics.median(values):7.1f}  {p95(values):7.1f}  {len(values):6}")
    figures = {
        "wrong_hit_pct": round(100 * found.wrong / max(1, found.hits), 2),
        "hit_rate": round(found.hits / found.asked, 4),
        "hit_rate_unguarded": round(found.unguarded / found.asked, 4),
        "kept_of_unguarded": round(found.hits / max(1, found.unguarded), 3),
        "hit_p95_over_miss_p95": round(p95(hits) / p95(misses), 3),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
