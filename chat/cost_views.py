"""Pages about models and money: what answers cost, budgets, own keys, and the answers that are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from agents import keys
from agents.models import Agent, ModelSettings
from agents.providers import tier_table
from billing.subscriptions import standing_of
from chat import spending
from chat.cost_forms import BudgetForm, KeyForm
from chat.models import CachedAnswer, CacheState, SpendingDay
from netvexa.lib.errors import Invalid
from tenants import audit
from tenants.access import MemberRequest, Permission, allows, member_required

_PER_PAGE = 50
_BUDGETS = [
    "daily_budget_micro_usd",
    "monthly_budget_micro_usd",
    "conversation_budget_micro_usd",
    "masks_contacts",
    "background_enabled",
]


@dataclass(frozen=True, kw_only=True)
class KeyRow:
    """A stored key as people may see it: by its last characters."""

    provider: str
    name: str
    ending: str
    tested_at: datetime | None
    works: bool | None
    result: str


@member_required(Permission.VIEW)
@require_safe
def overview(request: MemberRequest) -> HttpResponse:
    """What answers cost, by month and agent, and what they may cost."""
    return _overview(request, BudgetForm(instance=ModelSettings.current()), KeyForm())


def _overview(request: MemberRequest, budgets: BudgetForm, key: KeyForm) -> HttpResponse:
    settings, tier = ModelSettings.current(), standing_of(request.workspace).plan.tier.value
    months = list(spending.months())
    context = {
        "months": [month for month in months if not month["is_test"]],
        "tests": [month for month in months if month["is_test"]],
        "background": [month for month in months if month["background_calls"]],
        "background_percent": spending.BACKGROUND_PERCENT,
        "by_agent": _by_agent(),
        "budgets": _budgets(settings, tier),
        "form": budgets,
        "key_form": key,
        "keys": _key_rows(settings),
        "tier": tier_table().tier(tier),
        "may_change": allows(request.member, Permission.MANAGE_WORKSPACE),
    }
    failed = bool(budgets.errors or key.errors)
    return render(request, "costs/overview.html", context, status=422 if failed else 200)


def _budgets(settings: ModelSettings, tier: str) -> list[spending.Budget]:
    """Every budget once: the workspace's with the first agent, then each agent's own."""
    found = {
        budget.period: budget
        for agent in Agent.objects.all()
        for budget in spending.budgets_of(agent, settings, tier=tier)
    }
    return sorted(found.values(), key=lambda budget: -budget.percent)


def _by_agent() -> list[dict[str, Any]]:
    rows = SpendingDay.objects.filter(day__gte=spending.today().replace(day=1), is_test=False)
    sums = {
        field: Sum(field) for field in ("answers", "cached", "cost_micro_usd", "saved_micro_usd", "saved_ms")
    }
    groups = rows.values("agent__name", "agent_id").annotate(**sums)
    return [dict(row) for row in groups.order_by("-cost_micro_usd")]


def _key_rows(settings: ModelSettings) -> list[KeyRow]:
    return [
        KeyRow(
            provider=provider,
            name=keys.NAMES.get(provider, provider),
            ending=stored["ending"],
            tested_at=datetime.fromisoformat(stored["tested_at"]) if "tested_at" in stored else None,
            works=stored.get("works"),
            result=stored.get("result", ""),
        )
        for provider, stored in settings.keys.items()
    ]


@member_required(Permission.MANAGE_WORKSPACE)
@require_POST
def save_budgets(request: MemberRequest) -> HttpResponse:
    """Set the budgets of the workspace."""
    settings, _ = ModelSettings.objects.get_or_create(pk=1)
    before = audit.changes(settings, _BUDGETS)
    form = BudgetForm(request.POST, instance=settings)
    if not form.is_valid():
        return _overview(request, form, KeyForm())
    settings.save(update_fields=_BUDGETS)
    audit.record("costs.changed", request=request, before=before, after=audit.changes(settings, _BUDGETS))
    messages.success(request, "Saved. Budgets count from the next message.")
    return redirect("costs:overview")


@member_required(Permission.MANAGE_WORKSPACE)
@require_POST
def add_key(request: MemberRequest) -> HttpResponse:
    """Store a key of the workspace's own."""
    form = KeyForm(request.POST)
    if not form.is_valid():
        return _overview(request, BudgetForm(instance=ModelSettings.current()), form)
    provider = form.cleaned_data["provider"]
    try:
        keys.keep(provider, form.cleaned_data["key"])
    except Invalid as refused:
        form.add_error("key", refused.detail)
        return _overview(request, BudgetForm(instance=ModelSettings.current()), form)
    audit.record("provider_key.added", request=request, subject=provider)
    messages.success(
        request, f"The key for {keys.NAMES[provider]} is stored. Test it before visitors need it."
    )
    return redirect("costs:overview")


@member_required(Permission.MANAGE_WORKSPACE)
@require_POST
def test_key(request: MemberRequest, provider: str) -> HttpResponse:
    """Ask the provider for one word."""
    return _with_key(request, lambda: _tested(request, provider))


def _tested(request: MemberRequest, provider: str) -> None:
    tried = keys.test(provider, tier=standing_of(request.workspace).plan.tier.value)
    audit.record("provider_key.tested", request=request, subject=provider)
    if tried["works"]:
        messages.success(request, f"The key for {keys.NAMES[provider]} works.")
    else:
        messages.error(request, tried["result"])


@member_required(Permission.MANAGE_WORKSPACE)
@require_POST
def remove_key(request: MemberRequest, provider: str) -> HttpResponse:
    """Take a key away."""
    return _with_key(request, lambda: _removed(request, provider))


def _removed(request: MemberRequest, provider: str) -> None:
    keys.forget(provider)
    audit.record("provider_key.removed", request=request, subject=provider)
    messages.success(request, f"The key for {keys.NAMES[provider]} is removed.")


def _with_key(request: HttpRequest, act: Callable[[], None]) -> HttpResponse:
    try:
        act()
    except Invalid as refused:
        messages.error(request, refused.detail)
    return redirect("costs:overview")


@member_required(Permission.VIEW)
@require_safe
def cache_page(request: MemberRequest) -> HttpResponse:
    """The kept answers with what each saved, those that saved most first."""
    rows = CachedAnswer.objects.select_related("agent").exclude(state=CacheState.REJECTED)
    chosen = request.GET.get("agent", "")
    if chosen and any(str(agent.pk) == chosen for agent in Agent.objects.all()):
        rows = rows.filter(agent_id=chosen)
    sums = SpendingDay.objects.filter(is_test=False).aggregate(
        answers=Sum("answers"), cached=Sum("cached"), money=Sum("saved_micro_usd"), time=Sum("saved_ms")
    )
    context = {
        "page": Paginator(rows.order_by("-hits", "-created_at"), _PER_PAGE).get_page(request.GET.get("page")),
        "agents": Agent.objects.all(),
        "chosen": chosen,
        "sums": sums,
        "share": round(100 * (sums["cached"] or 0) / (sums["answers"] or 1)),
        "now": timezone.now(),
    }
    return render(request, "costs/cache.html", context)


@member_required(Permission.EDIT_AGENTS)
@require_POST
def change_entry(request: MemberRequest, entry_id: UUID) -> HttpResponse:
    """Pin an answer, ban its question from the cache, let it be as any other, or forget it."""
    entry, action = CachedAnswer.objects.get_or_404(entry_id), request.POST.get("action", "")
    states = {"pin": CacheState.PINNED, "ban": CacheState.BANNED, "free": CacheState.LIVE}
    if action == "forget":
        entry.delete()
    elif action in states:
        entry.state = states[action]
        entry.save(update_fields=["state"])
    else:
        raise Invalid("Choose what to do with this answer.")
    audit.record(f"cached_answer.{action}", request=request, subject=entry.question[:200])
    messages.success(request, _DONE[action])
    return redirect("costs:cache")


_DONE = {
    "pin": "Pinned: it is given again until a passage it cites changes.",
    "ban": "Banned: this question is always asked anew.",
    "free": "It is kept like any other answer.",
    "forget": "Forgotten: the next who asks gets a new answer.",
}
