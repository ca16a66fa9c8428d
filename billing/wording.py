"""What a plan includes, in words: the rows of the pricing page and the list beside a price."""

from __future__ import annotations

from billing.plans import Limit, Plan
from netvexa.lib.sizes import size_in_words

LABELS = {
    Limit.ANSWERS: "Answers a month",
    Limit.AGENTS: "Agents",
    Limit.SOURCES: "Sources",
    Limit.PAGES: "Pages",
    Limit.STORAGE_BYTES: "Storage",
    Limit.SEATS: "Seats",
    Limit.API_CALLS: "API requests an hour",
}


def limit_rows(plan: Plan) -> list[tuple[str, str]]:
    """Label and value of each limit."""
    return [(label, limit_in_words(limit, plan)) for limit, label in LABELS.items()]


def feature_rows(plan: Plan) -> list[tuple[str, str]]:
    """Label and value of what a plan has beside its limits; SLA figures are what we aim at."""
    features, sla = plan.features, plan.features.sla
    return [
        ("Models", features.models),
        ("Answers reused for", _duration(features.cache_seconds)),
        ("Kept for", _retention(features.retention_days)),
        ("White label", "Yes" if features.white_label else "No"),
        ("Single sign-on", "Yes" if features.sso else "No"),
        ("Uptime", f"{sla.uptime_percent:g} %"),
        ("Response (p95)", _milliseconds(sla.response_ms)),
        ("Chat latency", _milliseconds(sla.chat_latency_ms)),
        ("Support within", f"{sla.support_hours}\N{NO-BREAK SPACE}h"),
    ]


def included(plan: Plan) -> list[str]:
    """The lines beside a price, such as "5,000 answers a month"."""
    return [
        f"{limit_in_words(Limit.ANSWERS, plan)} answers a month",
        f"{limit_in_words(Limit.AGENTS, plan)} agent{'' if plan.limits[Limit.AGENTS] == 1 else 's'}",
        f"{limit_in_words(Limit.PAGES, plan)} pages from {limit_in_words(Limit.SOURCES, plan)} sources",
        f"{limit_in_words(Limit.STORAGE_BYTES, plan)} of storage",
        f"{limit_in_words(Limit.SEATS, plan)} seats",
        f"{plan.features.models} models",
        f"{plan.features.sla.uptime_percent:g} % uptime, support within {plan.features.sla.support_hours} h",
    ]


def limit_in_words(limit: Limit, plan: Plan) -> str:
    value = plan.limits[limit]
    if value is None:
        return "By agreement" if plan.monthly_usd is None else "No set limit"
    return size_in_words(value) if limit is Limit.STORAGE_BYTES else f"{value:,}"


def _duration(seconds: int) -> str:
    return (
        f"{seconds // 3600}\N{NO-BREAK SPACE}h"
        if seconds >= 3600
        else f"{seconds // 60}\N{NO-BREAK SPACE}min"
    )


def _retention(days: int | None) -> str:
    if days is None:
        return "No end"
    years = days // 365
    number, unit = (years, "year" if years == 1 else "years") if years else (days, "days")
    return f"{number}\N{NO-BREAK SPACE}{unit}"


def _milliseconds(number: int) -> str:
    return f"{number / 1000:g}\N{NO-BREAK SPACE}s" if number >= 1000 else f"{number}\N{NO-BREAK SPACE}ms"
