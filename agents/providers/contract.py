"""What goes into a model and what comes out of it, whoever the vendor is.

This is the face of `agents.providers`: the answering flow builds a `Prompt`, asks for a `ModelPlan`, and
reads `Delta`s and one `Finished` from the stream. Nothing here knows a vendor, a database or Django.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from agents.prices import FREE, Price
from agents.tiers import ModelRef

RungName = Literal["primary", "fallback", "extractive"]
FinishReason = Literal["complete", "length", "budget", "interrupted", "abstained"]
Outcome = Literal[
    "complete",  # the model said it was done
    "length",  # the model ran into max_tokens
    "budget",  # stopped by us: the answer's cost ceiling
    "abstained",  # nothing in the passages answers
    "stopped",  # the caller closed the stream (visitor's stop, disconnect, takeover)
    "skipped",  # not called: its circuit was open, or the budget could not pay for its prompt
    "rate_limited",
    "server_error",
    "timeout",
    "network",
    "malformed",
    "truncated",  # the stream ended without a finish reason
    "filtered",  # the vendor's own content filter refused
    "authentication",
    "context_length",
    "model_gone",
    "invalid_request",
]


@dataclass(frozen=True)
class Sentence:
    """One sentence of a passage. `start` and `end` are offsets into the passage's text; `score` is 0..1; `page` counts
    from 1.
    """

    text: str
    start: int
    end: int
    score: float
    page: int | None = None


@dataclass(frozen=True)
class Passage:
    """A retrieved piece of knowledge, numbered as it is cited: `[n]`.

    `page` is where it begins, as it is printed there; `page_number` is the same, counted from 1. `heading_score`, 0..1,
    is how well its headings match the question.
    """

    n: int
    chunk_id: str
    title: str
    url: str | None
    page: str | None
    heading_path: tuple[str, ...]
    text: str
    score: float
    sentences: tuple[Sentence, ...] = ()
    page_number: int | None = None
    heading_score: float = 0.0


@dataclass(frozen=True)
class Turn:
    """One earlier turn of the conversation."""

    role: Literal["visitor", "agent"]
    text: str


@dataclass(frozen=True)
class Prompt:
    """Everything a model is given. The passages stay data: they are fenced apart from the system prompt."""

    system: str
    question: str
    history: tuple[Turn, ...] = ()
    passages: tuple[Passage, ...] = ()
    language: str | None = None


@dataclass(frozen=True)
class Delta:
    """A piece of the answer, in order."""

    text: str


@dataclass(frozen=True)
class Usage:
    """Tokens and money. `estimated` is true where the provider gave no numbers and ours stand in."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_micro_usd: int = 0
    estimated: bool = False

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cost_micro_usd=self.cost_micro_usd + other.cost_micro_usd,
            estimated=self.estimated or other.estimated,
        )


@dataclass(frozen=True)
class Attempt:
    """One call of one model: the row that accounting keeps. `usage` is what it cost, also when it failed."""

    rung: RungName
    provider: str
    model: str
    outcome: Outcome
    detail: str
    usage: Usage
    first_token_ms: int | None
    elapsed_ms: int


@dataclass(frozen=True)
class Finished:
    """The last thing a stream yields. `usage` sums all attempts; `rung` is the one that spoke."""

    model: str
    provider: str
    reason: FinishReason
    usage: Usage
    attempts: tuple[Attempt, ...]
    first_token_ms: int | None
    rung: RungName


@dataclass(frozen=True)
class Credentials:
    """How to reach a vendor. An empty `base_url` is the vendor's own; a compatible server may need no key."""

    api_key: str = field(default="", repr=False)
    base_url: str = ""

    @property
    def usable(self) -> bool:
        return bool(self.api_key or self.base_url)


@dataclass(frozen=True)
class Rung:
    """One step of the ladder."""

    name: RungName
    ref: ModelRef
    max_tokens: int
    credentials: Credentials = Credentials()
    price: Price = FREE


@dataclass(frozen=True)
class Limits:
    """What one answer may take: seconds to the first token, between tokens and in all; money in micro-USD."""

    first_token_seconds: float = 10.0
    idle_seconds: float = 15.0
    total_seconds: float = 90.0
    budget_micro_usd: int | None = None


@dataclass(frozen=True)
class ModelPlan:
    """The ladder for one answer, best first. `cache_seconds`: how long the tier lets an answer be reused."""

    rungs: tuple[Rung, ...]
    limits: Limits = Limits()
    cache_seconds: int = 3600

    @property
    def hosted(self) -> ModelPlan | None:
        """The vendors' models alone, without the built-in one; None where there are none."""
        rungs = tuple(rung for rung in self.rungs if rung.name != "extractive")
        return replace(self, rungs=rungs) if rungs else None

    @property
    def built_in(self) -> ModelPlan:
        """The built-in model alone."""
        return replace(self, rungs=self.rungs[-1:])

    def price_of(self, name: RungName) -> Price:
        """The price of the model on this rung."""
        return next((rung.price for rung in self.rungs if rung.name == name), FREE)


@dataclass(frozen=True)
class TokenCount:
    """What a provider says it used. `cached_tokens` are those of the input it read from its own cache."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0


@dataclass(frozen=True)
class Piece:
    """What an adapter yields: text, and when they are known why it ended and what it used."""

    text: str = ""
    finish: Literal["stop", "length", "filtered", "abstained"] | None = None
    tokens: TokenCount | None = None


@dataclass(frozen=True)
class Call:
    """One request to one model, as an adapter gets it."""

    model: str
    max_tokens: int
    credentials: Credentials
    read_timeout_seconds: float


class ChatProvider(Protocol):
    """The one thing a vendor's adapter does. Whatever goes wrong, it raises `ProviderError`."""

    def stream(self, prompt: Prompt, *, call: Call) -> AsyncGenerator[Piece, None]: ...

    async def aclose(self) -> None:
        """Close what the running event loop has open."""
        ...
