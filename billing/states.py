"""What Stripe's objects say about a workspace: pure functions from `stripe_data` to a state.

Stripe's times are Unix seconds. Since the API of 2025-03-31 the period stands on the subscription's items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from billing.plans import Interval, Tier

Json = dict[str, Any]
LIVE = ("active", "trialing", "past_due", "unpaid", "paused")
OVERAGE = "overage"  # the purpose, in the metadata of that subscription
OWING = ("past_due", "unpaid")


@dataclass(frozen=True, kw_only=True)
class State:
    """What a subscription gives. A tier of None is a price that we do not know."""

    subscription_id: str
    status: str
    tier: Tier | None
    interval: Interval
    period_ends_at: datetime
    cancels_at: datetime | None = None
    past_due_since: datetime | None = None
    next_tier: Tier | None = None
    next_interval: Interval | None = None


def is_overage(subscription: Json) -> bool:
    """Whether it is the one for answers beyond the plan, which stands beside the plan's own."""
    return (subscription.get("metadata") or {}).get("purpose") == OVERAGE


def deciding(subscriptions: Sequence[Json]) -> Json | None:
    """The plan's subscription that counts: the newest that lives, else the newest that ever did."""
    return _newest([row for row in subscriptions if not is_overage(row)])


def overage_of(subscriptions: Sequence[Json]) -> Json | None:
    """The subscription for answers beyond the plan, likewise."""
    return _newest([row for row in subscriptions if is_overage(row)])


def _newest(subscriptions: Sequence[Json]) -> Json | None:
    granted = [row for row in subscriptions if row["status"] not in ("incomplete", "incomplete_expired")]
    newest = sorted(granted, key=lambda row: (row["status"] in LIVE, row["created"], row["id"]))
    return newest[-1] if newest else None


def state_of(subscription: Json, schedule: Json | None = None) -> State:
    """The state that a subscription, and the schedule that will change it, stand for."""
    item = _licensed(subscription["items"]["data"])
    tier, interval = plan_of_price(item["price"])
    owing = subscription["status"] in OWING
    following = _next_price(schedule, item) if schedule else None
    next_tier, next_interval = plan_of_price(following) if following else (None, None)
    return State(
        subscription_id=subscription["id"],
        status=subscription["status"],
        tier=tier,
        interval=interval,
        period_ends_at=moment(item["current_period_end"]),
        cancels_at=moment(subscription["cancel_at"]) if subscription.get("cancel_at") else None,
        # the renewal that failed began the period that is not paid
        past_due_since=moment(item["current_period_start"]) if owing else None,
        next_tier=next_tier,
        next_interval=next_interval,
    )


def plan_of_price(price: Json) -> tuple[Tier | None, Interval]:
    """Which plan a price is of: by the metadata that `sync_plans` gives it."""
    name = (price.get("metadata") or {}).get("tier", "")
    interval = Interval((price.get("recurring") or {}).get("interval", Interval.MONTH))
    return (Tier(name) if name in {tier.value for tier in Tier} else None), interval


def licensed_item(subscription: Json) -> Json:
    """The item of the plan itself, not of what is metered beside it."""
    return _licensed(subscription["items"]["data"])


def _licensed(items: Sequence[Json]) -> Json:
    return next((row for row in items if row["price"]["recurring"]["usage_type"] == "licensed"), items[0])


def _next_price(schedule: Json, item: Json) -> Json | None:
    """The price of the phase that begins when the period ends, if it is another; prices are expanded."""
    if schedule["status"] != "active":
        return None
    for phase in schedule["phases"]:
        price: Json = phase["items"][0]["price"]
        if phase["start_date"] >= item["current_period_end"] and price["id"] != item["price"]["id"]:
            return price
    return None


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
