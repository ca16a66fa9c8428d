"""The plans in Stripe: a product for each, and a price for each interval under a versioned lookup key."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import stripe

from billing.gateway import Refused, asking, plain
from billing.plans import (
    FOR_SALE,
    OVERAGE_CENTS,
    PRICES_VERSION,
    Interval,
    Plan,
    Tier,
    lookup_key,
    overage_key,
)

METER = "netvexa_answers"  # Stripe's name for the events of answers beyond the plan
OVERAGE_PRODUCT = "netvexa_overage"


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
        _sync_overage(client, changes)
    return changes


def price_id(client: stripe.StripeClient, tier: Tier, interval: Interval) -> str:
    """The price to sell now. Raises Refused where the plans were never brought to Stripe."""
    return _price_under(client, lookup_key(tier, interval))


def overage_price_id(client: stripe.StripeClient) -> str:
    """The price of an answer beyond the plan. Raises Refused likewise."""
    return _price_under(client, overage_key())


def _price_under(client: stripe.StripeClient, key: str) -> str:
    found = client.v1.prices.list({"lookup_keys": [key], "active": True}).data
    if not found:
        raise Refused("This is not for sale yet. Please write to us.")
    return found[0].id


def product_id(tier: Tier) -> str:
    return f"netvexa_{tier.value}"


def _sync_product(client: stripe.StripeClient, plan: Plan, changes: Changes) -> None:
    wanted = {"name": f"NETVEXA {plan.name}", "metadata": {"tier": plan.tier.value}}
    _bring_product(client, product_id(plan.tier), wanted, changes)


def _bring_product(client: stripe.StripeClient, id_: str, wanted: Any, changes: Changes) -> None:
    name = wanted["name"].removeprefix("NETVEXA ")
    try:
        product = client.v1.products.retrieve(id_)
    except stripe.InvalidRequestError:
        new: Any = {"id": id_, **wanted}
        client.v1.products.create(new)
        changes.lines.append(f"product {name} made")
        return
    found = plain(product)
    if (found["name"], found["metadata"], found["active"]) != (wanted["name"], wanted["metadata"], True):
        client.v1.products.update(
            product.id, {"active": True, "name": wanted["name"], "metadata": wanted["metadata"]}
        )
        changes.lines.append(f"product {name} changed")


def _sync_overage(client: stripe.StripeClient, changes: Changes) -> None:
    """The meter that counts answers beyond the plan, and what one of them costs."""
    wanted = {"name": "NETVEXA answers beyond the plan", "metadata": {"purpose": "overage"}}
    _bring_product(client, OVERAGE_PRODUCT, wanted, changes)
    meter, key = _bring_meter(client, changes), overage_key()
    prices = client.v1.prices.list({"product": OVERAGE_PRODUCT, "active": True, "limit": 100}).data
    current = next((row for row in prices if _is_overage_price(plain(row), key, meter)), None)
    if current is None:
        current = client.v1.prices.create(
            {
                "product": OVERAGE_PRODUCT,
                "currency": "usd",
                "unit_amount": OVERAGE_CENTS,
                "recurring": {"interval": "month", "usage_type": "metered", "meter": meter},
                "lookup_key": key,
                "transfer_lookup_key": True,
                "nickname": "An answer beyond the plan",
            }
        )
        changes.lines.append(f"price {key} made")
    for old in prices:
        if old.id != current.id:
            client.v1.prices.update(old.id, {"active": False})
            changes.lines.append(f"price {old.lookup_key or old.id} archived")


def _is_overage_price(price: Any, key: str, meter: str) -> bool:
    found = (price["lookup_key"], price["unit_amount"], price["recurring"]["meter"])
    return bool(found == (key, OVERAGE_CENTS, meter))


def _bring_meter(client: stripe.StripeClient, changes: Changes) -> str:
    for meter in client.v1.billing.meters.list({"status": "active", "limit": 100}).data:
        if meter.event_name == METER:
            return meter.id
    made = client.v1.billing.meters.create(
        {
            "display_name": "Answers beyond the plan",
            "event_name": METER,
            "default_aggregation": {"formula": "sum"},
        }
    )
    changes.lines.append(f"meter {METER} made")
    return made.id


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
