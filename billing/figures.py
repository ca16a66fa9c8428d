"""How the business does, from our own rows: by month, and each workspace's margin.

Money in cents, cost in cents as well; months are UTC. A figure is None where there is nothing to compute it from.
Works as the platform. What each figure means stands on the page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from django.db.models import Sum
from django.utils import timezone

from billing.models import AcquisitionSpend, MovementKind, OverageEvent, PlanMovement, UsageBucket
from billing.plans import OVERAGE_CENTS
from billing.usage import end_of
from tenants.models import Workspace

MONTHS = 12
RECENT = 3  # months whose average says what is usual now


@dataclass(kw_only=True)
class Month:
    """One month's figures."""

    first: date
    opening_cents: int = 0
    opening_customers: int = 0
    cents: dict[str, int] = field(default_factory=dict)  # by kind of movement, signed
    customers: dict[str, int] = field(default_factory=dict)
    signed_up: int = 0
    converted: int = 0
    overage_cents: int = 0
    cost_cents: float = 0.0
    spent_cents: int | None = None

    @property
    def closing_cents(self) -> int:
        return self.opening_cents + sum(self.cents.values())

    @property
    def closing_customers(self) -> int:
        gained = self.customers.get(MovementKind.NEW, 0) + self.customers.get(MovementKind.RETURN, 0)
        return self.opening_customers + gained - self.customers.get(MovementKind.CHURN, 0)

    @property
    def arr_cents(self) -> int:
        return 12 * self.closing_cents

    @property
    def churn(self) -> float | None:
        return share(self.customers.get(MovementKind.CHURN, 0), self.opening_customers)

    @property
    def conversion(self) -> float | None:
        return share(self.converted, self.signed_up)

    @property
    def revenue_cents(self) -> float:
        return self.closing_cents * part_gone(self.first) + self.overage_cents

    @property
    def margin(self) -> float | None:
        return share(self.revenue_cents - self.cost_cents, self.revenue_cents)


@dataclass(frozen=True, kw_only=True)
class Target:
    """A target that the business set itself: the figure now, and whether it is met (None: not known yet)."""

    name: str
    wanted: str
    value: str
    met: bool | None


@dataclass(frozen=True, kw_only=True)
class WorkspaceMonth:
    """One workspace's revenue and cost of a month."""

    workspace: Workspace
    revenue_cents: float
    cost_cents: float

    @property
    def margin_cents(self) -> float:
        return self.revenue_cents - self.cost_cents

    @property
    def margin(self) -> float | None:
        return share(self.margin_cents, self.revenue_cents)


def share(part: float, whole: float) -> float | None:
    """`part` of `whole`; None where there is no whole."""
    return part / whole if whole else None


def part_gone(first: date) -> float:
    """How much of a month is over, 0 to 1."""
    start, end = datetime(first.year, first.month, 1, tzinfo=UTC), end_of(first)
    return min(1.0, max(0.0, (timezone.now() - start) / (end - start)))


def months() -> list[Month]:
    """The last twelve months and the one that runs, oldest first."""
    found = [Month(first=first) for first in _firsts(MONTHS + 1)]
    movements = list(PlanMovement.objects.order_by("at", "pk"))
    for month in found:
        _add_movements(month, movements)
    _add_trials(found, {row.workspace_id for row in movements})
    _add_money(found)
    return found


def _firsts(number: int) -> list[date]:
    """The first days of the last months, the present one last."""
    today = timezone.now().astimezone(UTC).date()
    counted = today.year * 12 + today.month - 1
    return [date(n // 12, n % 12 + 1, 1) for n in range(counted - number + 1, counted + 1)]


def _month_of(moment: datetime) -> date:
    return moment.astimezone(UTC).date().replace(day=1)


def _add_movements(month: Month, movements: Iterable[PlanMovement]) -> None:
    for row in movements:
        change, when = row.after_cents - row.before_cents, _month_of(row.at)
        if when < month.first:
            month.opening_cents += change
            month.opening_customers += bool(row.after_cents) - bool(row.before_cents)
        elif when == month.first:
            month.cents[row.kind] = month.cents.get(row.kind, 0) + change
            month.customers[row.kind] = month.customers.get(row.kind, 0) + 1


def _add_trials(found: Sequence[Month], paid: set[object]) -> None:
    by_first = {month.first: month for month in found}
    rows = Workspace.objects.filter(
        created_at__gte=datetime.combine(found[0].first, datetime.min.time(), UTC)
    )
    for pk, created_at in rows.values_list("pk", "created_at"):
        month = by_first[_month_of(created_at)]
        month.signed_up += 1
        month.converted += pk in paid


def _add_money(found: Sequence[Month]) -> None:
    costs = _by_month(UsageBucket.objects.values_list("period").annotate(sum=Sum("cost_micro_usd")))
    over = _by_month(OverageEvent.objects.values_list("period").annotate(sum=Sum("quantity")))
    spent = _by_month(AcquisitionSpend.objects.values_list("month", "usd"))
    for month in found:
        month.cost_cents = costs.get(month.first, 0) / 10_000
        month.overage_cents = over.get(month.first, 0) * OVERAGE_CENTS
        month.spent_cents = spent[month.first] * 100 if month.first in spent else None


def _by_month(rows: Iterable[tuple[date, int]]) -> dict[date, int]:
    return {first.replace(day=1): number or 0 for first, number in rows}


def ltv_cents(found: Sequence[Month]) -> float | None:
    """What an average workspace brings until it leaves, after the models' cost."""
    recent, now = found[-1 - RECENT : -1], found[-1]
    began = sum(month.opening_customers for month in recent)
    churn = share(sum(month.customers.get(MovementKind.CHURN, 0) for month in recent), began)
    average = share(now.closing_cents, now.closing_customers)
    margin = share(
        sum(month.revenue_cents - month.cost_cents for month in recent),
        sum(month.revenue_cents for month in recent),
    )
    if not churn or average is None or margin is None:
        return None
    return average * margin / churn


def cac_cents(found: Sequence[Month]) -> float | None:
    """What a new customer cost to win."""
    recent = found[-1 - RECENT : -1]
    if all(month.spent_cents is None for month in recent):
        return None
    won = sum(month.customers.get(MovementKind.NEW, 0) for month in recent)
    return share(sum(month.spent_cents or 0 for month in recent), won)


def targets(found: Sequence[Month]) -> list[Target]:
    """Where the targets stand: churn and margin of the last full month, LTV to CAC of the last three."""
    last = found[-2]
    ltv, cac = ltv_cents(found), cac_cents(found)
    ratio = share(ltv, cac) if ltv is not None and cac else None
    return [
        _target("Churn a month", "under 5 %", last.churn, in_percent, lambda value: value < 0.05),
        _target("LTV to CAC", "over 3", ratio, "{:.1f}".format, lambda value: value > 3),
        _target("Gross margin", "over 70 %", last.margin, in_percent, lambda value: value > 0.7),
    ]


def _target(
    name: str, wanted: str, value: float | None, say: Callable[[float], str], is_met: Callable[[float], bool]
) -> Target:
    if value is None:
        return Target(name=name, wanted=wanted, value="", met=None)
    return Target(name=name, wanted=wanted, value=say(value), met=is_met(value))


def in_percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f} %"


def by_workspace(first: date) -> list[WorkspaceMonth]:
    """Revenue and cost of each workspace that had any in the month, the largest loss first."""
    paid: dict[object, int] = {}
    for row in PlanMovement.objects.filter(at__lt=end_of(first)).order_by("at", "pk"):
        paid[row.workspace_id] = row.after_cents
    costs = dict(
        UsageBucket.objects.filter(period=first).values_list("workspace").annotate(sum=Sum("cost_micro_usd"))
    )
    over = dict(
        OverageEvent.objects.filter(period=first).values_list("workspace").annotate(sum=Sum("quantity"))
    )
    gone = part_gone(first)
    rows = [
        WorkspaceMonth(
            workspace=workspace,
            revenue_cents=paid.get(workspace.pk, 0) * gone + over.get(workspace.pk, 0) * OVERAGE_CENTS,
            cost_cents=costs.get(workspace.pk, 0) / 10_000,
        )
        for workspace in Workspace.objects.filter(pk__in={*paid, *costs, *over})
    ]
    had_any = [row for row in rows if row.revenue_cents or row.cost_cents]
    return sorted(had_any, key=lambda row: (row.margin_cents, row.workspace.slug))
