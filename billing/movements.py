"""What a workspace pays each month, and each change of it taken down: the ground of the business figures."""

from __future__ import annotations

from billing.models import Entitlement, EntitlementSource, MovementKind, PlanMovement
from billing.plans import PLANS, Interval, Tier
from tenants.models import Workspace

PAYING = ("active", "past_due")  # what is in its days of grace has not been lost


def monthly_cents(row: Entitlement | None) -> int:
    """The plan's list price a month in cents; a year's is spread over its months. Trials and gifts are 0."""
    if row is None or row.source != EntitlementSource.STRIPE or row.status not in PAYING:
        return 0
    plan = PLANS[Tier(row.tier)]
    if row.interval == Interval.YEAR:
        return round((plan.yearly_usd or 0) * 100 / 12)
    return (plan.monthly_usd or 0) * 100


def take_down(workspace: Workspace, before: Entitlement | None, after: Entitlement | None) -> None:
    """Note that the monthly payment changed, if it did. Works as the platform, under the account's lock."""
    was, now = monthly_cents(before), monthly_cents(after)
    if was == now or after is None:
        return
    PlanMovement.objects.create(
        workspace=workspace,
        kind=_kind(workspace, was, now),
        before_cents=was,
        after_cents=now,
        tier=after.tier,
    )


def _kind(workspace: Workspace, was: int, now: int) -> MovementKind:
    if was and now:
        return MovementKind.EXPANSION if now > was else MovementKind.CONTRACTION
    if was:
        return MovementKind.CHURN
    came_before = PlanMovement.objects.filter(workspace=workspace).exists()
    return MovementKind.RETURN if came_before else MovementKind.NEW
