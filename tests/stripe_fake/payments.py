"""Charging cards: payment intents, charges, refunds."""

from __future__ import annotations

from tests.stripe_fake.routes import route
from tests.stripe_fake.wire import ApiError, Json, declined, integer, invalid, metadata, page, require
from tests.stripe_fake.world import World


def card_of(world: World, subscription: Json | None, customer: str) -> Json | None:
    """What would be charged: the subscription's own card, else the customer's."""
    own = (subscription or {}).get("default_payment_method")
    settings = world.get("customers", customer)["invoice_settings"]
    method = own or settings["default_payment_method"]
    return world.find(method) if method else None


def charge(world: World, customer: str, amount: int, card: Json | None, *, invoice: str | None) -> Json:
    """A payment intent that succeeded or was declined; a declined one waits for another card."""
    decline = card["_decline"] if card else "no_card"
    error = (declined(decline) if card else _no_card()).body["error"] if decline else None
    intent: Json = {
        "id": world.new_id("pi"),
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_received": 0 if decline else amount,
        "cancellation_reason": None,
        "canceled_at": None,
        "capture_method": "automatic",
        "client_secret": "pi_standin_secret",
        "confirmation_method": "automatic",
        "created": world.now(customer),
        "currency": "usd",
        "customer": customer,
        "description": None,
        "last_payment_error": error,
        "latest_charge": None,
        "livemode": False,
        "metadata": {},
        "next_action": None,
        "payment_method": card["id"] if card else None,
        "payment_method_types": ["card"],
        "receipt_email": None,
        "status": "requires_payment_method" if decline else "succeeded",
        "_invoice": invoice,
    }
    world.add("payment_intents", intent)
    if card:
        intent["latest_charge"] = _charge_row(world, intent, card, decline)["id"]
    world.emit(f"payment_intent.{'payment_failed' if decline else 'succeeded'}", intent)
    return intent


def _no_card() -> ApiError:
    message = "This customer has no attached payment source or default payment method."
    return ApiError(402, message, kind="card_error", code="resource_missing")


def _charge_row(world: World, intent: Json, card: Json, decline: str | None) -> Json:
    id_ = world.new_id("ch")
    row = {
        "id": id_,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount_received"],
        "amount_refunded": 0,
        "balance_transaction": None,
        "billing_details": card["billing_details"],
        "captured": not decline,
        "created": intent["created"],
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": None,
        "disputed": False,
        "failure_code": "card_declined" if decline else None,
        "failure_message": "Your card was declined." if decline else None,
        "livemode": False,
        "metadata": {},
        "outcome": {"type": "issuer_declined" if decline else "authorized", "reason": decline},
        "paid": not decline,
        "payment_intent": intent["id"],
        "payment_method": card["id"],
        "payment_method_details": {"type": "card", "card": card["card"]},
        "receipt_email": None,
        "receipt_url": None if decline else f"{world.base}/receipts/{id_}",
        "refunded": False,
        "status": "failed" if decline else "succeeded",
    }
    world.emit(f"charge.{row['status']}", world.add("charges", row))
    return row


@route("GET", "/v1/payment_intents/{id_}")
def get_intent(world: World, params: Json, id_: str) -> Json:
    return world.get("payment_intents", id_)


@route("GET", "/v1/payment_intents")
def list_intents(world: World, params: Json) -> Json:
    rows = world.where("payment_intents", customer=params.get("customer"))
    return page(rows, params, url="/v1/payment_intents")


@route("GET", "/v1/charges/{id_}")
def get_charge(world: World, params: Json, id_: str) -> Json:
    return world.get("charges", id_)


@route("GET", "/v1/charges")
def list_charges(world: World, params: Json) -> Json:
    rows = world.where(
        "charges", customer=params.get("customer"), payment_intent=params.get("payment_intent")
    )
    return page(rows, params, url="/v1/charges")


@route("POST", "/v1/refunds")
def refund(world: World, params: Json) -> Json:
    if intent_id := params.get("payment_intent"):
        charge_id = world.get("payment_intents", intent_id, param="payment_intent")["latest_charge"] or ""
    else:
        require(params, "charge")
        charge_id = params["charge"]
    paid = world.get("charges", charge_id, param="charge")
    left = paid["amount_captured"] - paid["amount_refunded"]
    amount = integer(params, "amount") or left
    if amount <= 0 or amount > left:
        code = "charge_already_refunded" if left <= 0 else "amount_too_large"
        raise invalid(f"Refund amount ({amount}) is greater than the rest of the charge.", "amount", code)
    paid["amount_refunded"] += amount
    paid["refunded"] = paid["amount_refunded"] == paid["amount_captured"]
    made = {
        "id": world.new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": paid["id"],
        "created": world.now(paid["customer"]),
        "currency": paid["currency"],
        "customer": paid["customer"],
        "livemode": False,
        "metadata": metadata({}, params),
        "payment_intent": paid["payment_intent"],
        "reason": params.get("reason"),
        "receipt_number": None,
        "status": "succeeded",
    }
    world.add("refunds", made)
    world.emit("charge.refunded", paid)
    return made


@route("GET", "/v1/refunds/{id_}")
def get_refund(world: World, params: Json, id_: str) -> Json:
    return world.get("refunds", id_)


@route("GET", "/v1/refunds")
def list_refunds(world: World, params: Json) -> Json:
    rows = world.where("refunds", charge=params.get("charge"), payment_intent=params.get("payment_intent"))
    return page(rows, params, url="/v1/refunds")


@route("GET", "/v1/charges/{id_}/refunds")
def list_refunds_of(world: World, params: Json, id_: str) -> Json:
    return page(world.where("refunds", charge=id_), params, url=f"/v1/charges/{id_}/refunds")
