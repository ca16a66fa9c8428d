"""Streams one answer down the ladder: primary, fallback, built-in model.

The rules, all of them measured to be needed (docs/models.md says why):
- another model takes over only while nothing was shown, and only where another model may do better;
- every wait has an end: first token, next token, whole answer;
- what an answer costs is counted while it streams, and every attempt is accounted for, also a cancelled one;
- closing this generator closes the vendor's request.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import random
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

from .breaker import Breaker, LocalBreaker
from .contract import (
    Attempt,
    Call,
    Delta,
    Finished,
    FinishReason,
    ModelPlan,
    Outcome,
    Piece,
    Prompt,
    Rung,
    TokenCount,
    Usage,
)
from .faults import FALL_BACK, LOUD, RETRY, UNHEALTHY, NoModelAnswered, ProviderError
from .messages import estimate_prompt, estimate_tokens
from .registry import provider

logger = logging.getLogger(__name__)

LEAST_OUTPUT_TOKENS = 64  # a budget that pays for less than this does not start a model
LONGEST_RETRY_WAIT_SECONDS = 2.0
SPOKE: Final = frozenset[Outcome]({"complete", "length", "budget", "abstained"})
_process_breaker = LocalBreaker()
_said: set[str] = set()


@dataclass
class Tally:
    """What an answer has cost so far. It stays readable after the stream was closed half-way."""

    attempts: list[Attempt] = field(default_factory=list)

    @property
    def usage(self) -> Usage:
        return sum((attempt.usage for attempt in self.attempts), Usage())


async def stream(
    prompt: Prompt, *, plan: ModelPlan, breaker: Breaker | None = None, tally: Tally | None = None
) -> AsyncGenerator[Delta | Finished, None]:
    """Yield the answer's text piece by piece and last of all one Finished.

    Close the generator (`contextlib.aclosing`) to stop: the vendor's request ends with it. Raise
    NoModelAnswered where every rung failed before the first word.
    """
    answer = _Answer(prompt, plan, breaker or _process_breaker, tally if tally is not None else Tally())
    rung: Rung | None = plan.rungs[0]
    while rung is not None:
        attempt = _Attempt(answer, rung)
        async with aclosing(attempt.deltas()) as deltas:
            async for delta in deltas:
                yield delta
        if attempt.text_chars or attempt.outcome in SPOKE:
            yield answer.finished(attempt)
            return
        rung = await answer.next_rung(attempt)
    raise NoModelAnswered(tuple(answer.tally.attempts))


class _Answer:
    """What the attempts of one answer share: its prompt, its limits, its clock."""

    def __init__(self, prompt: Prompt, plan: ModelPlan, breaker: Breaker, tally: Tally) -> None:
        self.prompt, self.plan, self.breaker, self.tally = prompt, plan, breaker, tally
        self.started = time.monotonic()
        self.deadline = self.started + plan.limits.total_seconds
        self.prompt_tokens = estimate_prompt(prompt)
        self.first_token_at: float | None = None

    def money_left(self) -> int | None:
        budget = self.plan.limits.budget_micro_usd
        return None if budget is None else budget - self.tally.usage.cost_micro_usd

    async def next_rung(self, failed: _Attempt) -> Rung | None:
        """Return what to try next: the same model once more, the next one, the built-in one, or nothing."""
        position = self.plan.rungs.index(failed.rung)
        rest = self.plan.rungs[position + 1 :]
        if failed.outcome not in FALL_BACK:
            return next((rung for rung in rest if rung.name == "extractive"), None)
        if all(rung.name == "extractive" for rung in rest) and await self._waited_for_retry(failed):
            return failed.rung
        return rest[0] if rest else None

    async def _waited_for_retry(self, failed: _Attempt) -> bool:
        """Wait and say True where one more try of the last model makes sense."""
        tries = sum(a.rung == failed.rung.name and a.outcome != "skipped" for a in self.tally.attempts)
        wait = failed.retry_after if failed.retry_after is not None else random.uniform(0.2, 0.6)  # noqa: S311 - jitter
        if failed.outcome not in RETRY or tries != 1 or wait > LONGEST_RETRY_WAIT_SECONDS:
            return False
        if time.monotonic() + wait >= self.deadline:
            return False
        await asyncio.sleep(wait * random.uniform(1.0, 1.2))  # noqa: S311 - jitter
        return True

    def finished(self, attempt: _Attempt) -> Finished:
        reasons: dict[Outcome, FinishReason] = {
            "complete": "complete",
            "length": "length",
            "budget": "budget",
            "abstained": "abstained",
        }
        first = self.first_token_at
        return Finished(
            model=attempt.rung.ref.model,
            provider=attempt.rung.ref.provider,
            reason=reasons.get(attempt.outcome, "interrupted"),
            usage=self.tally.usage,
            attempts=tuple(self.tally.attempts),
            first_token_ms=None if first is None else round((first - self.started) * 1000),
            rung=attempt.rung.name,
        )


class _Attempt:
    """One call of one model."""

    def __init__(self, answer: _Answer, rung: Rung) -> None:
        self.answer, self.rung = answer, rung
        self._provider = provider(rung.ref.provider)  # loading it is not counted as the model's waiting time
        self.outcome: Outcome = "stopped"  # until something else is known: whoever closes us early stopped us
        self.detail = ""
        self.retry_after: float | None = None
        self.text_chars = 0
        self.called = False
        self.finish: str | None = None
        self._started = time.monotonic()
        self._first_token_at: float | None = None
        self._reported = TokenCount(0, 0)
        self._output_estimate = 0.0
        self._money_left = answer.money_left()
        self._capped = False

    async def deltas(self) -> AsyncGenerator[Delta, None]:
        """Yield the model's text. Failures end it quietly; `outcome` tells."""
        breaker, key = self.answer.breaker, _health_key(self.rung)
        max_tokens = self._affordable_tokens()
        if max_tokens < LEAST_OUTPUT_TOKENS:
            self._end("skipped", "the answer's budget does not pay for this prompt")
        elif not await breaker.allows(key):
            self._end("skipped", "its circuit is open after repeated failures")
        else:
            try:
                async with aclosing(self._call(max_tokens)) as deltas:
                    async for delta in deltas:
                        yield delta
            finally:
                self._record()
                await self._report(breaker, key)
            return
        self._record()

    async def _call(self, max_tokens: int) -> AsyncGenerator[Delta, None]:
        self.called = True
        limits = self.answer.plan.limits
        call = Call(
            model=self.rung.ref.model,
            max_tokens=max_tokens,
            credentials=self.rung.credentials,
            read_timeout_seconds=max(limits.first_token_seconds, limits.idle_seconds),
        )
        try:
            async with aclosing(self._provider.stream(self.answer.prompt, call=call)) as pieces:
                while (piece := await self._next(pieces)) is not None:
                    self._count(piece)
                    if piece.text:
                        yield Delta(piece.text)
                    if self._over_budget():
                        self._end("budget", "the answer's cost ceiling")
                        return
        except ProviderError as fault:
            self.retry_after = fault.retry_after
            self._end(fault.outcome, fault.detail)
            return
        except TimeoutError:
            self._end("timeout", "no token in time" if self.text_chars else "no first token in time")
            return
        self._conclude()

    async def _next(self, pieces: AsyncGenerator[Piece, None]) -> Piece | None:
        """Wait for a piece, no longer than the limits allow; None at the end.

        Not with `wait_for`, which on Python 3.11 can lose a cancellation that arrives together with a piece.
        """
        async with asyncio.timeout_at(self._patience()):
            return await anext(pieces, None)

    def _patience(self) -> float:
        """Return the event loop's time at which waiting for the next piece ends."""
        limits, now = self.answer.plan.limits, time.monotonic()
        ends = now + limits.idle_seconds if self.text_chars else self._started + limits.first_token_seconds
        return asyncio.get_running_loop().time() + min(ends, self.answer.deadline) - now

    def _count(self, piece: Piece) -> None:
        if piece.text:
            self.text_chars += len(piece.text)
            self._output_estimate += estimate_tokens(piece.text) - 0.5  # evens out each piece's rounding
            if self._first_token_at is None:
                self._first_token_at = time.monotonic()
                self.answer.first_token_at = self._first_token_at
        if piece.tokens:
            self._reported = TokenCount(
                self._reported.input_tokens + piece.tokens.input_tokens,
                self._reported.output_tokens + piece.tokens.output_tokens,
                self._reported.cached_tokens + piece.tokens.cached_tokens,
            )
        self.finish = piece.finish or self.finish

    def _conclude(self) -> None:
        """Read how a stream ended that raised nothing. Without a finish reason it was cut off on the way."""
        if self.finish == "abstained":
            self._end("abstained", "no sentence fits the question")
        elif self.finish == "filtered":
            self._end("filtered", "the provider's content filter stopped the answer")
        elif self.finish is None:
            self._end("truncated", "the stream ended without a finish reason")
        elif not self.text_chars:
            self._end("truncated", "the answer ended without a word")
        elif self.finish == "length":
            self._end("budget" if self._capped else "length", "max_tokens reached")
        else:
            self._end("complete", "")

    def _end(self, outcome: Outcome, detail: str) -> None:
        self.outcome, self.detail = outcome, detail

    def _affordable_tokens(self) -> int:
        """Return max_tokens, lowered to what the budget still pays for: the hard half of the ceiling."""
        rate = self.rung.price.rate(self.answer.prompt_tokens)
        if self._money_left is None or not rate.output:
            return self.rung.max_tokens
        for_output = self._money_left - self.answer.prompt_tokens * rate.input
        affordable = max(0, int(for_output / rate.output))
        self._capped = affordable < self.rung.max_tokens
        return min(affordable, self.rung.max_tokens)

    def _over_budget(self) -> bool:
        """The soft half: our own count while streaming, for a model that does not keep to max_tokens."""
        return self._money_left is not None and self._usage().cost_micro_usd > self._money_left

    def _usage(self) -> Usage:
        """Return the provider's numbers where it gave them whole, else the greater of its and ours."""
        if not self.called or self.rung.name == "extractive":
            return Usage()
        said = self._reported
        exact = self.finish is not None and said.input_tokens > 0
        read = said.input_tokens or self.answer.prompt_tokens
        wrote = said.output_tokens if exact else max(said.output_tokens, round(self._output_estimate))
        cost = self.rung.price.cost(input_tokens=read, output_tokens=wrote, cached_tokens=said.cached_tokens)
        return Usage(read, wrote, cost, estimated=not exact)

    def _record(self) -> None:
        first = self._first_token_at
        attempt = Attempt(
            rung=self.rung.name,
            provider=self.rung.ref.provider,
            model=self.rung.ref.model,
            outcome=self.outcome,
            detail=self.detail,
            usage=self._usage() if self.outcome not in _NEVER_BILLED else Usage(),
            first_token_ms=None if first is None else round((first - self._started) * 1000),
            elapsed_ms=round((time.monotonic() - self._started) * 1000),
        )
        self.answer.tally.attempts.append(attempt)
        _say(attempt, self.rung)

    async def _report(self, breaker: Breaker, key: str) -> None:
        if self.outcome in UNHEALTHY:
            await breaker.failed(key)
        elif self.outcome in SPOKE:
            await breaker.succeeded(key)
        else:
            await breaker.left(key)


# Refused before any work was done: providers bill nothing for these.
_NEVER_BILLED: Final = frozenset[Outcome](
    {"skipped", "rate_limited", "authentication", "context_length", "model_gone", "invalid_request"}
)


def _health_key(rung: Rung) -> str:
    """Name the model as these credentials see it: one customer's spent key says nothing of another's."""
    secret = f"{rung.credentials.base_url}\n{rung.credentials.api_key}"
    return f"{rung.ref}:{hashlib.sha256(secret.encode()).hexdigest()[:12]}"


def _say(attempt: Attempt, rung: Rung) -> None:
    """Log a failed attempt; what somebody must mend is said as an error, once per process."""
    if attempt.outcome in SPOKE or attempt.outcome == "stopped":
        return
    told = f"{attempt.outcome} {_health_key(rung)}"
    level = logging.ERROR if attempt.outcome in LOUD and told not in _said else logging.WARNING
    if attempt.outcome in LOUD:
        _said.add(told)
    logger.log(
        level,
        "model attempt failed: %s (%s:%s, %s): %s",
        attempt.outcome,
        attempt.provider,
        attempt.model,
        attempt.rung,
        attempt.detail,
    )
