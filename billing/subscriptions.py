"""Which plan a workspace is on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest
from django.utils import timezone

from billing.models import Entitlement
from billing.plans import PLANS, TRIAL_ANSWERS, TRIAL_DAYS, Limit, Plan, Tier
from tenants.models import Workspace


@dataclass(frozen=True)
class Standing:
    """What a workspace may use now."""

    plan: Plan
    limits: dict[Limit, int | None]
    trial_ends_at: datetime | None

    @property
    def is_trial(self) -> bool:
        return self.trial_ends_at is not None

    @property
    def trial_is_over(self) -> bool:
        return self.trial_ends_at is not None and self.trial_ends_at <= timezone.now()


def standing_of(workspace: Workspace) -> Standing:
    """The workspace's plan and limits; without a plan row, the trial."""
    entitlement = Entitlement.objects.filter(workspace=workspace).first()
    if entitlement is not None:
        plan = PLANS[Tier(entitlement.tier)]
        return Standing(plan, plan.limits, None)
    trial = PLANS[Tier.GROWTH]
    ends = workspace.created_at + timedelta(days=TRIAL_DAYS)
    return Standing(trial, {**trial.limits, Limit.ANSWERS: TRIAL_ANSWERS}, ends)


def subscriber_of_request(request: HttpRequest) -> Workspace:
    """dj-stripe's question: who pays? The workspace, never the user."""
    workspace: Workspace = request.workspace  # type: ignore[attr-defined]
    return workspace
