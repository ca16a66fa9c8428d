"""Which plan a workspace is on, and how far it may be used now.

| subscription | what the workspace may do |
| --- | --- |
| none | the trial, counted from sign-up; after it nothing is added or answered |
| active, trialing | everything the plan includes |
| past_due, unpaid | the same for 7 days of grace; then it is read only; after 30 days the free limits |
| paused | read only |
| ended | the free limits; nothing is deleted |
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.http import HttpRequest
from django.utils import timezone

from billing.models import Entitlement, EntitlementSource
from billing.plans import FREE, OVERAGE_CENTS, PLANS, TRIAL_ANSWERS, TRIAL_DAYS, Limit, Limits, Plan, Tier
from billing.states import OWING
from tenants.models import Workspace
from tenants.postgresql.prepared import Asked, columns_of, instance_of

GRACE = timedelta(days=7)
FREE_AFTER = timedelta(days=30)  # of owing, where Stripe does not end the subscription before


class Access(StrEnum):
    """How far the plan may be used."""

    FULL = "full"
    READ_ONLY = "read_only"
    FREE = "free"


@dataclass(frozen=True)
class Standing:
    """What a workspace may use now."""

    plan: Plan
    limits: Limits
    trial_ends_at: datetime | None
    access: Access = Access.FULL
    entitlement: Entitlement | None = None

    @property
    def is_trial(self) -> bool:
        return self.trial_ends_at is not None

    @property
    def trial_is_over(self) -> bool:
        return self.trial_ends_at is not None and self.trial_ends_at <= timezone.now()

    @property
    def read_only(self) -> bool:
        return self.access is Access.READ_ONLY

    @property
    def is_free(self) -> bool:
        return self.access is Access.FREE

    @property
    def subscription(self) -> Entitlement | None:
        """The subscription with Stripe that the plan comes from, ended ones included."""
        row = self.entitlement
        return row if row is not None and row.source == EntitlementSource.STRIPE else None

    @property
    def is_owing(self) -> bool:
        row = self.subscription
        return row is not None and row.status in OWING and not self.is_free

    @property
    def extra_answers(self) -> int:
        """How many answers a month may go beyond the plan: what the owner's cap pays for, while it is paid."""
        row = self.subscription
        if row is None or row.overage_cap_usd is None or row.status != "active":
            return 0
        return row.overage_cap_usd * 100 // OVERAGE_CENTS if row.overage_status == "active" else 0

    @property
    def grace_ends_at(self) -> datetime | None:
        """Until when an unpaid plan may be used in full."""
        row = self.subscription
        return row.past_due_since + GRACE if row is not None and row.past_due_since else None


def standing_of(workspace: Workspace) -> Standing:
    """The workspace's plan and limits; without a plan row, the trial."""
    return standing_asked(workspace).found


def standing_asked(workspace: Workspace) -> Asked[Standing]:
    """`standing_of`, to be fetched together with others."""
    statement = f"SELECT {columns_of(Entitlement)} FROM public.billing_entitlement WHERE workspace_id = %s"  # noqa: S608  our own words
    return Asked(
        statement, (workspace.pk,), lambda rows: _standing(workspace, instance_of(Entitlement, rows))
    )


def _standing(workspace: Workspace, entitlement: Entitlement | None) -> Standing:
    if entitlement is not None:
        access = access_of(entitlement, now=entitlement.now)
        plan = FREE if access is Access.FREE else PLANS[Tier(entitlement.tier)]
        return Standing(plan, plan.limits, None, access, entitlement)
    trial = PLANS[Tier.GROWTH]
    return Standing(trial, {**trial.limits, Limit.ANSWERS: TRIAL_ANSWERS}, trial_end_of(workspace))


def trial_end_of(workspace: Workspace) -> datetime:
    """When the trial ends or ended: counted from sign-up, unless staff gave more time."""
    return workspace.trial_ends_at or workspace.created_at + timedelta(days=TRIAL_DAYS)


def access_of(entitlement: Entitlement, *, now: datetime) -> Access:
    """The table at the head of this module."""
    if entitlement.source == EntitlementSource.STAFF or entitlement.status in ("active", "trialing"):
        return Access.FULL
    if entitlement.status in OWING:
        return _access_while_owing(now - (entitlement.past_due_since or now))
    return Access.READ_ONLY if entitlement.status == "paused" else Access.FREE


def _access_while_owing(owing: timedelta) -> Access:
    if owing < GRACE:
        return Access.FULL
    return Access.READ_ONLY if owing < FREE_AFTER else Access.FREE


def subscriber_of_request(request: HttpRequest) -> Workspace:
    """dj-stripe's question: who pays? The workspace, never the user."""
    workspace: Workspace = request.workspace  # type: ignore[attr-defined]
    return workspace
