"""Changes of a subscription: to a larger plan at once, to a smaller one at the period's end, cancel, resume.

Every change is asked of Stripe first and then read back (`billing.refresh`), so that the page shows what Stripe
holds. Money in cents.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import stripe

from billing.accounts import account_of
from billing.catalogue import price_id
from billing.gateway import Refused, asking, plain
from billing.plans import PLANS, Interval, Tier
from billing.refresh import refresh
from billing.states import LIVE, Json, deciding, licensed_item, moment, plan_of_price
from tenants.context import platform
from tenants.models import Workspace

PREVIEW_SECONDS = 1800  # for so long a shown price may be confirmed


@dataclass(frozen=True)
class Line:
    """A line of an invoice."""

    words: str
    cents: int


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a change costs and when it comes. `at` is the moment for which it was computed, Unix seconds."""

    tier: Tier
    interval: Interval
    at_once: bool
    starts_at: datetime
    due_cents: int
    credit_cents: int
    lines: list[Line]
    at: int


@dataclass(frozen=True, kw_only=True)
class _Current:
    """The subscription that is about to change."""

    row: Json
    tier: Tier | None
    interval: Interval

    @property
    def item(self) -> Json:
        return licensed_item(self.row)


def preview_change(workspace: Workspace, *, tier: Tier, interval: Interval) -> Preview:
    """What changing to this plan means, computed by Stripe. Raises Refused, StripeDown."""
    with asking() as client:
        current = _current(client, workspace)
        at_once, now = _is_at_once(current, tier, interval), _now(client, current)
        if not at_once:
            return Preview(
                tier=tier,
                interval=interval,
                at_once=False,
                starts_at=moment(current.item["current_period_end"]),
                due_cents=0,
                credit_cents=0,
                lines=[],
                at=now,
            )
        details: Any = {
            "items": [{"id": current.item["id"], "price": price_id(client, tier, interval)}],
            "proration_behavior": "always_invoice",
            "proration_date": now,
        }
        given: Any = {"subscription": current.row["id"], "subscription_details": details}
        invoice = plain(client.v1.invoices.create_preview(given))
    return Preview(
        tier=tier,
        interval=interval,
        at_once=True,
        starts_at=moment(now),
        due_cents=invoice["amount_due"],
        credit_cents=max(0, -int(invoice["total"])),
        lines=[Line(row["description"] or "", row["amount"]) for row in invoice["lines"]["data"]],
        at=now,
    )


def change_plan(workspace: Workspace, *, tier: Tier, interval: Interval, at: int) -> bool:
    """Change to this plan; True if it counts at once. `at` is the preview's, so that what was shown is charged.

    Raises CardDeclined (nothing changes), Refused, StripeDown.
    """
    with asking() as client:
        current = _current(client, workspace)
        at_once = _is_at_once(current, tier, interval)
        if at_once and not 0 <= _now(client, current) - at <= PREVIEW_SECONDS:
            raise Refused("The price shown is too old. Look at it once more, and confirm again.")
        price = price_id(client, tier, interval)
        _release(client, current.row)
        if at_once:
            _change_now(client, current.row, current.item["id"], price, at)
        else:
            _change_later(client, current.row, current.item, price, interval)
    read_back(workspace)
    return at_once


def keep_plan(workspace: Workspace) -> None:
    """Take back a change that waits for the period's end."""
    with asking() as client:
        _release(client, _current(client, workspace).row)
    read_back(workspace)


def cancel(workspace: Workspace) -> None:
    """End the subscription when what is paid for ends."""
    _set_cancel(workspace, ends=True)


def resume(workspace: Workspace) -> None:
    """Take back a cancellation that has not come into force."""
    _set_cancel(workspace, ends=False)


def _set_cancel(workspace: Workspace, *, ends: bool) -> None:
    with asking() as client:
        row = _current(client, workspace).row
        _release(client, row)
        client.v1.subscriptions.update(row["id"], {"cancel_at_period_end": ends})
    read_back(workspace)


def _current(client: stripe.StripeClient, workspace: Workspace) -> _Current:
    account = account_of(workspace)
    if account is None:
        raise Refused("This workspace has no subscription to change.")
    found = client.v1.subscriptions.list({"customer": account.customer_id, "status": "all", "limit": 20})
    row = deciding([plain(item) for item in found.data])
    if row is None or row["status"] not in LIVE:
        raise Refused("This workspace has no subscription to change.")
    tier, interval = plan_of_price(licensed_item(row)["price"])
    return _Current(row=row, tier=tier, interval=interval)


def _is_at_once(current: _Current, tier: Tier, interval: Interval) -> bool:
    """More is given at once, less when what is paid for ends. Raises Refused for no change at all."""
    if PLANS[tier].monthly_usd is None:
        raise Refused("This plan is sold by agreement. Please write to us.")
    if (current.tier, current.interval) == (tier, interval):
        raise Refused("This is the plan you have.")
    if current.tier is None or current.tier is tier:
        return interval is Interval.YEAR
    return tier.rank > current.tier.rank


def _now(client: stripe.StripeClient, current: _Current) -> int:
    """The time the subscription lives in: a test clock's, in Stripe's test mode."""
    if clock := current.row.get("test_clock"):
        return client.v1.test_helpers.test_clocks.retrieve(clock).frozen_time
    return int(time.time())


def _release(client: stripe.StripeClient, row: Json) -> None:
    if row.get("schedule"):
        client.v1.subscription_schedules.release(row["schedule"])
        row["schedule"] = None


def _change_now(client: stripe.StripeClient, row: Json, item: str, price: str, at: int) -> None:
    client.v1.subscriptions.update(
        row["id"],
        {
            "items": [{"id": item, "price": price}],
            "proration_behavior": "always_invoice",
            "proration_date": at,
            "payment_behavior": "error_if_incomplete",
            "cancel_at_period_end": False,
        },
        {"idempotency_key": f"change-{row['id']}-{price}-{at}"},
    )


def _change_later(client: stripe.StripeClient, row: Json, item: Json, price: str, interval: Interval) -> None:
    if row.get("cancel_at_period_end"):
        client.v1.subscriptions.update(row["id"], {"cancel_at_period_end": False})
    schedule = client.v1.subscription_schedules.create({"from_subscription": row["id"]})
    now = {"price": item["price"]["id"], "quantity": item["quantity"]}
    phases: Any = [
        {
            "items": [now],
            "start_date": plain(schedule)["phases"][0]["start_date"],
            "end_date": item["current_period_end"],
        },
        {
            "items": [{"price": price, "quantity": 1}],
            "duration": {"interval": interval.value, "interval_count": 1},
            "proration_behavior": "none",
        },
    ]
    client.v1.subscription_schedules.update(schedule.id, {"end_behavior": "release", "phases": phases})


def read_back(workspace: Workspace) -> None:
    """Ask Stripe what the workspace has now, without waiting for its word to come."""
    account = account_of(workspace)
    if account is not None:
        with platform():
            refresh(account.customer_id)
