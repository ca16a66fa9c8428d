"""What a workspace is entitled to and what it used: the public schema, guarded by Row Level Security."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.utils import timezone

from billing.plans import Interval, Tier
from netvexa.lib.ids import new_id
from tenants.models import Workspace, WorkspaceOwned


class BilledWorkspace(Workspace):
    """A workspace as staff see it where they deal with its money."""

    class Meta:
        proxy = True
        verbose_name = "money of a workspace"
        verbose_name_plural = "money of workspaces"


class EntitlementSource(models.TextChoices):
    """Who decided on the plan. What staff gave is not changed by Stripe."""

    STAFF = "staff"
    STRIPE = "stripe"


_TIERS = [(tier.value, tier.name.title()) for tier in Tier]


class Entitlement(WorkspaceOwned):
    """The plan of a workspace. No row means the trial, counted from the workspace's sign-up.

    With the source "stripe" everything here is computed from Stripe's objects (`billing.states`), and how far
    the plan may be used is computed from the row and the time (`billing.subscriptions`).
    """

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, primary_key=True, related_name="+")
    tier = models.CharField(max_length=16, choices=_TIERS)
    changed_at = models.DateTimeField(auto_now=True)
    note = models.CharField(max_length=200, blank=True, help_text="Why staff set it, if they did.")
    source = models.CharField(
        max_length=8, choices=EntitlementSource.choices, default=EntitlementSource.STAFF
    )
    status = models.CharField(max_length=24, blank=True, help_text="Stripe's word for the subscription.")
    interval = models.CharField(
        max_length=8, blank=True, choices=[(item.value, item.value) for item in Interval]
    )
    period_ends_at = models.DateTimeField(null=True, blank=True)
    cancels_at = models.DateTimeField(null=True, blank=True)
    past_due_since = models.DateTimeField(null=True, blank=True)
    next_tier = models.CharField(
        max_length=16,
        blank=True,
        choices=_TIERS,
        help_text="The plan that a change at the period's end brings.",
    )
    next_interval = models.CharField(max_length=8, blank=True)
    clock_ahead = models.DurationField(
        default=timedelta, help_text="How far the test clock of Stripe's test mode is ahead of the real time."
    )

    def __str__(self) -> str:
        return f"{self.workspace}: {self.tier}"

    @property
    def now(self) -> datetime:
        """The time that the subscription lives in."""
        return timezone.now() + self.clock_ahead


class BillingAccount(WorkspaceOwned):
    """A workspace as Stripe's customer. Its row is locked while its entitlement is computed."""

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, primary_key=True, related_name="+")
    customer_id = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    refreshed_at = models.DateTimeField(null=True, blank=True, help_text="Last computed from Stripe's state.")

    def __str__(self) -> str:
        return f"{self.workspace}: {self.customer_id}"


class BillingNotice(WorkspaceOwned):
    """A mail about money that was sent, so that it is sent once."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=32)
    reference = models.CharField(max_length=120, help_text="What it is about, such as an invoice's id.")
    sent_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "kind", "reference"], name="notice_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"


class DriftFinding(WorkspaceOwned):
    """Something in which our picture of a workspace differed from Stripe's; found by the nightly check."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    found_at = models.DateTimeField(default=timezone.now, editable=False)
    problem = models.CharField(max_length=200)
    ours = models.JSONField(default=dict)
    stripes = models.JSONField(default=dict)
    repaired = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.workspace}: {self.problem}"


class UsageKind(models.TextChoices):
    """What is counted."""

    ANSWERS = "answers"
    TOKENS = "tokens"
    COST = "cost", "Cost in micro-USD"


class UsageState(models.TextChoices):
    """A reservation is settled or released exactly once."""

    RESERVED = "reserved"
    SETTLED = "settled"
    RELEASED = "released"


class UsageEntry(WorkspaceOwned):
    """One line of the ledger, which only grows: a reservation, or what became of one.

    The sum of `quantity` is what was used. The database's roles may neither change nor delete a line.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=16, choices=UsageKind.choices)
    period = models.DateField(help_text="First day of the month it counts for, UTC.")
    quantity = models.BigIntegerField(
        default=1, help_text="1 when reserved, 0 when settled, -1 when given back."
    )
    tokens = models.PositiveIntegerField(default=0)
    cost_micro_usd = models.PositiveBigIntegerField(default=0)
    estimated = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=UsageState.choices, default=UsageState.RESERVED)
    reference = models.CharField(
        max_length=80, blank=True, help_text="What it was for, such as a message id."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    reservation = models.UUIDField(
        null=True, blank=True, unique=True, help_text="The reserved line that this one settles or releases."
    )

    class Meta:
        indexes: ClassVar = [models.Index(fields=["workspace", "kind", "period"], name="usage_by_period")]

    def __str__(self) -> str:
        return f"{self.quantity} {self.kind}"


class UsageBucket(WorkspaceOwned):
    """How much of a kind a workspace used in a month: one row, taken under its lock."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=16, choices=UsageKind.choices)
    period = models.DateField()
    used = models.PositiveBigIntegerField(default=0, help_text="Reserved and settled together.")
    tokens = models.PositiveBigIntegerField(default=0)
    cost_micro_usd = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "kind", "period"], name="bucket_once")
        ]

    def __str__(self) -> str:
        return f"{self.workspace} {self.kind} {self.period}"
