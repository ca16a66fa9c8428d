"""Customers, what they pay with, and their tax ids."""

from __future__ import annotations

from tests.stripe_fake.routes import route
from tests.stripe_fake.wire import Json, declined, flag, integer, metadata, page, require, within
from tests.stripe_fake.world import SHARED_CLOCK, World

CARDS = {  # Stripe's test cards: number, and what happens when it is charged
    "pm_card_visa": ("visa", "4242", None),
    "pm_card_mastercard": ("mastercard", "4444", None),
    "pm_card_chargeCustomerFail": ("visa", "0341", "generic_decline"),
    "pm_card_chargeDeclined": ("visa", "0002", "generic_decline"),
    "pm_card_chargeDeclinedInsufficientFunds": ("visa", "9995", "insufficient_funds"),
}
REFUSED_AT_ONCE = {"0002", "9995"}  # cannot even be attached


@route("POST", "/v1/customers")
def create_customer(world: World, params: Json) -> Json:
    clock = params.get("test_clock") or (SHARED_CLOCK if world.shared_clock else None)
    if clock:
        world.get("clocks", clock, param="test_clock")
    id_ = world.new_id("cus")
    customer = world.add(
        "customers",
        {
            "id": id_,
            "object": "customer",
            "address": params.get("address"),
            "balance": integer(params, "balance") or 0,
            "created": 0,
            "currency": None,
            "default_source": None,
            "delinquent": False,
            "description": params.get("description"),
            "discount": None,
            "email": params.get("email"),
            "invoice_prefix": id_[-8:].upper(),
            "invoice_settings": {
                "custom_fields": None,
                "default_payment_method": None,
                "footer": None,
                "rendering_options": None,
            },
            "livemode": False,
            "metadata": metadata({}, params),
            "name": params.get("name"),
            "next_invoice_sequence": 1,
            "phone": None,
            "preferred_locales": [],
            "shipping": None,
            "sources": {
                "object": "list",
                "data": [],
                "has_more": False,
                "url": f"/v1/customers/{id_}/sources",
            },
            "tax_exempt": "none",
            "test_clock": clock,
        },
    )
    customer["created"] = world.now(id_)
    if method := params.get("payment_method"):
        customer["invoice_settings"]["default_payment_method"] = attach(world, id_, method)["id"]
    _settings(customer, params)
    world.emit("customer.created", customer)
    return customer


@route("POST", "/v1/customers/{id_}")
def update_customer(world: World, params: Json, id_: str) -> Json:
    customer = world.get("customers", id_)
    before = dict(customer)
    for name in ("email", "name", "description", "address", "phone", "tax_exempt"):
        if name in params:
            customer[name] = params[name] or None
    if "balance" in params:
        customer["balance"] = integer(params, "balance")
    customer["metadata"] = metadata(customer["metadata"], params)
    _settings(customer, params)
    world.emit("customer.updated", customer, before)
    return customer


def _settings(customer: Json, params: Json) -> None:
    given = params.get("invoice_settings") or {}
    customer["invoice_settings"] = {**customer["invoice_settings"], **given}


@route("GET", "/v1/customers")
def list_customers(world: World, params: Json) -> Json:
    rows = world.where("customers", email=params.get("email"), test_clock=params.get("test_clock"))
    rows = [row for row in rows if within(params, "created", row["created"])]
    return page(rows, params, url="/v1/customers")


@route("GET", "/v1/customers/{id_}")
def get_customer(world: World, params: Json, id_: str) -> Json:
    return world.get("customers", id_, kind="customer")


@route("DELETE", "/v1/customers/{id_}")
def delete_customer(world: World, params: Json, id_: str) -> Json:
    customer = world.get("customers", id_)
    world.emit("customer.deleted", customer)
    del world.objects["customers"][id_]
    return {"id": id_, "object": "customer", "deleted": True}


@route("GET", "/v1/customers/{id_}/sources")
def list_sources(world: World, params: Json, id_: str) -> Json:
    world.get("customers", id_)
    return page([], params, url=f"/v1/customers/{id_}/sources")


@route("POST", "/v1/customers/{id_}/balance_transactions")
def change_balance(world: World, params: Json, id_: str) -> Json:
    """Credit is a negative amount: the next invoice takes it."""
    require(params, "amount", "currency")
    customer = world.get("customers", id_)
    before = {"balance": customer["balance"]}
    customer["balance"] += integer(params, "amount") or 0
    world.emit("customer.updated", customer, before)
    return world.add(
        "balance_transactions",
        {
            "id": world.new_id("cbtxn"),
            "object": "customer_balance_transaction",
            "amount": integer(params, "amount"),
            "created": world.now(id_),
            "credit_note": None,
            "currency": params["currency"],
            "customer": id_,
            "description": params.get("description"),
            "ending_balance": customer["balance"],
            "invoice": None,
            "livemode": False,
            "metadata": metadata({}, params),
            "type": "adjustment",
        },
    )


@route("GET", "/v1/customers/{id_}/balance_transactions")
def list_balance(world: World, params: Json, id_: str) -> Json:
    rows = world.where("balance_transactions", customer=id_)
    return page(rows, params, url=f"/v1/customers/{id_}/balance_transactions")


@route("POST", "/v1/customers/{id_}/tax_ids")
def add_tax_id(world: World, params: Json, id_: str) -> Json:
    require(params, "type", "value")
    world.get("customers", id_)
    made = {
        "id": world.new_id("txi"),
        "object": "tax_id",
        "country": params["value"][:2].upper(),
        "created": world.now(id_),
        "customer": id_,
        "livemode": False,
        "owner": {"type": "customer", "customer": id_},
        "type": params["type"],
        "value": params["value"],
        "verification": {"status": "pending", "verified_address": None, "verified_name": None},
    }
    world.emit("customer.tax_id.created", world.add("tax_ids", made))
    return made


@route("GET", "/v1/customers/{id_}/tax_ids")
def list_tax_ids(world: World, params: Json, id_: str) -> Json:
    return page(world.where("tax_ids", customer=id_), params, url=f"/v1/customers/{id_}/tax_ids")


@route("GET", "/v1/customers/{id_}/tax_ids/{tax_id}")
def get_tax_id(world: World, params: Json, id_: str, tax_id: str) -> Json:
    return world.get("tax_ids", tax_id)


@route("GET", "/v1/tax_ids/{tax_id}")
def get_own_tax_id(world: World, params: Json, tax_id: str) -> Json:
    return world.get("tax_ids", tax_id)


@route("DELETE", "/v1/customers/{id_}/tax_ids/{tax_id}")
def delete_tax_id(world: World, params: Json, id_: str, tax_id: str) -> Json:
    world.emit("customer.tax_id.deleted", world.get("tax_ids", tax_id))
    del world.objects["tax_ids"][tax_id]
    return {"id": tax_id, "object": "tax_id", "deleted": True}


def attach(world: World, customer: str, method: str) -> Json:
    """Give a card to a customer; a test card's name makes a new one."""
    card = new_card(world, method) if method in CARDS else world.get("payment_methods", method)
    if card["card"]["last4"] in REFUSED_AT_ONCE:
        raise declined(card["_decline"])
    card["customer"] = customer
    world.emit("payment_method.attached", card)
    return card


def new_card(world: World, name: str) -> Json:
    """A payment method from one of Stripe's test cards."""
    brand, last4, decline = CARDS[name]
    return world.add(
        "payment_methods",
        {
            "id": world.new_id("pm"),
            "object": "payment_method",
            "allow_redisplay": "unspecified",
            "billing_details": {"address": None, "email": None, "name": None, "phone": None, "tax_id": None},
            "card": {
                "brand": brand,
                "checks": {"cvc_check": "pass"},
                "country": "US",
                "display_brand": brand,
                "exp_month": 12,
                "exp_year": 2034,
                "fingerprint": f"standin{last4}",
                "funding": "credit",
                "last4": last4,
                "networks": {"available": [brand], "preferred": None},
                "three_d_secure_usage": {"supported": True},
                "wallet": None,
            },
            "created": world.now(),
            "customer": None,
            "livemode": False,
            "metadata": {},
            "type": "card",
            "_decline": decline,
        },
    )


@route("POST", "/v1/payment_methods/{id_}/attach")
def attach_method(world: World, params: Json, id_: str) -> Json:
    require(params, "customer")
    world.get("customers", params["customer"], param="customer")
    return attach(world, params["customer"], id_)


@route("POST", "/v1/payment_methods/{id_}/detach")
def detach_method(world: World, params: Json, id_: str) -> Json:
    card = world.get("payment_methods", id_)
    card["customer"] = None
    world.emit("payment_method.detached", card)
    return card


@route("GET", "/v1/payment_methods/{id_}")
def get_method(world: World, params: Json, id_: str) -> Json:
    return world.get("payment_methods", id_, kind="PaymentMethod")


@route("GET", "/v1/payment_methods")
def list_methods(world: World, params: Json) -> Json:
    rows = world.where("payment_methods", customer=params.get("customer"), type=params.get("type"))
    return page(rows, params, url="/v1/payment_methods")


@route("GET", "/v1/customers/{id_}/payment_methods")
def list_methods_of(world: World, params: Json, id_: str) -> Json:
    rows = world.where("payment_methods", customer=id_)
    return page(rows, params, url=f"/v1/customers/{id_}/payment_methods")


@route("POST", "/v1/setup_intents")
def create_setup_intent(world: World, params: Json) -> Json:
    method = params.get("payment_method")
    confirmed = flag(params, "confirm") and method
    intent = {
        "id": world.new_id("seti"),
        "object": "setup_intent",
        "application": None,
        "cancellation_reason": None,
        "client_secret": "seti_standin_secret",
        "created": world.now(params.get("customer")),
        "customer": params.get("customer"),
        "description": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "metadata": metadata({}, params),
        "next_action": None,
        "payment_method": method,
        "payment_method_types": ["card"],
        "status": "succeeded" if confirmed else "requires_payment_method",
        "usage": params.get("usage", "off_session"),
    }
    if confirmed and params.get("customer"):
        intent["payment_method"] = attach(world, params["customer"], str(method))["id"]
    world.add("setup_intents", intent)
    world.emit("setup_intent.created", intent)
    if confirmed:
        world.emit("setup_intent.succeeded", intent)
    return intent


@route("GET", "/v1/setup_intents/{id_}")
def get_setup_intent(world: World, params: Json, id_: str) -> Json:
    return world.get("setup_intents", id_)
