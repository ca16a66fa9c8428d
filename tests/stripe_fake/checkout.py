"""Checkout sessions: a page of Stripe's on which a person pays, and what comes of it."""

from __future__ import annotations

from tests.stripe_fake import customers, subscriptions
from tests.stripe_fake.catalogue import usable_code
from tests.stripe_fake.routes import route
from tests.stripe_fake.wire import ApiError, Json, flag, integer, invalid, metadata, page, require
from tests.stripe_fake.world import World

DAY = 86400


@route("POST", "/v1/checkout/sessions")
def create(world: World, params: Json) -> Json:
    require(params, "mode", "success_url", "line_items")
    for item in params["line_items"]:
        world.get("prices", item.get("price", ""), kind="price", param="line_items[0][price]")
    customer = params.get("customer")
    if customer:
        world.get("customers", customer, param="customer")
    id_, now = world.new_id("cs_test"), world.now(customer)
    session = {
        "id": id_,
        "object": "checkout.session",
        "adaptive_pricing": None,
        "after_expiration": None,
        "allow_promotion_codes": flag(params, "allow_promotion_codes"),
        "amount_subtotal": _amount(world, params["line_items"]),
        "amount_total": _amount(world, params["line_items"]),
        "automatic_tax": {"enabled": False, "liability": None, "status": None, "provider": None},
        "billing_address_collection": params.get("billing_address_collection"),
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "client_secret": None,
        "consent": None,
        "consent_collection": None,
        "created": now,
        "currency": "usd",
        "custom_fields": [],
        "customer": customer,
        "customer_creation": None,
        "customer_details": None,
        "customer_email": params.get("customer_email"),
        "discounts": params.get("discounts") or [],
        "expires_at": now + DAY,
        "invoice": None,
        "invoice_creation": None,
        "livemode": False,
        "locale": params.get("locale"),
        "metadata": metadata({}, params),
        "mode": params["mode"],
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": params.get("payment_method_collection", "always"),
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": None,
        "subscription": None,
        "success_url": params["success_url"],
        "tax_id_collection": {
            "enabled": flag(params.get("tax_id_collection") or {}, "enabled"),
            "required": "never",
        },
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted",
        "url": f"{world.base}/checkout/{id_}",
        "_line_items": params["line_items"],
        "_subscription_data": params.get("subscription_data") or {},
    }
    return world.add("checkout_sessions", session)


def _amount(world: World, items: list[Json]) -> int:
    return sum(
        (world.get("prices", item["price"])["unit_amount"] or 0) * (integer(item, "quantity") or 0)
        for item in items
    )


@route("GET", "/v1/checkout/sessions/{id_}")
def get(world: World, params: Json, id_: str) -> Json:
    return world.get("checkout_sessions", id_)


@route("GET", "/v1/checkout/sessions")
def list_sessions(world: World, params: Json) -> Json:
    rows = world.where("checkout_sessions", customer=params.get("customer"), status=params.get("status"))
    return page(rows, params, url="/v1/checkout/sessions")


@route("GET", "/v1/checkout/sessions/{id_}/line_items")
def list_items(world: World, params: Json, id_: str) -> Json:
    session = world.get("checkout_sessions", id_)
    rows = [
        {
            "id": world.new_id("li"),
            "object": "item",
            "price": world.get("prices", item["price"]),
            "quantity": integer(item, "quantity"),
        }
        for item in session["_line_items"]
    ]
    return page(rows, params, url=f"/v1/checkout/sessions/{id_}/line_items")


@route("POST", "/v1/checkout/sessions/{id_}/expire")
def expire(world: World, params: Json, id_: str) -> Json:
    session = world.get("checkout_sessions", id_)
    if session["status"] != "open":
        raise invalid("Only open sessions can be expired.")
    session["status"], session["url"] = "expired", None
    world.emit("checkout.session.expired", session)
    return session


def complete(
    world: World, session: Json, *, card: str = "pm_card_visa", code: str = "", tax_id: str = ""
) -> str:
    """The person pays; returns where the browser goes. Raises ApiError when the card or code is refused."""
    if session["status"] != "open":
        raise invalid("This checkout session is over.")
    discounts = [{"promotion_code": usable_code(world, code)["id"]}] if code else session["discounts"]
    customer = _customer(world, session)
    method = customers.new_card(world, card)
    if method["_decline"] and card != "pm_card_chargeCustomerFail":
        raise ApiError(402, "Your card was declined.", kind="card_error", code="card_declined")
    if tax_id:
        customers.add_tax_id(world, {"type": "eu_vat", "value": tax_id}, customer)
    customers.attach(world, customer, method["id"])
    decline, method["_decline"] = method["_decline"], None  # that card fails from the second time on
    given = {"customer": customer, "items": session["_line_items"], "discounts": discounts}
    made = subscriptions.create(
        world, {**session["_subscription_data"], **given, "default_payment_method": method["id"]}
    )
    method["_decline"] = decline
    session.update(
        status="complete",
        payment_status="paid",
        url=None,
        subscription=made["id"],
        invoice=made["latest_invoice"],
        customer_details={"email": world.get("customers", customer)["email"], "tax_exempt": "none"},
    )
    world.emit("checkout.session.completed", session)
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def _customer(world: World, session: Json) -> str:
    if not session["customer"]:
        made = customers.create_customer(world, {"email": session["customer_email"]})
        session["customer"] = made["id"]
    return str(session["customer"])


@route("POST", "/v1/billing_portal/sessions")
def create_portal(world: World, params: Json) -> Json:
    require(params, "customer")
    world.get("customers", params["customer"], param="customer")
    id_ = world.new_id("bps")
    return world.add(
        "portal_sessions",
        {
            "id": id_,
            "object": "billing_portal.session",
            "configuration": "bpc_standin",
            "created": world.now(params["customer"]),
            "customer": params["customer"],
            "flow": params.get("flow_data"),
            "livemode": False,
            "locale": params.get("locale"),
            "on_behalf_of": None,
            "return_url": params.get("return_url"),
            "url": f"{world.base}/portal/{id_}",
        },
    )
