"""What answers cost: booked by agent and day, held against budgets, and told before they are used up.

Budgets hold for a conversation, and for a day and a month of an agent and of the workspace. Where the platform
pays, the plan's own budgets hold as well; with a key of its own a workspace sets what it likes. An answer may
cost what the tightest budget has left. Answers that run at the same time see the same rest, so a budget may be
overrun by what is under way, each of it within its own ceiling.

Days and months are UTC. Runs inside the workspace.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone

from agents.models import Agent, ModelSettings
from agents.providers import Usage, tier_table
from billing.models import UsageKind
from billing.usage import reserve, settle
from chat.answers import Answer
from chat.models import SpendingDay
from netvexa.lib.ids import new_id
from tenants import mail
from tenants.context import current_workspace
from tenants.members import members
from tenants.models import Role
from tenants.postgresql.prepared import Asked, rows_of

BACKGROUND_PERCENT = 90  # of a budget, at which background work rests
LEVELS = (50, 80, 100)  # percent of a budget at which the owners are told
NEAR = 10  # percent of a budget before a level, from which on every answer looks whether it is reached
_BOOK = """
    INSERT INTO chat_spendingday AS day (id, agent_id, day, is_test, answers, cached, input_tokens,
           output_tokens, cost_micro_usd, estimated_micro_usd, saved_micro_usd, saved_ms)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (agent_id, day, is_test) DO UPDATE SET
           answers = day.answers + EXCLUDED.answers,
           cached = day.cached + EXCLUDED.cached,
           input_tokens = day.input_tokens + EXCLUDED.input_tokens,
           output_tokens = day.output_tokens + EXCLUDED.output_tokens,
           cost_micro_usd = day.cost_micro_usd + EXCLUDED.cost_micro_usd,
           estimated_micro_usd = day.estimated_micro_usd + EXCLUDED.estimated_micro_usd,
           saved_micro_usd = day.saved_micro_usd + EXCLUDED.saved_micro_usd,
           saved_ms = day.saved_ms + EXCLUDED.saved_ms
"""
_BOOK_BACKGROUND = """
    INSERT INTO chat_spendingday AS day (id, agent_id, day, is_test, answers, cached, input_tokens, output_tokens,
           cost_micro_usd, estimated_micro_usd, saved_micro_usd, saved_ms, background_items, background_calls,
           background_input_tokens, background_output_tokens, background_micro_usd)
    VALUES (%s, %s, %s, %s, 0, 0, 0, 0, 0, 0, 0, 0, %s, %s, %s, %s, %s)
    ON CONFLICT (agent_id, day, is_test) DO UPDATE SET
           background_items = day.background_items + EXCLUDED.background_items,
           background_calls = day.background_calls + EXCLUDED.background_calls,
           background_input_tokens = day.background_input_tokens + EXCLUDED.background_input_tokens,
           background_output_tokens = day.background_output_tokens + EXCLUDED.background_output_tokens,
           background_micro_usd = day.background_micro_usd + EXCLUDED.background_micro_usd
"""
# Asked for every answer: the ORM takes several times as long to write it as the database to answer it.
_SPENT = """
    SELECT coalesce(sum(cost) FILTER (WHERE agent_id = %(agent)s AND day = %(day)s), 0),
           coalesce(sum(cost) FILTER (WHERE agent_id = %(agent)s), 0),
           coalesce(sum(cost) FILTER (WHERE day = %(day)s), 0),
           coalesce(sum(cost), 0)
      FROM (SELECT agent_id, day, cost_micro_usd + background_micro_usd AS cost
              FROM chat_spendingday
             WHERE day >= %(month)s AND is_test = %(is_test)s) AS spent
"""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """A limit on money and how much of it is spent, in micro-USD. `name` reads "this agent's day"."""

    name: str
    limit: int
    spent: int
    period: str = ""

    @property
    def left(self) -> int:
        return max(0, self.limit - self.spent)

    @property
    def told_as(self) -> str:
        """What its alerts are kept under: a limit that is changed has alerts of its own."""
        return f"{self.period}:{self.limit}"

    @property
    def percent(self) -> int:
        return 100 * self.spent // self.limit if self.limit else 100

    @property
    def level(self) -> int:
        """The highest of LEVELS that is reached, or 0."""
        return max((level for level in LEVELS if self.percent >= level), default=0)


@dataclass(frozen=True)
class Spent:
    """What this agent and all agents spent today and this month, in micro-USD."""

    agent_day: int
    agent_month: int
    workspace_day: int
    workspace_month: int


@dataclass(frozen=True, kw_only=True)
class Known:
    """The workspace's settings, and what was spent, as they were read when an answer began."""

    settings: ModelSettings
    spent: Spent


def today() -> date:
    return timezone.now().astimezone(UTC).date()


def book(
    agent: Agent,
    answer: Answer,
    *,
    tier: str,
    is_test: bool,
    known: Known | None = None,
    counts: bool = True,
) -> None:
    """Add an answer that was stored to its agent's day; then tell the owners if a budget reached a level.

    What was `known` when the answer began spares looking again where every level is far. What a run has spent whose
    answer another one stores is booked as well, but `counts` as no answer.
    """
    saved, usage, cost = answer.receipt.get("cache", {}), answer.usage, answer.usage.cost_micro_usd
    values = (
        new_id(), agent.pk, today(), is_test, int(counts), int(answer.cached), usage.input_tokens,
        usage.output_tokens, cost, cost if usage.estimated else 0, saved.get("saved_micro_usd", 0),
        saved.get("saved_ms", 0),
    )  # fmt: skip
    rows_of(_BOOK, values)
    is_far = cost == 0 if known is None else _is_far(agent, known, cost, tier=tier)
    if not is_test and not is_far:
        _tell(agent, tier=tier)


def _is_far(agent: Agent, known: Known, cost: int, *, tier: str) -> bool:
    """Whether no budget comes near a level that was not told of yet. What other answers spend at the same time is
    NEAR percent of a budget at most; where it is more, the next answer tells, also one that costs nothing because
    the budget is used up.
    """
    settings, near = known.settings, NEAR if cost else 0
    for budget in budgets_of(agent, settings, tier=tier, spent=known.spent):
        told = _told(budget, settings)
        coming = next((level for level in LEVELS if level > told), None)
        if coming is not None and 100 * (budget.spent + cost) >= (coming - near) * budget.limit:
            return False
    return True


@dataclass(frozen=True, kw_only=True)
class Work:
    """What models did in the background: pieces, requests, and what they took."""

    items: int
    calls: int
    usage: Usage


def book_background(agent: Agent, work: Work, *, tier: str, is_test: bool, own_key: bool) -> None:
    """Add background work to its agent's day, and to the ledger as its own kind; it is never counted as an answer.

    Call it in the transaction that stores what came of the work, so that both are there or neither.
    """
    usage, workspace = work.usage, current_workspace()
    counts = (work.items, work.calls, usage.input_tokens, usage.output_tokens, usage.cost_micro_usd)
    rows_of(_BOOK_BACKGROUND, (new_id(), agent.pk, today(), is_test, *counts))
    place = reserve(workspace, kind=UsageKind.BACKGROUND, limit=None, reference="background")
    settle(
        place.id,
        tokens=usage.input_tokens + usage.output_tokens,
        cost_micro_usd=0 if own_key else usage.cost_micro_usd,
        estimated=usage.estimated,
    )
    if usage.cost_micro_usd and not is_test:
        _tell(agent, tier=tier)


def left_for_background(
    agent: Agent, settings: ModelSettings, *, tier: str, is_test: bool = False
) -> int | None:
    """What background work may cost now, in micro-USD; None where no budget is set.

    The last tenth of every budget is for visitors: background work rests first.
    """
    budgets = budgets_of(agent, settings, tier=tier, is_test=is_test)
    rests = (budget.limit * BACKGROUND_PERCENT // 100 - budget.spent for budget in budgets)
    return max(0, min(rests)) if budgets else None


def spent_by(agent: Agent, *, is_test: bool = False) -> Spent:
    """What was spent so far."""
    return spent_asked(agent, is_test=is_test).found


def spent_asked(agent: Agent, *, is_test: bool = False) -> Asked[Spent]:
    """`spent_by`, to be fetched together with others."""
    now = today()
    given: dict[str, Any] = {"agent": agent.pk, "day": now, "month": now.replace(day=1), "is_test": is_test}
    return Asked(_SPENT, given, lambda rows: Spent(*map(int, rows[0])))


def budgets_of(
    agent: Agent, settings: ModelSettings, *, tier: str, is_test: bool = False, spent: Spent | None = None
) -> list[Budget]:
    """The budgets of days and months that hold for an answer of this agent; `spent` is read where it is not given."""
    spent = spent or spent_by(agent, is_test=is_test)
    row, now = tier_table().tier(tier), today()
    day, month = f"{now:%Y-%m-%d}", f"{now:%Y-%m}"
    plan_day, plan_month = (None, None) if settings.keys else (row.daily_micro_usd, row.monthly_micro_usd)
    limits = (
        (f"the day of {agent.name}", agent.daily_budget_micro_usd, spent.agent_day, f"{agent.pk}:{day}"),
        (
            f"the month of {agent.name}",
            agent.monthly_budget_micro_usd,
            spent.agent_month,
            f"{agent.pk}:{month}",
        ),
        (
            "the workspace’s day",
            _tighter(settings.daily_budget_micro_usd, plan_day),
            spent.workspace_day,
            day,
        ),
        (
            "the workspace’s month",
            _tighter(settings.monthly_budget_micro_usd, plan_month),
            spent.workspace_month,
            month,
        ),
    )
    return [
        Budget(name=name, limit=limit, spent=used, period=period)
        for name, limit, used, period in limits
        if limit is not None
    ]


def tightest(agent: Agent, known: Known, *, tier: str, spent_here: int) -> Budget | None:
    """The budget with the least left for an answer in a conversation that has cost `spent_here` so far; None
    where none is set.
    """
    settings = known.settings
    own = None if settings.keys else tier_table().tier(tier).conversation_micro_usd
    limit = _tighter(settings.conversation_budget_micro_usd, own)
    budgets = budgets_of(agent, settings, tier=tier, spent=known.spent)
    if limit is not None:
        budgets.append(Budget(name="this conversation", limit=limit, spent=spent_here))
    return min(budgets, key=lambda budget: budget.left, default=None)


def _tighter(one: int | None, other: int | None) -> int | None:
    return min((limit for limit in (one, other) if limit is not None), default=None)


def _tell(agent: Agent, *, tier: str) -> None:
    """One mail to the owners for each budget, period and level; the row's lock sees to the once."""
    settings = ModelSettings.current()
    reached = [budget for budget in budgets_of(agent, settings, tier=tier) if _is_news(budget, settings)]
    if not reached:
        return
    ModelSettings.objects.get_or_create(pk=1)
    with transaction.atomic():
        locked = ModelSettings.objects.select_for_update().get(pk=1)
        for budget in [budget for budget in reached if _is_news(budget, locked)]:
            locked.alerts = {**_current(locked.alerts), budget.told_as: budget.level}
            for owner in members().filter(role=Role.OWNER):
                mail.send("budget", to=owner.user.email, context=_words(budget))
        locked.save(update_fields=["alerts"])


def _is_news(budget: Budget, settings: ModelSettings) -> bool:
    return budget.level > _told(budget, settings)


def _told(budget: Budget, settings: ModelSettings) -> int:
    """The level that the owners know of."""
    return int(settings.alerts.get(budget.told_as, 0))


def _current(alerts: dict[str, int]) -> dict[str, int]:
    """Without those of months that are over."""
    return {period: level for period, level in alerts.items() if f"{today():%Y-%m}" in period}


def _words(budget: Budget) -> dict[str, object]:
    workspace = current_workspace()
    return {"budget": budget, "level": budget.level, "workspace": workspace, "dollars": budget.limit / 1e6}


def months() -> Iterator[dict[str, Any]]:
    """Sums of each month with traffic, newest first, visitors' and the team's tries apart."""
    fields = ("answers", "cached", "input_tokens", "output_tokens", "cost_micro_usd", "estimated_micro_usd")
    background = (
        "background_items",
        "background_calls",
        "background_input_tokens",
        "background_output_tokens",
        "background_micro_usd",
    )
    sums = {field: Sum(field) for field in (*fields, *background, "saved_micro_usd", "saved_ms")}
    rows = SpendingDay.objects.annotate(month=TruncMonth("day")).values("month", "is_test").annotate(**sums)
    yield from map(dict, rows.order_by("-month", "is_test")[:24])
