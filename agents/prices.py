"""What a model costs, from the genai-prices package (offline), resolved once per model and day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Protocol


class UnknownModelError(LookupError):
    """The price package does not know this model of this provider."""


@dataclass(frozen=True)
class Rate:
    """Prices from `start` input tokens on, in USD per million tokens, which is micro-USD per token."""

    start: int
    input: Decimal
    cached: Decimal
    output: Decimal


@dataclass(frozen=True)
class Price:
    """A model's rates. A prompt longer than a rate's start pays that rate for all of its tokens."""

    rates: tuple[Rate, ...]

    def rate(self, input_tokens: int) -> Rate:
        return next((rate for rate in reversed(self.rates) if input_tokens > rate.start), self.rates[0])

    def cost(self, *, input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> int:
        """Return the price in whole micro-USD; `cached_tokens` are part of `input_tokens`."""
        rate = self.rate(input_tokens)
        fresh = max(0, input_tokens - cached_tokens)
        total = fresh * rate.input + cached_tokens * rate.cached + output_tokens * rate.output
        return int(total.quantize(Decimal(1), rounding=ROUND_HALF_UP))

    def snapshot(self, input_tokens: int) -> dict[str, str]:
        """The rate that such a prompt pays, as a row keeps it: USD per million tokens."""
        rate = self.rate(input_tokens)
        return {"input": str(rate.input), "cached": str(rate.cached), "output": str(rate.output)}


def flat_price(*, input_usd: Decimal, output_usd: Decimal) -> Price:
    """Return a price without steps, in USD per million tokens: for servers of one's own."""
    return Price((Rate(0, input_usd, input_usd, output_usd),))


FREE = flat_price(input_usd=Decimal(0), output_usd=Decimal(0))


def price_of(provider: str, model: str) -> Price:
    """Return today's price; raise UnknownModelError where the package has none."""
    return _price_on(provider, model, datetime.now(UTC).date())


class _Stepped(Protocol):
    base: Decimal
    tiers: list[_Step]


class _Step(Protocol):
    start: int
    price: Decimal


@lru_cache(maxsize=256)
def _price_on(provider: str, model: str, day: date) -> Price:
    # Half a second of import, so only where a price is asked.
    from genai_prices.data_snapshot import get_snapshot

    try:
        _, found = get_snapshot().find_provider_model(model, None, provider, None)
    except LookupError as error:
        raise UnknownModelError(f"No price is known for {provider}:{model}.") from error
    prices = found.get_prices(datetime.combine(day, time(12), tzinfo=UTC)).__dict__
    if prices.get("input_mtok") is None or prices.get("output_mtok") is None:
        raise UnknownModelError(f"No price per token is known for {provider}:{model}.")
    cached = prices.get("cache_read_mtok") or prices["input_mtok"]
    sources = (prices["input_mtok"], cached, prices["output_mtok"])
    starts = sorted({0, *(step.start for source in sources for step in getattr(source, "tiers", ()))})
    return Price(tuple(Rate(start, *(_at(source, start) for source in sources)) for start in starts))


def _at(price: Decimal | _Stepped, start: int) -> Decimal:
    """Return what a price is for prompts longer than `start` tokens."""
    if isinstance(price, Decimal):
        return price
    steps = [step.price for step in price.tiers if step.start <= start]
    return Decimal(steps[-1] if steps else price.base)
