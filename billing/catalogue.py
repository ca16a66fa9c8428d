"""The plans in Stripe: a product for each, and a price for each interval under a versioned lookup key."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import stripe

from billing.gateway import Refused, asking, plain
from billing.plans import FOR_SALE, PRICES_VERSION, Interval, Plan, Tier, lookup_key


@dataclass
class Changes:
    """What `sync_plans` did, in words."""

    lines: list[str] = field(default_factory=list)


def sync_plans() -> Changes:
    """Bring products and prices to what the plans say. Doing it again changes nothing.

    A price cannot change in Stripe: a new one takes over its lookup key and the old one is archived. Who
    subscribed to the old one keeps it.
    """
    changes = Changes()
    with asking() as client:
        for plan in FOR_SALE:
            _sync_product(client, plan, changes)
            for interval in Interval:
                _sync_price(client, plan, interval, changes)
    return changes


def price_id(client: stripe.StripeClient, tier: Tier, interval: Interval) -> str:
    """The price to sell now. Raises Refused where the plans were never brought to Stripe."""
    found = client.v1.prices.list({"lookup_keys": [lookup_key(tier, interval)], "active": True}).data
    if not found:
        raise Refused("This plan is not for sale yet. Please write to us.")
    return found[0].id


def product_id(tier: Tier) -> str:
    return f"netvexa_{tier.value}"


def _sync_product(client: stripe.StripeClient, plan: Plan, changes: Changes) -> None:
    wanted: Any = {"name": f"NETVEXA {plan.name}", "metadata": {"tier": plan.tier.value}}
    try:
        product = client.v1.products.retrieve(product_id(plan.tier))
    except stripe.InvalidRequestError:
        new: Any = {"id": product_id(plan.tier), **wanted}
        client.v1.products.create(new)
        changes.lines.append(f"product {plan.name} made")
        return
    found = plain(product)
    if (found["name"], found["metadata"], found["active"]) != (wanted["name"], wanted["metadata"], True):
        client.v1.products.update(
            product.id, {"active": True, "name": wanted["name"], "metadata": wanted["metadata"]}
        )
        changes.lines.append(f"product {plan.name} changed")


def _sync_price(client: stripe.StripeClient, plan: Plan, interval: Interval, changes: Changes) -> None:
    key, cents = lookup_key(plan.tier, interval), (plan.price_usd(interval) or 0) * 100
    prices = client.v1.prices.list({"product": product_id(plan.tier), "active": True, "limit": 100}).data
    ours = [price for price in prices if price.recurring and price.recurring.interval == interval.value]
    ours = [price for price in ours if price.recurring and price.recurring.usage_type == "licensed"]
    current = next((row for row in ours if row.lookup_key == key and row.unit_amount == cents), None)
    if current is None:
        current = client.v1.prices.create(
            {
                "product": product_id(plan.tier),
                "currency": "usd",
                "unit_amount": cents,
                "recurring": {"interval": interval.value},
                "lookup_key": key,
                "transfer_lookup_key": True,
                "nickname": f"{plan.name}, each {interval.value}",
                "metadata": {"tier": plan.tier.value, "version": str(PRICES_VERSION)},
            }
        )
        changes.lines.append(f"price {key} made")
    for old in ours:
        if old.id != current.id:
            client.v1.prices.update(old.id, {"active": False})
            changes.lines.append(f"price {old.lookup_key or old.id} archived")
