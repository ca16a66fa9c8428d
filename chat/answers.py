"""One answer, the same object for the widget, the API and the history."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from agents.providers import Usage
from chat.models import CuratedQuestion, Message, Outcome
from chat.protocol import Citation, Frame, Stopped


@dataclass(frozen=True, kw_only=True)
class ExactAnswers:
    """Exact answers as they would be, for a rehearsal: stored questions that give way, and unsaved ones."""

    without: frozenset[UUID] = frozenset()
    questions: tuple[CuratedQuestion, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A finished answer. `receipt` holds candidates with scores, timings in ms and the models' attempts."""

    text: str
    outcome: Outcome
    citations: list[Citation] = field(default_factory=list)
    grounded: bool = False
    cached: bool = False
    stopped: Stopped | None = None
    evidence: float | None = None
    model: str = ""
    rung: str = ""
    usage: Usage = field(default_factory=Usage)
    price: dict[str, str] = field(default_factory=dict)  # USD per million tokens when it was written
    first_token_ms: int | None = None
    total_ms: int | None = None
    receipt: dict[str, Any] = field(default_factory=dict)

    def frame(self, message: UUID) -> Frame:
        """The `end` frame."""
        frame: Frame = {
            "type": "end",
            "message": str(message),
            "text": self.text,
            "citations": self.citations,
            "cached": self.cached,
            "grounded": self.grounded,
            "outcome": self.outcome.value,
        }
        if self.stopped:
            frame["stopped"] = self.stopped
        return frame

    def fields(self) -> dict[str, Any]:
        """What the message's row holds of it, by field."""
        return {
            "text": self.text,
            "outcome": self.outcome,
            "citations": self.citations,
            "grounded": self.grounded,
            "cached": self.cached,
            "stopped": self.stopped or "",
            "evidence": self.evidence,
            "model": self.model,
            "rung": self.rung,
            "input_tokens": self.usage.input_tokens,
            "output_tokens": self.usage.output_tokens,
            "cost_micro_usd": self.usage.cost_micro_usd,
            "usage_estimated": self.usage.estimated,
            "price": self.price,
            "first_token_ms": self.first_token_ms,
            "total_ms": self.total_ms,
            "receipt": self.receipt,
        }

    @classmethod
    def of(cls, message: Message) -> Answer:
        """The answer as it was stored."""
        return cls(
            text=message.text,
            outcome=Outcome(message.outcome or Outcome.ERROR),
            citations=message.citations,
            grounded=message.grounded,
            cached=message.cached,
            stopped=message.stopped or None,  # type: ignore[arg-type]  # only ever written from `stopped`
            evidence=message.evidence,
            model=message.model,
            rung=message.rung,
            usage=Usage(
                message.input_tokens, message.output_tokens, message.cost_micro_usd, message.usage_estimated
            ),
            price=message.price,
            first_token_ms=message.first_token_ms,
            total_ms=message.total_ms,
            receipt=message.receipt,
        )
