"""The tier table: which models a plan's agents use, how long their answers may be and what one may cost.

The table is configuration. `MODEL_PRESET` names a shipped preset ("current" or "original") or the path of a
TOML file of the same shape. See docs/models.md.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from netvexa.lib.errors import Invalid

from .prices import Price, UnknownModelError, flat_price, price_of

PRESETS = Path(__file__).parent / "presets"
VENDORS = ("openai", "anthropic", "google")
TIERS = ("starter", "growth", "professional", "business", "enterprise")
ALIASES = {"trial": "starter"}
EXTRACTIVE = "netvexa:extractive-1"
# Where a table sets no budget for a conversation, a month or a day, they pay for this many of the dearest answers.
ANSWERS_A_CONVERSATION = 20
ANSWERS_A_MONTH = 1_000


class TierTableError(Exception):
    """The tier table cannot be used; the message names the file, the place and what it takes."""


class ModelNotInTierError(Invalid):
    code = "model_not_in_tier"
    default_detail = "This model is not part of your plan."


@dataclass(frozen=True)
class ModelRef:
    """A model by its provider and the provider's name for it, written `provider:model`."""

    provider: str
    model: str

    def __str__(self) -> str:
        return f"{self.provider}:{self.model}"

    @classmethod
    def parse(cls, text: str) -> ModelRef:
        provider, _, model = text.partition(":")
        if not provider or not model:
            raise ValueError(f"{text!r} is no model: write provider:model.")
        return cls(provider, model)


@dataclass(frozen=True)
class ModelFacts:
    """What is known of one model: its price, and its own limit on the length of an answer."""

    price: Price
    max_output_tokens: int | None


@dataclass(frozen=True)
class Tier:
    """One row of the table. `models` are in order of preference, `background` those for work that no visitor waits
    for.

    What one answer, one conversation, and all of the workspace's a day and a month may cost, in micro-USD.
    """

    name: str
    models: tuple[ModelRef, ...]
    background: tuple[ModelRef, ...]
    max_tokens: int
    cache_seconds: int
    budget_micro_usd: int
    conversation_micro_usd: int
    daily_micro_usd: int
    monthly_micro_usd: int


@dataclass(frozen=True)
class TierTable:
    """All tiers with what is known of their models; seconds are those of one answer."""

    tiers: Mapping[str, Tier]
    facts: Mapping[ModelRef, ModelFacts]
    first_token_seconds: float
    idle_seconds: float
    total_seconds: float

    def tier(self, name: str) -> Tier:
        return self.tiers[ALIASES.get(name, name)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")
    models: list[str] = Field(min_length=1)
    background: list[str] = []
    max_tokens: int = Field(ge=64)
    cache_seconds: int = Field(ge=0)
    budget_micro_usd: int = Field(gt=0)
    conversation_micro_usd: int | None = Field(default=None, gt=0)
    daily_micro_usd: int | None = Field(default=None, gt=0)
    monthly_micro_usd: int | None = Field(default=None, gt=0)


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")
    max_output_tokens: int | None = Field(default=None, ge=64)
    input_usd_per_million: Decimal | None = Field(default=None, ge=0)
    output_usd_per_million: Decimal | None = Field(default=None, ge=0)


class _Limits(BaseModel):
    model_config = ConfigDict(extra="forbid")
    first_token_seconds: float = Field(default=10, gt=0)
    idle_seconds: float = Field(default=15, gt=0)
    total_seconds: float = Field(default=90, gt=0)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    limits: _Limits = _Limits()
    tiers: dict[str, _Row]
    models: dict[str, _Model] = {}


@lru_cache(maxsize=8)
def load_table(preset: str) -> TierTable:
    """Read and check a preset; raise TierTableError with one clear sentence where it cannot be used."""
    path = Path(preset) if preset.endswith(".toml") else PRESETS / f"{preset}.toml"
    try:
        read = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        shipped = ", ".join(sorted(p.stem for p in PRESETS.glob("*.toml")))
        raise TierTableError(
            f"MODEL_PRESET={preset!r}: there is no such preset. "
            f"It takes one of {shipped}, or the path of a .toml file."
        ) from None
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise TierTableError(f"MODEL_PRESET={preset!r}: {path} is not a valid tier table: {error}") from error
    return _table(read, source=f"MODEL_PRESET={preset!r}")


def _table(read: _File, *, source: str) -> TierTable:
    if missing := [name for name in TIERS if name not in read.tiers]:
        raise TierTableError(f"{source}: these tiers are missing: {', '.join(missing)}.")
    try:
        cheapest = read.tiers[TIERS[0]].models
        tiers = {name: _tier(name, row, cheapest) for name, row in read.tiers.items()}
        used = {ref for tier in tiers.values() for ref in (*tier.models, *tier.background)}
        facts = {ref: _facts(ref, read.models.get(str(ref))) for ref in used}
    except (ValueError, UnknownModelError) as error:
        raise TierTableError(f"{source}: {error}") from error
    limits = read.limits
    return TierTable(tiers, facts, limits.first_token_seconds, limits.idle_seconds, limits.total_seconds)


def _tier(name: str, row: _Row, cheapest: list[str]) -> Tier:
    """The row as it is used; one that names no models for the background takes the first tier's."""
    models = tuple(ModelRef.parse(text) for text in row.models)
    background = tuple(ModelRef.parse(text) for text in row.background or cheapest)
    for ref in (*models, *background):
        if ref.provider not in VENDORS:
            raise ValueError(f"tier {name}: {ref} names no known provider ({', '.join(VENDORS)}).")
    monthly = row.monthly_micro_usd or row.budget_micro_usd * ANSWERS_A_MONTH
    return Tier(
        name,
        models,
        background,
        row.max_tokens,
        row.cache_seconds,
        row.budget_micro_usd,
        row.conversation_micro_usd or row.budget_micro_usd * ANSWERS_A_CONVERSATION,
        row.daily_micro_usd or monthly // 5,
        monthly,
    )


def _facts(ref: ModelRef, known: _Model | None) -> ModelFacts:
    if known and known.input_usd_per_million is not None and known.output_usd_per_million is not None:
        price = flat_price(input_usd=known.input_usd_per_million, output_usd=known.output_usd_per_million)
    else:
        price = price_of(ref.provider, ref.model)
    return ModelFacts(price, known.max_output_tokens if known else None)


def choices(table: TierTable, tier: str) -> tuple[str, ...]:
    """Return what an agent of this tier may be set to: its tier's models and the built-in one."""
    return (*(str(ref) for ref in table.tier(tier).models), EXTRACTIVE)


def check_choice(table: TierTable, tier: str, *, configured: str) -> None:
    """Raise ModelNotInTierError where a form or the API asks for a model outside of the tier."""
    if configured and configured not in choices(table, tier):
        raise ModelNotInTierError(f"Your plan has these models: {', '.join(choices(table, tier))}.")
