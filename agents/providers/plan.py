"""Makes the ladder for an answer out of the tier table and the keys that exist."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Literal

from django.conf import settings

from agents.prices import FREE
from agents.tiers import EXTRACTIVE, ModelRef, Tier, TierTable, choices, load_table

from .contract import Credentials, Limits, ModelPlan, Rung
from .registry import provider

VendorRung = Literal["primary", "fallback"]
logger = logging.getLogger(__name__)

BUILTIN = ModelRef.parse(EXTRACTIVE)
EXTRACTIVE_RUNG = Rung("extractive", BUILTIN, max_tokens=2048, price=FREE)
BACKGROUND_TOKENS = 4096  # of the reply to one batch
BACKGROUND_SECONDS = 30.0  # to its first token; a batch is a long prompt
VENDOR_RUNGS: tuple[VendorRung, ...] = ("primary", "fallback")
DEFAULT_URLS = {
    "openai": "https://api.openai.com/v1",
    "anthropic": "https://api.anthropic.com",
    "google": "https://generativelanguage.googleapis.com",
}


def credentials_from_settings() -> dict[str, Credentials]:
    """Return the platform's own way to each vendor it has a key or a server for."""
    known = {
        name: Credentials(
            api_key=getattr(settings, f"{name.upper()}_API_KEY", "") or "",
            base_url=getattr(settings, f"{name.upper()}_BASE_URL", "") or "",
        )
        for name in DEFAULT_URLS
    }
    return {name: found for name, found in known.items() if found.usable}


def tier_table() -> TierTable:
    """Return the table that MODEL_PRESET names."""
    return load_table(settings.MODEL_PRESET)


def warm_up() -> None:
    """Do at start what the first visitor would wait for: check the table, load the vendors' clients."""
    tier_table()
    for name in (BUILTIN.provider, *credentials_from_settings()):
        provider(name)


def plan_for(
    tier: str,
    *,
    configured: str | None = None,
    own_credentials: Mapping[str, Credentials] | None = None,
    budget_micro_usd: int | None = None,
) -> ModelPlan:
    """Return the ladder for one answer of an agent on `tier`; it always ends in the built-in model.

    `configured` is the agent's own choice (`provider:model`), put first where the tier has it and a key
    exists. `own_credentials` are a workspace's keys by provider; where it has any, the platform's are not used: what
    its answers cost is then its own affair, whichever model answers.
    `budget_micro_usd` lowers the tier's ceiling, to what is left of a day's budget for example.
    """
    table = tier_table()
    row = table.tier(tier)
    credentials = own_credentials or credentials_from_settings()
    vendors = [] if configured == EXTRACTIVE else list(_vendors(row, table, configured or "", credentials))
    rungs = [
        _rung(name, ref, row=row, table=table, credentials=credentials[ref.provider])
        for name, ref in zip(VENDOR_RUNGS, vendors, strict=False)
    ]
    ceilings = [row.budget_micro_usd, *([] if budget_micro_usd is None else [budget_micro_usd])]
    limits = Limits(table.first_token_seconds, table.idle_seconds, table.total_seconds, min(ceilings))
    return ModelPlan((*rungs, EXTRACTIVE_RUNG), limits, row.cache_seconds)


def background_plan(
    tier: str,
    *,
    own_credentials: Mapping[str, Credentials] | None = None,
    budget_micro_usd: int | None = None,
) -> ModelPlan | None:
    """Return the ladder for one request that no visitor waits for; None where no provider can be reached.

    It has no built-in model at its end: whoever asks has a way of their own without one.
    """
    table = tier_table()
    row = table.tier(tier)
    credentials = own_credentials or credentials_from_settings()
    usable = [ref for ref in row.background if ref.provider in credentials]
    rungs = tuple(
        replace(
            _rung(name, ref, row=row, table=table, credentials=credentials[ref.provider]),
            max_tokens=min(BACKGROUND_TOKENS, table.facts[ref].max_output_tokens or BACKGROUND_TOKENS),
        )
        for name, ref in zip(VENDOR_RUNGS, usable, strict=False)
    )
    limits = Limits(BACKGROUND_SECONDS, table.idle_seconds, 2 * BACKGROUND_SECONDS, budget_micro_usd)
    return ModelPlan(rungs, limits) if rungs else None


def _vendors(
    row: Tier, table: TierTable, configured: str, credentials: Mapping[str, Credentials]
) -> Iterator[ModelRef]:
    """Yield the tier's models that can be reached, the agent's choice first."""
    if configured and configured not in choices(table, row.name):
        logger.warning("agent is set to %s, which tier %s lacks; its default answers", configured, row.name)
    usable = [ref for ref in row.models if ref.provider in credentials]
    yield from sorted(usable, key=lambda ref: str(ref) != configured)


def _rung(name: VendorRung, ref: ModelRef, *, row: Tier, table: TierTable, credentials: Credentials) -> Rung:
    facts = table.facts[ref]
    max_tokens = min(row.max_tokens, facts.max_output_tokens or row.max_tokens)
    reached = Credentials(credentials.api_key, credentials.base_url or DEFAULT_URLS[ref.provider])
    return Rung(name, ref, max_tokens, reached, facts.price)
