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

    overage_cap_usd = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="What answers beyond the plan may cost in a month, in US dollars; empty: there are none.",
    )
    overage_status = models.CharField(
        max_length=24, blank=True, help_text="Stripe's word for the subscription of what is beyond the plan."
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
    """What is counted. Of pages, storage and seats the ledger has each change; their sum is what there is now.

    Tokens have no lines of their own in the ledger: they stand on the settled line of the answer that took them.
    """

    ANSWERS = "answers"
    TOKENS = "tokens"
    PAGES = "pages"
    STORAGE = "storage", "Bytes of storage"
    SEATS = "seats"
    API_CALLS = "api_calls", "API calls"
    BACKGROUND = "background", "Background work of models"


class UsageState(models.TextChoices):
    """A reservation is settled or released exactly once."""

    RESERVED = "reserved"
    SETTLED = "settled"
    RELEASED = "released"


class UsageEntry(WorkspaceOwned):
    """One line of the ledger, which only grows: a reservation, what became of one, or what was measured.

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
        verbose_name_plural = "usage entries"
        indexes: ClassVar = [
            models.Index(fields=["workspace", "kind", "period"], name="usage_by_period"),
            models.Index(fields=["created_at"], name="usage_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} {self.kind}"


class UsageBucket(WorkspaceOwned):
    """How much of a kind a workspace used in a month: one row, taken under its lock."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=16, choices=UsageKind.choices)
    period = models.DateField()
    used = models.PositiveBigIntegerField(
        default=0, help_text="Reserved and settled together; of pages, storage and seats what there is."
    )
    over = models.PositiveBigIntegerField(default=0, help_text="How many of them are beyond the plan.")
    tokens = models.PositiveBigIntegerField(default=0)
    cost_micro_usd = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "kind", "period"], name="bucket_once")
        ]

    def __str__(self) -> str:
        return f"{self.workspace} {self.kind} {self.period}"


class UsageHour(WorkspaceOwned):
    """How much of a kind a workspace used in an hour: summed from the ledger, never written otherwise."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=16, choices=UsageKind.choices)
    hour = models.DateTimeField(help_text="Its beginning.")
    quantity = models.BigIntegerField(default=0)
    cost_micro_usd = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "kind", "hour"], name="usage_hour_once")
        ]

    def __str__(self) -> str:
        return f"{self.workspace} {self.kind} {self.hour}"


class OverageEvent(WorkspaceOwned):
    """Answers beyond the plan, as told to Stripe's meter: never rewritten; what comes later is the next one."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    period = models.DateField(help_text="First day of the month whose quota they are beyond.")
    number = models.PositiveIntegerField(help_text="1 is the month's first.")
    identifier = models.CharField(max_length=100, unique=True, help_text="Under it Stripe counts them once.")
    quantity = models.PositiveBigIntegerField()
    at = models.DateTimeField(help_text="When they count for, in the time that the subscription lives in.")
    sent_at = models.DateTimeField(null=True, blank=True)
    refusal = models.CharField(max_length=200, blank=True, help_text="Why Stripe did not take it, if so.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "period", "number"], name="overage_event_once")
        ]

    def __str__(self) -> str:
        return self.identifier


class MovementKind(models.TextChoices):
    """What a change of a subscription means for what comes in each month."""

    NEW = "new"
    EXPANSION = "expansion"
    CONTRACTION = "contraction"
    CHURN = "churn"
    RETURN = "return"


class PlanMovement(WorkspaceOwned):
    """A change of what a workspace pays each month. Their sum is the recurring revenue of any day."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=16, choices=MovementKind.choices)
    before_cents = models.PositiveIntegerField(help_text="A month, before it.")
    after_cents = models.PositiveIntegerField(help_text="A month, after it.")
    tier = models.CharField(max_length=16, choices=_TIERS)

    def __str__(self) -> str:
        return f"{self.workspace}: {self.kind}"


class AcquisitionSpend(models.Model):
    """What was spent on winning customers in a month, typed in by staff."""

    month = models.DateField(unique=True, help_text="The month's first day.")
    usd = models.PositiveIntegerField("US dollars", help_text="Advertising, commissions, sales.")
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name_plural = "acquisition spend"

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class BusinessFigures(PlanMovement):
    """The movements as staff see them: what they add up to."""

    class Meta:
        proxy = True
        verbose_name_plural = "business figures"
