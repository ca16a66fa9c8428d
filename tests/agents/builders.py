"""Short ways to write prompts, passages and plans in tests."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from agents.prices import FREE, Price, flat_price
from agents.providers import (
    Credentials,
    Delta,
    Finished,
    Limits,
    ModelPlan,
    Passage,
    Prompt,
    Rung,
    RungName,
    Sentence,
    Tally,
    stream,
)
from agents.tiers import EXTRACTIVE, ModelRef
from tests.fakes.llm import FakeLLM

# A dollar per thousand tokens read, two per thousand written: costs that are easy to see.
PRICE = flat_price(input_usd=Decimal(1000), output_usd=Decimal(2000))
PATHS = {"openai": "/v1", "anthropic": "", "google": ""}
SENTENCE = re.compile(r"[^\n.!?]+(?:[.!?]+|$)", re.MULTILINE)


def a_passage(text: str, *, scores: dict[str, float], n: int = 1, **other: Any) -> Passage:
    """A passage whose sentences have the score of the first key they contain, else 0.05."""
    return Passage(
        n=n,
        chunk_id=f"chunk-{n}",
        title=other.get("title", "Help"),
        url=None,
        page=other.get("page"),
        heading_path=other.get("heading_path", ()),
        text=text,
        score=other.get("score", 0.7),
        sentences=tuple(
            Sentence(
                found.group().strip(),
                found.start(),
                found.end(),
                next((score for part, score in scores.items() if part in found.group()), 0.05),
            )
            for found in SENTENCE.finditer(text)
            if found.group().strip()
        ),
    )


def a_prompt(*passages: Passage, question: str = "How do refunds work?") -> Prompt:
    return Prompt(system="You are a support agent.", question=question, passages=passages)


def a_rung(
    fake: FakeLLM,
    provider: str,
    model: str,
    *,
    name: RungName = "primary",
    max_tokens: int = 500,
    price: Price = FREE,
) -> Rung:
    credentials = Credentials(api_key="test-key", base_url=fake.url + PATHS[provider])
    return Rung(name, ModelRef(provider, model), max_tokens, credentials, price)


EXTRACTIVE_RUNG = Rung("extractive", ModelRef.parse(EXTRACTIVE), max_tokens=2048)


def a_plan(*rungs: Rung, **limits: Any) -> ModelPlan:
    return ModelPlan(rungs, Limits(**{"first_token_seconds": 20.0, "idle_seconds": 20.0, **limits}))


async def answer(
    prompt: Prompt, plan: ModelPlan, tally: Tally | None = None, **more: Any
) -> tuple[str, Finished]:
    """Read a whole answer: its text, and how it ended."""
    text = ""
    async for event in stream(prompt, plan=plan, tally=tally, **more):
        if isinstance(event, Delta):
            text += event.text
        else:
            finished = event
    return text, finished
