"""Invoices: made, collected, retried, voided, previewed."""

from __future__ import annotations

from copy import deepcopy

from tests.stripe_fake.lines import metered_lines, period_lines, proration_lines
from tests.stripe_fake.payments import card_of, charge
from tests.stripe_fake.routes import route
from tests.stripe_fake.wire import ApiError, Json, invalid, page, require, within
from tests.stripe_fake.world import World

DAY = 86400
RETRY_AFTER_DAYS = (3, 5, 7, 14)  # since the first failure; after the last the subscription is canceled


def make_invoice(world: World, subscription: Json, lines: list[Json], reason: str) -> Json:
    """A finalized invoice that takes discounts and the customer's balance into account."""
    invoice = _draft(world, subscription, lines, reason)
    customer = world.get("customers", subscription["customer"])
    customer["balance"] = invoice["ending_balance"]
    invoice["number"] = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}"
    customer["next_invoice_sequence"] += 1
    id_ = invoice["id"] = world.new_id("in")
    invoice["hosted_invoice_url"] = f"{world.base}/invoices/{id_}"
    invoice["invoice_pdf"] = f"{world.base}/invoices/{id_}/pdf"
    for item in invoice["lines"]["data"]:
        item["invoice"] = id_
    invoice["lines"]["url"] = f"/v1/invoices/{id_}/lines"
    invoice["status"], invoice["status_transitions"]["finalized_at"] = "open", invoice["created"]
    world.add("invoices", invoice)
    subscription["latest_invoice"] = id_
    _use_up_discounts(world, subscription)
    world.emit("invoice.created", invoice)
    world.emit("invoice.finalized", invoice)
    return invoice


def _draft(world: World, subscription: Json, lines: list[Json], reason: str) -> Json:
    customer = world.get("customers", subscription["customer"])
    now = world.now(customer["id"])
    subtotal = sum(item["amount"] for item in lines)
    discounts = [world.get("discounts", id_) for id_ in subscription["discounts"]]
    amounts = [
        {"amount": _discounted(world, discount, subtotal), "discount": discount["id"]}
        for discount in discounts
    ]
    total = subtotal - sum(row["amount"] for row in amounts)
    due, balance = _with_balance(total, customer["balance"])
    return {
        "id": "",
        "object": "invoice",
        "account_country": "US",
        "account_name": "NETVEXA",
        "account_tax_ids": None,
        "amount_due": due,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_remaining": due,
        "amount_shipping": 0,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": True,
        "automatic_tax": {"enabled": False, "liability": None, "status": None, "disabled_reason": None},
        "billing_reason": reason,
        "collection_method": "charge_automatically",
        "created": now,
        "currency": "usd",
        "custom_fields": None,
        "customer": customer["id"],
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_tax_exempt": "none",
        "customer_tax_ids": [
            {"type": row["type"], "value": row["value"]}
            for row in world.where("tax_ids", customer=customer["id"])
        ],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": list(subscription["discounts"]),
        "due_date": None,
        "effective_at": now,
        "ending_balance": balance,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "lines": {"object": "list", "data": lines, "has_more": False, "total_count": len(lines), "url": ""},
        "livemode": False,
        "metadata": {},
        "next_payment_attempt": None,
        "number": None,
        "parent": {
            "type": "subscription_details",
            "quote_details": None,
            "subscription_details": {
                "metadata": dict(subscription["metadata"]),
                "subscription": subscription["id"],
            },
        },
        "payment_settings": {"default_mandate": None, "payment_method_options": None},
        "period_start": min((item["period"]["start"] for item in lines), default=now),
        "period_end": max((item["period"]["end"] for item in lines), default=now),
        "receipt_number": None,
        "starting_balance": customer["balance"],
        "status": "draft",
        "status_transitions": {
            "finalized_at": None,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "test_clock": customer["test_clock"],
        "total": total,
        "total_discount_amounts": amounts,
        "total_excluding_tax": total,
        "total_taxes": [],
        "webhooks_delivered_at": None,
        "_first_failure": None,
    }


def _discounted(world: World, discount: Json, subtotal: int) -> int:
    coupon = world.get("coupons", discount["source"]["coupon"])
    if coupon["percent_off"]:
        return max(0, round(subtotal * float(coupon["percent_off"]) / 100))
    return max(0, min(subtotal, int(coupon["amount_off"])))


def _with_balance(total: int, balance: int) -> tuple[int, int]:
    """What is due, and the balance afterwards; credit is negative."""
    rest = total + balance
    return (rest, 0) if rest >= 0 else (0, rest)


def _use_up_discounts(world: World, subscription: Json) -> None:
    kept = []
    for id_ in subscription["discounts"]:
        coupon = world.get("coupons", world.get("discounts", id_)["source"]["coupon"])
        if coupon["duration"] != "once":
            kept.append(id_)
    subscription["discounts"] = kept


def collect(world: World, invoice: Json) -> bool:
    """Try to get the money; True if the invoice is paid afterwards."""
    subscription = subscription_of(world, invoice)
    invoice["attempted"], invoice["attempt_count"] = True, invoice["attempt_count"] + 1
    if invoice["amount_remaining"]:
        card = card_of(world, subscription, invoice["customer"])
        intent = charge(world, invoice["customer"], invoice["amount_remaining"], card, invoice=invoice["id"])
        if intent["status"] != "succeeded":
            _failed(world, invoice)
            return False
    settle(world, invoice)
    return True


def settle(world: World, invoice: Json) -> None:
    """The invoice is paid."""
    invoice["amount_paid"], invoice["amount_remaining"] = invoice["amount_due"], 0
    invoice["status"], invoice["next_payment_attempt"] = "paid", None
    invoice["status_transitions"]["paid_at"] = world.now(invoice["customer"])
    world.emit("invoice.paid", invoice)
    world.emit("invoice.payment_succeeded", invoice)


def _failed(world: World, invoice: Json) -> None:
    now = world.now(invoice["customer"])
    invoice["_first_failure"] = first = invoice["_first_failure"] or now
    later = [first + days * DAY for days in RETRY_AFTER_DAYS if first + days * DAY > now]
    invoice["next_payment_attempt"] = later[0] if later else None
    world.emit("invoice.payment_failed", invoice)


def subscription_of(world: World, invoice: Json) -> Json:
    return world.get("subscriptions", invoice["parent"]["subscription_details"]["subscription"])


@route("GET", "/v1/invoices")
def list_invoices(world: World, params: Json) -> Json:
    rows = world.where("invoices", customer=params.get("customer"), status=params.get("status"))
    if wanted := params.get("subscription"):
        rows = [row for row in rows if row["parent"]["subscription_details"]["subscription"] == wanted]
    rows = [row for row in rows if within(params, "created", row["created"])]
    return page(rows, params, url="/v1/invoices")


@route("POST", "/v1/invoices/create_preview")
def preview(world: World, params: Json) -> Json:
    """What a change would cost now, or without one what the next period will."""
    if not params.get("subscription"):
        raise invalid("Pass the subscription to preview.", "subscription", "parameter_missing")
    subscription = deepcopy(world.get("subscriptions", params["subscription"]))
    details = params.get("subscription_details") or {}
    now = int(details.get("proration_date") or world.now(subscription["customer"]))
    lines: list[Json] = []
    for given in details.get("items") or []:
        lines += _lines_of_change(world, subscription, given, now)
    if details.get("proration_behavior") != "always_invoice":
        lines += _lines_of_next_period(world, subscription)
    made = _draft(world, subscription, lines, "upcoming")
    return {**made, "id": f"upcoming_in_{subscription['id']}"}


def _lines_of_change(world: World, subscription: Json, given: Json, now: int) -> list[Json]:
    old = next((item for item in subscription["items"]["data"] if item["id"] == given.get("id")), None)
    if old is None:
        raise invalid("No such subscription item.", "subscription_details[items][0][id]")
    new = {**old, "price": world.get("prices", given.get("price", old["price"]["id"]), param="price")}
    lines = proration_lines(world, subscription, old, new, now=now)
    if len(lines) == 1:  # another interval: the new period starts at once
        from tests.stripe_fake.lines import after

        lines += period_lines(
            world, subscription, [new], now, after(now, new["price"]["recurring"], anchor=now)
        )
    old.update(new)
    return lines


def _lines_of_next_period(world: World, subscription: Json) -> list[Json]:
    from tests.stripe_fake.lines import after

    items = subscription["items"]["data"]
    start, end = items[0]["current_period_start"], items[0]["current_period_end"]
    following = after(end, items[0]["price"]["recurring"], anchor=subscription["billing_cycle_anchor"])
    return [
        *period_lines(world, subscription, items, end, following),
        *metered_lines(world, subscription, start, end),
    ]


@route("GET", "/v1/invoices/{id_}")
def get_invoice(world: World, params: Json, id_: str) -> Json:
    return world.get("invoices", id_)


@route("GET", "/v1/invoices/{id_}/lines")
def list_lines(world: World, params: Json, id_: str) -> Json:
    lines = world.get("invoices", id_)["lines"]["data"]
    return page(lines, params, url=f"/v1/invoices/{id_}/lines")


@route("POST", "/v1/invoices/{id_}/pay")
def pay(world: World, params: Json, id_: str) -> Json:
    from tests.stripe_fake.subscriptions import paid_up

    invoice = world.get("invoices", id_)
    if invoice["status"] != "open":
        raise invalid("Invoice is already paid." if invoice["status"] == "paid" else "Invoice is not open.")
    if not collect(world, invoice):
        raise ApiError(402, "Your card was declined.", kind="card_error", code="card_declined")
    paid_up(world, subscription_of(world, invoice))
    return invoice


@route("POST", "/v1/invoices/{id_}/void")
def void(world: World, params: Json, id_: str) -> Json:
    invoice = world.get("invoices", id_)
    if invoice["status"] != "open":
        raise invalid("You can only void open invoices.")
    invoice["status"], invoice["next_payment_attempt"] = "void", None
    invoice["status_transitions"]["voided_at"] = world.now(invoice["customer"])
    world.emit("invoice.voided", invoice)
    return invoice


@route("POST", "/v1/credit_notes")
def create_credit_note(world: World, params: Json) -> Json:
    require(params, "invoice", "amount")
    invoice = world.get("invoices", params["invoice"], param="invoice")
    made = {
        "id": world.new_id("cn"),
        "object": "credit_note",
        "amount": int(params["amount"]),
        "created": world.now(invoice["customer"]),
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "invoice": invoice["id"],
        "livemode": False,
        "metadata": {},
        "reason": params.get("reason"),
        "status": "issued",
        "total": int(params["amount"]),
    }
    return world.add("credit_notes", made)
