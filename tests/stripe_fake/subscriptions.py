"""Subscriptions: made, changed with proration, renewed, canceled."""

from __future__ import annotations

from copy import deepcopy

from tests.stripe_fake.customers import attach
from tests.stripe_fake.invoices import collect, make_invoice
from tests.stripe_fake.lines import after, is_metered, metered_lines, period_lines, proration_lines
from tests.stripe_fake.payments import card_of
from tests.stripe_fake.routes import route
from tests.stripe_fake.wire import Json, declined, flag, integer, invalid, metadata, page, require, within
from tests.stripe_fake.world import World

DAY = 86400
ENDED = ("canceled", "incomplete_expired")


@route("POST", "/v1/subscriptions")
def create(world: World, params: Json) -> Json:
    require(params, "customer", "items")
    customer = world.get("customers", params["customer"], param="customer")
    now = world.now(customer["id"])
    trial_end = integer(params, "trial_end") or _days_from(now, integer(params, "trial_period_days"))
    method = params.get("default_payment_method")
    subscription = _new(world, params, now, trial_end)
    subscription["default_payment_method"] = attach(world, customer["id"], method)["id"] if method else None
    for given in params.get("discounts") or []:
        _add_discount(world, subscription, given)
    for given in params["items"]:
        _add_item(world, subscription, given, now, trial_end)
    if params.get("payment_behavior") == "error_if_incomplete" and not trial_end:
        _check_card(world, subscription)
    world.add("subscriptions", subscription)
    items = subscription["items"]["data"]
    lines = [] if trial_end else period_lines(world, subscription, items, now, items[0]["current_period_end"])
    paid = all(map(is_metered, items)) or collect(  # what is metered is paid afterwards
        world, make_invoice(world, subscription, lines, "subscription_create")
    )
    subscription["status"] = "trialing" if trial_end else "active" if paid else "incomplete"
    world.emit("customer.subscription.created", subscription)
    return subscription


def _days_from(now: int, days: int | None) -> int | None:
    return now + days * DAY if days else None


def _new(world: World, params: Json, now: int, trial_end: int | None) -> Json:
    id_ = world.new_id("sub")
    settings = params.get("trial_settings") or {}
    return {
        "id": id_,
        "object": "subscription",
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"enabled": False, "liability": None, "disabled_reason": None},
        "billing_cycle_anchor": trial_end or integer(params, "billing_cycle_anchor") or now,
        "billing_cycle_anchor_config": None,
        "billing_mode": {"type": "flexible", "flexible": {"proration_discounts": "included"}},
        "billing_thresholds": None,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "created": now,
        "currency": "usd",
        "customer": params["customer"],
        "customer_account": None,
        "days_until_due": None,
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "ended_at": None,
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": {
            "object": "list",
            "data": [],
            "has_more": False,
            "total_count": 0,
            "url": f"/v1/subscription_items?subscription={id_}",
        },
        "latest_invoice": None,
        "livemode": False,
        "metadata": metadata({}, params),
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": None,
        "payment_settings": {"payment_method_types": None, "save_default_payment_method": "off"},
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "start_date": now,
        "status": "incomplete",
        "test_clock": world.get("customers", params["customer"])["test_clock"],
        "transfer_data": None,
        "trial_end": trial_end,
        "trial_settings": {
            "end_behavior": settings.get("end_behavior") or {"missing_payment_method": "create_invoice"}
        },
        "trial_start": now if trial_end else None,
    }


def _add_item(world: World, subscription: Json, given: Json, now: int, trial_end: int | None) -> None:
    price = world.get("prices", given.get("price", ""), kind="price", param="items[0][price]")
    if not price["active"]:
        raise invalid("The price specified is inactive.", "items[0][price]")
    anchor = int(subscription["billing_cycle_anchor"])
    end = trial_end or (anchor if anchor > now else after(now, price["recurring"], anchor=now))
    item = {
        "id": world.new_id("si"),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": now,
        "current_period_end": end,
        "current_period_start": now,
        "discounts": [],
        "metadata": metadata({}, given),
        "price": deepcopy(price),
        "quantity": integer(given, "quantity") or 1,
        "subscription": subscription["id"],
        "tax_rates": [],
    }
    if is_metered(item):
        del item["quantity"]
    subscription["items"]["data"].append(item)
    subscription["items"]["total_count"] += 1


def _add_discount(world: World, subscription: Json, given: Json) -> None:
    code = given.get("promotion_code")
    promotion = world.get("promotion_codes", code, param="promotion_code") if code else None
    coupon = world.get("coupons", promotion["promotion"]["coupon"] if promotion else given.get("coupon", ""))
    coupon["times_redeemed"] += 1
    now = world.now(subscription["customer"])
    months = coupon["duration_in_months"]
    discount = {
        "id": world.new_id("di"),
        "object": "discount",
        "checkout_session": None,
        "customer": subscription["customer"],
        "customer_account": None,
        "end": now + months * 31 * DAY if months else None,
        "invoice": None,
        "invoice_item": None,
        "promotion_code": code,
        "source": {"coupon": coupon["id"], "type": "coupon"},
        "start": now,
        "subscription": subscription["id"],
        "subscription_item": None,
    }
    subscription["discounts"].append(world.add("discounts", discount)["id"])


def _check_card(world: World, subscription: Json) -> None:
    card = card_of(world, subscription, subscription["customer"])
    if card is None or card["_decline"]:
        raise declined(card["_decline"] if card else "no_card")


@route("GET", "/v1/subscriptions")
def list_subscriptions(world: World, params: Json) -> Json:
    status = params.get("status")
    rows = world.where("subscriptions", customer=params.get("customer"))
    rows = [
        row
        for row in rows
        if (status == "all" or row["status"] == status or (not status and row["status"] not in ENDED))
        and within(params, "created", row["created"])
    ]
    return page(rows, params, url="/v1/subscriptions")


@route("GET", "/v1/subscriptions/{id_}")
def get(world: World, params: Json, id_: str) -> Json:
    return world.get("subscriptions", id_, kind="subscription")


@route("POST", "/v1/subscriptions/{id_}")
def update(world: World, params: Json, id_: str) -> Json:
    subscription = world.get("subscriptions", id_, kind="subscription")
    if subscription["status"] in ENDED:
        raise invalid("A canceled subscription can only update its metadata.", code="resource_missing")
    if subscription["schedule"] and "cancel_at_period_end" in params:
        raise invalid("The subscription is managed by a schedule; release it first.", "cancel_at_period_end")
    before = deepcopy(subscription)
    if params.get("items"):
        change_items(world, subscription, params["items"], params)
    _set_fields(world, subscription, params)
    world.emit("customer.subscription.updated", subscription, _differences(before, subscription))
    return subscription


def _set_fields(world: World, subscription: Json, params: Json) -> None:
    now = world.now(subscription["customer"])
    subscription["metadata"] = metadata(subscription["metadata"], params)
    if "cancel_at_period_end" in params:
        ends = flag(params, "cancel_at_period_end")
        subscription["cancel_at_period_end"] = ends
        subscription["cancel_at"] = period_end(subscription) if ends else None
        subscription["canceled_at"] = now if ends else None
        subscription["cancellation_details"]["reason"] = "cancellation_requested" if ends else None
    if method := params.get("default_payment_method"):
        subscription["default_payment_method"] = attach(world, subscription["customer"], method)["id"]
    for given in params.get("discounts") or []:
        _add_discount(world, subscription, given)
    if params.get("trial_end"):
        end = now if params["trial_end"] == "now" else int(params["trial_end"])
        _move_trial(world, subscription, end, now)


def _move_trial(world: World, subscription: Json, end: int, now: int) -> None:
    subscription["trial_end"] = subscription["billing_cycle_anchor"] = end
    subscription["trial_start"] = subscription["trial_start"] or now
    for item in subscription["items"]["data"]:
        item["current_period_end"] = end
    if end > now:
        subscription["status"] = "trialing"
    else:
        renew(world, subscription)


def change_items(world: World, subscription: Json, given: list[Json], params: Json) -> None:
    """Other prices from now on, with proration unless it is not wanted."""
    if params.get("payment_behavior") == "error_if_incomplete":
        _check_card(world, subscription)
    lines: list[Json] = []
    for change in given:
        lines += _change_item(world, subscription, change)
    if params.get("proration_behavior") == "none" or not lines:
        return
    if params.get("proration_behavior") == "always_invoice" or subscription[
        "billing_cycle_anchor"
    ] == world.now(subscription["customer"]):
        invoice = make_invoice(world, subscription, lines, "subscription_update")
        if not collect(world, invoice):
            subscription["status"] = "past_due"
    else:
        subscription.setdefault("_pending", []).extend(lines)


def _change_item(world: World, subscription: Json, change: Json) -> list[Json]:
    now = world.now(subscription["customer"])
    item = next((row for row in subscription["items"]["data"] if row["id"] == change.get("id")), None)
    if item is None:
        _add_item(world, subscription, change, now, subscription["trial_end"])
        return []
    old = deepcopy(item)
    if change.get("price"):
        item["price"] = deepcopy(world.get("prices", change["price"], param="items[0][price]"))
    item["quantity"] = integer(change, "quantity") or item["quantity"]
    lines = proration_lines(world, subscription, old, item, now=now)
    if old["price"]["recurring"]["interval"] != item["price"]["recurring"]["interval"] and lines:
        subscription["billing_cycle_anchor"] = item["current_period_start"] = now
        item["current_period_end"] = after(now, item["price"]["recurring"], anchor=now)
        lines += period_lines(world, subscription, [item], now, item["current_period_end"])
    return lines


def _differences(before: Json, after_: Json) -> Json:
    return {name: value for name, value in before.items() if after_.get(name) != value}


def period_end(subscription: Json) -> int:
    return max(int(item["current_period_end"]) for item in subscription["items"]["data"])


def renew(world: World, subscription: Json) -> None:
    """The next period begins: a new invoice, and the card is charged."""
    before = deepcopy(subscription)
    start = world.now(subscription["customer"])
    used = metered_lines(world, subscription, _period_start(subscription), start)
    for item in subscription["items"]["data"]:
        item["current_period_start"] = start
        item["current_period_end"] = after(
            start, item["price"]["recurring"], anchor=subscription["billing_cycle_anchor"]
        )
    items = subscription["items"]["data"]
    lines = [
        *subscription.pop("_pending", []),
        *period_lines(world, subscription, items, start, period_end(subscription)),
        *used,
    ]
    invoice = make_invoice(world, subscription, lines, "subscription_cycle")
    if subscription["status"] != "unpaid" and collect(world, invoice):
        subscription["status"] = "active"
    else:
        subscription["status"] = "past_due"
    world.emit("customer.subscription.updated", subscription, _differences(before, subscription))


def _period_start(subscription: Json) -> int:
    return min(int(item["current_period_start"]) for item in subscription["items"]["data"])


def paid_up(world: World, subscription: Json) -> None:
    """An open invoice was paid: the subscription is in order again, if it was not."""
    if subscription["status"] in ("past_due", "unpaid", "incomplete"):
        before = {"status": subscription["status"]}
        subscription["status"] = "active"
        world.emit("customer.subscription.updated", subscription, before)


def invoice_usage(world: World, subscription: Json, until: int) -> None:
    """What was used of metered items until now, where the period ends without another."""
    used = metered_lines(world, subscription, _period_start(subscription), until)
    if any(line["quantity"] for line in used):
        collect(world, make_invoice(world, subscription, used, "subscription_cycle"))


def end(world: World, subscription: Json, reason: str) -> None:
    """It is over, now."""
    now = world.now(subscription["customer"])
    subscription["status"], subscription["ended_at"] = "canceled", now
    subscription["canceled_at"] = subscription["canceled_at"] or now
    subscription["cancellation_details"]["reason"] = reason
    if schedule := subscription["schedule"]:
        world.get("subscription_schedules", schedule)["status"] = "canceled"
    world.emit("customer.subscription.deleted", subscription)


@route("DELETE", "/v1/subscriptions/{id_}")
def cancel(world: World, params: Json, id_: str) -> Json:
    subscription = world.get("subscriptions", id_, kind="subscription")
    if subscription["status"] in ENDED:
        raise invalid(f"No such subscription: '{id_}'", "id", "resource_missing")
    end(world, subscription, "cancellation_requested")
    return subscription


@route("GET", "/v1/subscription_items")
def list_items(world: World, params: Json) -> Json:
    require(params, "subscription")
    items = world.get("subscriptions", params["subscription"])["items"]["data"]
    return page(items, params, url="/v1/subscription_items")


@route("GET", "/v1/subscription_items/{id_}")
def get_item(world: World, params: Json, id_: str) -> Json:
    for subscription in world.all("subscriptions"):
        for item in subscription["items"]["data"]:
            if item["id"] == id_:
                return dict(item)
    raise invalid(f"No such subscription item: '{id_}'", "id", "resource_missing")
