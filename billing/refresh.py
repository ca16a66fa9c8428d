"""Our picture of a workspace's subscription, brought to what Stripe holds.

Stripe is asked while the account's row is locked, and whoever comes later asks later: so events may come in
any order, twice or not at all, and the last refresh always tells the truth.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import stripe
from django.db import transaction
from django.utils import timezone

from billing import movements
from billing.gateway import asking, plain
from billing.models import BillingAccount, Entitlement, EntitlementSource
from billing.plans import Tier
from billing.states import Json, State, deciding, overage_of, state_of
from tenants import audit
from tenants.models import Workspace


@dataclass(frozen=True, kw_only=True)
class Held:
    """What Stripe holds for a customer."""

    subscriptions: list[Json]
    state: State | None
    overage_status: str = ""
    clock_ahead: timedelta = timedelta()


@dataclass(frozen=True, kw_only=True)
class Refreshed:
    """What a refresh found: the row before and after. None before is the trial."""

    workspace: Workspace
    before: Entitlement | None
    after: Entitlement | None
    state: State | None


def refresh(customer_id: str) -> Refreshed | None:
    """Compute a customer's entitlement anew; None for a customer of somebody else.

    Works as the platform. Raises StripeDown; then nothing is changed.
    """
    with transaction.atomic():
        account = (
            BillingAccount.objects.select_for_update(of=("self",))
            .select_related("workspace")
            .filter(customer_id=customer_id)
            .first()
        )
        if account is None:
            return None
        held = held_by_stripe(customer_id)
        before = Entitlement.objects.filter(workspace=account.workspace).first()
        after = _grant(account.workspace, held)
        movements.take_down(account.workspace, before, after)
        account.refreshed_at = timezone.now()
        account.save(update_fields=["refreshed_at"])
    return Refreshed(workspace=account.workspace, before=before, after=after, state=held.state)


def held_by_stripe(customer_id: str) -> Held:
    """Ask Stripe. dj-stripe's tables are not written here: its webhooks and the nightly check do that."""
    with asking() as client:
        listed = client.v1.subscriptions.list({"customer": customer_id, "status": "all", "limit": 20}).data
        subscriptions = [plain(row) for row in listed]
        chosen = deciding(subscriptions)
        if chosen is None:
            return Held(subscriptions=subscriptions, state=None)
        return Held(
            subscriptions=subscriptions,
            state=state_of(chosen, _schedule(client, chosen)),
            overage_status=(overage_of(subscriptions) or {}).get("status", ""),
            clock_ahead=_clock_ahead(client, chosen),
        )


def _schedule(client: stripe.StripeClient, subscription: Json) -> Json | None:
    if not subscription.get("schedule"):
        return None
    expand: Any = {"expand": ["phases.items.price"]}
    return plain(client.v1.subscription_schedules.retrieve(subscription["schedule"], expand))


def _clock_ahead(client: stripe.StripeClient, subscription: Json) -> timedelta:
    """In Stripe's test mode a customer may live on a test clock; then so does its entitlement."""
    if not subscription.get("test_clock"):
        return timedelta()
    clock = client.v1.test_helpers.test_clocks.retrieve(subscription["test_clock"])
    ahead = clock.frozen_time - int(time.time())
    return timedelta(seconds=ahead if abs(ahead) > 60 else 0)


def _grant(workspace: Workspace, held: Held) -> Entitlement | None:
    """Write the row, unless staff decided or there never was a subscription."""
    row = Entitlement.objects.filter(workspace=workspace).first()
    if held.state is None or (row is not None and row.source == EntitlementSource.STAFF):
        return row
    before = _audited(row)
    row = row or Entitlement(workspace=workspace)
    apply(row, held.state)
    row.clock_ahead, row.overage_status = held.clock_ahead, held.overage_status
    row.save()
    if before != (after := _audited(row)):
        audit.note("plan.changed", actor="Stripe", workspace=workspace, before=before, after=after)
    return row


def _audited(row: Entitlement | None) -> dict[str, Any] | None:
    return audit.changes(row, ["tier", "interval", "status"]) if row is not None else None


def apply(row: Entitlement, state: State) -> None:
    """Set the row's fields from a state. A price that we do not know leaves the tier as it was."""
    row.source = EntitlementSource.STRIPE
    row.tier = (state.tier or Tier(row.tier or Tier.STARTER)).value
    row.status, row.interval = state.status, state.interval.value
    row.period_ends_at, row.cancels_at = state.period_ends_at, state.cancels_at
    row.past_due_since = state.past_due_since
    row.next_tier = state.next_tier.value if state.next_tier else ""
    row.next_interval = state.next_interval.value if state.next_interval else ""


def fields_of(row: Entitlement | None) -> dict[str, Any]:
    """What is compared and shown to staff, as plain JSON."""
    if row is None:
        return {}
    names = ("tier", "status", "interval", "period_ends_at", "cancels_at", "past_due_since", "next_tier")
    return {name: str(getattr(row, name) or "") for name in names}
