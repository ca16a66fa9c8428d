"""What a workspace is entitled to and what it used: the public schema, guarded by Row Level Security."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from billing.plans import Tier
from netvexa.lib.ids import new_id
from tenants.models import Workspace, WorkspaceOwned


class Entitlement(WorkspaceOwned):
    """The plan of a workspace. No row means the trial, counted from the workspace's sign-up."""

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, primary_key=True, related_name="+")
    tier = models.CharField(max_length=16, choices=[(tier.value, tier.name.title()) for tier in Tier])
    changed_at = models.DateTimeField(auto_now=True)
    note = models.CharField(max_length=200, blank=True, help_text="Why staff set it, if they did.")

    def __str__(self) -> str:
        return f"{self.workspace}: {self.tier}"


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
    """One line of the ledger: reserved before the work, settled with what it really took."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=16, choices=UsageKind.choices)
    period = models.DateField(help_text="First day of the month it counts for, UTC.")
    quantity = models.PositiveBigIntegerField(default=1)
    tokens = models.PositiveIntegerField(default=0)
    cost_micro_usd = models.PositiveBigIntegerField(default=0)
    estimated = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=UsageState.choices, default=UsageState.RESERVED)
    reference = models.CharField(
        max_length=80, blank=True, help_text="What it was for, such as a message id."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    settled_at = models.DateTimeField(null=True, blank=True)

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
