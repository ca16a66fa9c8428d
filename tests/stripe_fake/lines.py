"""The lines of an invoice: periods, metered use, proration; and how long a period is."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from datetime import UTC, datetime

from tests.stripe_fake.wire import Json
from tests.stripe_fake.world import World


def after(start: int, recurring: Json, *, anchor: int) -> int:
    """The end of the period that begins at `start`: the anchor's day of the month, or the month's last."""
    count = int(recurring["interval_count"])
    if recurring["interval"] in ("day", "week"):
        return start + count * 86400 * (7 if recurring["interval"] == "week" else 1)
    months = count * (12 if recurring["interval"] == "year" else 1)
    moment, day = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(anchor, UTC).day
    years, month = divmod(moment.month - 1 + months, 12)
    year = moment.year + years
    last = calendar.monthrange(year, month + 1)[1]
    return int(moment.replace(year=year, month=month + 1, day=min(day, last)).timestamp())


def is_metered(item: Json) -> bool:
    return bool(item["price"]["recurring"]["usage_type"] == "metered")


def period_lines(world: World, subscription: Json, items: Iterable[Json], start: int, end: int) -> list[Json]:
    """What the licensed items cost from `start` to `end`."""
    return [
        line(
            world,
            subscription,
            item,
            amount=item["price"]["unit_amount"] * item["quantity"],
            start=start,
            end=end,
        )
        for item in items
        if not is_metered(item)
    ]


def metered_lines(world: World, subscription: Json, start: int, end: int) -> list[Json]:
    """What was used of the metered items from `start` to `end`, to be paid afterwards."""
    made = []
    for item in filter(is_metered, subscription["items"]["data"]):
        meter = item["price"]["recurring"]["meter"]
        used = usage(world, meter, subscription["customer"], start, end)
        each = float(item["price"]["unit_amount_decimal"])
        made.append(
            line(
                world, subscription, item, amount=round(each * used), start=start, end=end, quantity=int(used)
            )
        )
    return made


def usage(world: World, meter: str, customer: str, start: int, end: int) -> float:
    """The sum of a meter's events of a customer in [start, end)."""
    return sum(
        float(event["payload"]["value"])
        for event in world.where("meter_events", _meter=meter)
        if event["payload"]["stripe_customer_id"] == customer and start <= event["timestamp"] < end
    )


def proration_lines(world: World, subscription: Json, old: Json, new: Json, *, now: int) -> list[Json]:
    """Credit for what is left of the old price, and the charge for the rest of the period at the new one."""
    start, end = old["current_period_start"], old["current_period_end"]
    if now >= end or subscription["status"] == "trialing":
        return []
    share = (end - now) / (end - start)
    unused = -round(old["price"]["unit_amount"] * old["quantity"] * share)
    credit = line(world, subscription, old, amount=unused, start=now, end=end, words="Unused time on")
    if _interval(old) != _interval(new):
        return [credit]  # the new interval begins anew, with a whole period
    rest = round(new["price"]["unit_amount"] * new["quantity"] * share)
    return [
        credit,
        line(world, subscription, new, amount=rest, start=now, end=end, words="Remaining time on"),
    ]


def _interval(item: Json) -> tuple[str, int]:
    recurring = item["price"]["recurring"]
    return recurring["interval"], recurring["interval_count"]


def line(
    world: World,
    subscription: Json,
    item: Json,
    *,
    amount: int,
    start: int,
    end: int,
    words: str = "",
    quantity: int | None = None,
) -> Json:
    """One line; `words` make it a proration."""
    price = item["price"]
    name = world.get("products", price["product"])["name"]
    count = item["quantity"] if quantity is None else quantity
    each = f"(at ${(price['unit_amount'] or 0) / 100:.2f} / {price['recurring']['interval']})"
    day = datetime.fromtimestamp(start, UTC)
    described = f"{words} {name} after {day:%d %b %Y}" if words else f"{count:,} × {name} {each}"
    return {
        "id": world.new_id("il"),
        "object": "line_item",
        "amount": amount,
        "currency": price["currency"],
        "description": described,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": {},
        "parent": {
            "type": "subscription_item_details",
            "invoice_item_details": None,
            "subscription_item_details": {
                "invoice_item": None,
                "proration": bool(words),
                "proration_details": {"credited_items": None},
                "subscription": subscription["id"],
                "subscription_item": item["id"],
            },
        },
        "period": {"start": start, "end": end},
        "pretax_credit_amounts": [],
        "pricing": {
            "type": "price_details",
            "price_details": {"price": price["id"], "product": price["product"]},
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "quantity": count,
        "quantity_decimal": str(count),
        "subscription": subscription["id"],
        "subtotal": amount,
        "taxes": [],
    }
