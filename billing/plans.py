"""The plans and what each includes, as frozen data. Money in US dollars, yearly is ten months' price."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MB = 1024 * 1024
GB = 1024 * MB
TRIAL_DAYS = 14
TRIAL_ANSWERS = 200


class Tier(StrEnum):
    """The names of the plans, smallest first."""

    STARTER = "starter"
    GROWTH = "growth"
    PROFESSIONAL = "professional"
    BUSINESS = "business"
    ENTERPRISE = "enterprise"


class Limit(StrEnum):
    """What a plan limits."""

    AGENTS = "agents"
    SOURCES = "sources"
    PAGES = "pages"
    STORAGE_BYTES = "storage_bytes"
    ANSWERS = "answers"  # a month
    SEATS = "seats"
    API_CALLS = "api_calls"  # an hour; None has an abuse ceiling only


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One plan. A limit of None means none is set."""

    tier: Tier
    name: str
    monthly_usd: int | None
    limits: dict[Limit, int | None]

    @property
    def white_label(self) -> bool:
        """Whether the widget may leave our name out."""
        return self.tier not in (Tier.STARTER, Tier.GROWTH)

    @property
    def yearly_usd(self) -> int | None:
        return None if self.monthly_usd is None else self.monthly_usd * 10


def _plan(tier: Tier, name: str, monthly_usd: int | None, *numbers: int | None) -> Plan:
    return Plan(tier=tier, name=name, monthly_usd=monthly_usd, limits=dict(zip(Limit, numbers, strict=True)))


PLANS: dict[Tier, Plan] = {
    plan.tier: plan
    for plan in (
        #                                            agents sources pages   storage   answers  seats API/h
        _plan(Tier.STARTER, "Starter", 29, 1, 50, 500, 100 * MB, 1_000, 2, 100),
        _plan(Tier.GROWTH, "Growth", 99, 3, 200, 5_000, 1 * GB, 5_000, 5, 1_000),
        _plan(Tier.PROFESSIONAL, "Professional", 299, 10, 1_000, 25_000, 10 * GB, 20_000, 15, 5_000),
        _plan(Tier.BUSINESS, "Business", 899, 50, 5_000, 100_000, 50 * GB, 100_000, 50, None),
        _plan(Tier.ENTERPRISE, "Enterprise", None, None, None, None, None, None, None, None),
    )
}
