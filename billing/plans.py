"""The plans and what each includes, as frozen data. Money in US dollars, yearly is ten months' price."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MB = 1024 * 1024
GB = 1024 * MB
TRIAL_DAYS = 14
TRIAL_ANSWERS = 200
OVERAGE_CENTS = 3  # an answer beyond the plan, on every plan: more than a larger plan takes for its answers
OVERAGE_CAPS_USD = (1, 10_000)  # the least and the most that an owner may set for a month
PRICES_VERSION = 1  # part of Stripe's lookup keys: raise it with every change of a price


class Tier(StrEnum):
    """The names of the plans, smallest first."""

    STARTER = "starter"
    GROWTH = "growth"
    PROFESSIONAL = "professional"
    BUSINESS = "business"
    ENTERPRISE = "enterprise"

    @property
    def rank(self) -> int:
        """0 is the smallest."""
        return list(Tier).index(self)


class Interval(StrEnum):
    """How often a plan is paid; the words are Stripe's."""

    MONTH = "month"
    YEAR = "year"


class Limit(StrEnum):
    """What a plan limits."""

    AGENTS = "agents"
    SOURCES = "sources"
    PAGES = "pages"
    STORAGE_BYTES = "storage_bytes"
    ANSWERS = "answers"  # a month
    SEATS = "seats"
    API_CALLS = "api_calls"  # an hour; None has an abuse ceiling only


Limits = dict[Limit, int | None]


@dataclass(frozen=True, kw_only=True)
class Sla:
    """What we aim at: availability of a month in percent, 95th percentiles in ms, first reply of support in h."""

    uptime_percent: float
    response_ms: int
    chat_latency_ms: int
    support_hours: int


@dataclass(frozen=True, kw_only=True)
class Features:
    """What a plan has beside its limits. A retention of None keeps conversations until they are deleted.

    `cache_seconds` is how long an answer may be reused; the models by name stand in the tier table of the
    agents, which has the same lifetimes.
    """

    models: str
    cache_seconds: int
    retention_days: int | None
    white_label: bool
    sso: bool
    sla: Sla


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One plan. A limit of None means none is set."""

    tier: Tier
    name: str
    monthly_usd: int | None
    limits: Limits
    features: Features

    @property
    def white_label(self) -> bool:
        """Whether the widget may leave our name out."""
        return self.tier not in (Tier.STARTER, Tier.GROWTH)

    @property
    def yearly_usd(self) -> int | None:
        return None if self.monthly_usd is None else self.monthly_usd * 10

    def price_usd(self, interval: Interval) -> int | None:
        """What a month or a year costs; None is by agreement."""
        return self.monthly_usd if interval is Interval.MONTH else self.yearly_usd


def _features(
    models: str,
    *,
    cache: int,
    retention: int | None,
    sla: tuple[float, int, int, int],
    white_label: bool = False,
    sso: bool = False,
) -> Features:
    uptime, response, latency, support = sla
    return Features(
        models=models,
        cache_seconds=cache,
        retention_days=retention,
        white_label=white_label,
        sso=sso,
        sla=Sla(uptime_percent=uptime, response_ms=response, chat_latency_ms=latency, support_hours=support),
    )


_FEATURES: dict[Tier, Features] = {
    #                                                              uptime   p95  chat  support
    Tier.STARTER: _features("Small and quick", cache=3600, retention=90, sla=(99.5, 2000, 500, 48)),
    Tier.GROWTH: _features("Balanced", cache=1800, retention=365, sla=(99.9, 1000, 300, 24)),
    Tier.PROFESSIONAL: _features(
        "Large", cache=900, retention=730, sla=(99.95, 500, 200, 4), white_label=True
    ),
    Tier.BUSINESS: _features(
        "The largest", cache=300, retention=None, sla=(99.99, 200, 100, 1), white_label=True, sso=True
    ),
    Tier.ENTERPRISE: _features(
        "The largest", cache=300, retention=None, sla=(99.99, 200, 100, 1), white_label=True, sso=True
    ),
}


def _limits(*numbers: int | None) -> Limits:
    return dict(zip(Limit, numbers, strict=True))


def _plan(tier: Tier, name: str, monthly_usd: int | None, *numbers: int | None) -> Plan:
    limits, features = _limits(*numbers), _FEATURES[tier]
    return Plan(tier=tier, name=name, monthly_usd=monthly_usd, limits=limits, features=features)


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
# What is left when a subscription has ended: enough for a small site to go on, and to come back.
FREE = Plan(
    tier=Tier.STARTER,
    name="Free",
    monthly_usd=0,
    limits=_limits(1, 10, 100, 20 * MB, 50, 1, 20),
    features=_FEATURES[Tier.STARTER],
)
FOR_SALE = tuple(plan for plan in PLANS.values() if plan.monthly_usd is not None)


def lookup_key(tier: Tier, interval: Interval) -> str:
    """The name under which Stripe has the price."""
    return f"{tier.value}_{interval.value}_v{PRICES_VERSION}"


def overage_key() -> str:
    """The name under which Stripe has the price of an answer beyond the plan."""
    return f"overage_v{PRICES_VERSION}"
