"""The plan of a workspace: what it includes, what is used of it, and what runs on a default."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from agents.models import Agent
from billing import storage
from billing.invoices import payments_of
from billing.metering import StatementLine, statement_of
from billing.models import UsageKind
from billing.overage import may_allow
from billing.plans import OVERAGE_CENTS, PLANS, Limit, Tier
from billing.subscriptions import Standing, standing_of
from billing.usage import Usage, usage_of
from knowledge.models import Source, counted_pages
from netvexa.defaults import defaults
from netvexa.lib.sizes import size_in_words
from netvexa.pages.members import seats_of
from netvexa.pages.site import contact_address
from tenants.access import MemberRequest, Permission, allows, member_required
from tenants.models import Workspace


@dataclass(frozen=True)
class Meter:
    """One limit of the plan and how much of it is used."""

    label: str
    used: int
    maximum: int | None
    in_bytes: bool = False

    @property
    def percent(self) -> int:
        """0 to 100; nothing is used of a limit that is not set."""
        return min(100, round(100 * self.used / self.maximum)) if self.maximum else 0

    @property
    def level(self) -> str:
        """How near the limit is: "ok", "near" from four fifths on, "full"."""
        if self.maximum is None or self.percent < 80:
            return "ok"
        return "full" if self.used >= self.maximum else "near"

    @property
    def words(self) -> str:
        """Such as "12 of 50"."""
        say = size_in_words if self.in_bytes else "{:,}".format
        return f"{say(self.used)} of {say(self.maximum) if self.maximum is not None else 'no limit'}"


@member_required(Permission.VIEW)
@require_safe
def plan_page(request: MemberRequest) -> HttpResponse:
    """Plan, limits and usage."""
    usage = usage_of(request.workspace)[UsageKind.ANSWERS]
    standing, may_pay = standing_of(request.workspace), allows(request.member, Permission.MANAGE_BILLING)
    waiting = "paid" in request.GET and (standing.subscription is None or standing.is_free)
    context = {
        "standing": standing,
        "payments": payments_of(request.workspace) if may_pay else None,
        "next_plan": PLANS.get(Tier(row.next_tier))
        if (row := standing.subscription) and row.next_tier
        else None,
        "waiting": waiting and may_pay,
        "meters": meters_of(request.workspace),
        "resets_at": usage.resets_at,
        "tokens": usage.tokens,
        "overage": _overage_of(request.workspace, standing, usage) if may_pay else None,
        "defaults": defaults() if allows(request.member, Permission.MANAGE_WORKSPACE) else [],
        "stripe_enabled": settings.STRIPE_ENABLED,
        "stripe_stand_in": settings.CONFIG.stripe_api_host,
        "contact": contact_address(),
    }
    return render(request, "app/plan.html", context)


@dataclass(frozen=True, kw_only=True)
class Overage:
    """Answers beyond the plan. `cap_usd` is None while the plan's limit is hard; each costs `each_cents`."""

    cap_usd: int | None
    is_paused: bool
    over: int
    most: int
    statement: list[StatementLine]
    each_cents: int = OVERAGE_CENTS


def _overage_of(workspace: Workspace, standing: Standing, usage: Usage) -> Overage | None:
    """None where there is nothing to decide and nothing was used."""
    row, statement = standing.subscription, statement_of(workspace)
    if row is None or not settings.STRIPE_ENABLED or not (may_allow(standing) or statement):
        return None
    return Overage(
        cap_usd=row.overage_cap_usd,
        is_paused=row.overage_cap_usd is not None and not standing.extra_answers,
        over=usage.over,
        most=standing.extra_answers,
        statement=statement,
    )


def meters_of(workspace: Workspace) -> list[Meter]:
    """What the current workspace uses of each limit that is counted in it."""
    limits, seats = standing_of(workspace).limits, seats_of(workspace)
    answers = usage_of(workspace)[UsageKind.ANSWERS].within
    return [
        Meter("Answers this month", answers, limits[Limit.ANSWERS]),
        Meter("Agents", Agent.objects.count(), limits[Limit.AGENTS]),
        Meter("Sources", Source.objects.count(), limits[Limit.SOURCES]),
        Meter("Pages of knowledge", counted_pages(), limits[Limit.PAGES]),
        Meter("Storage", storage.stored_bytes(), limits[Limit.STORAGE_BYTES], in_bytes=True),
        Meter("Seats", seats.used, seats.maximum),
    ]
