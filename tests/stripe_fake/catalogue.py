"""Products, prices, coupons and promotion codes."""

from __future__ import annotations

from typing import Any

from tests.stripe_fake.routes import route
from tests.stripe_fake.wire import (
    ApiError,
    Json,
    flag,
    integer,
    invalid,
    metadata,
    page,
    require,
    within,
)
from tests.stripe_fake.world import World


@route("POST", "/v1/products")
def create_product(world: World, params: Json) -> Json:
    require(params, "name")
    id_ = params.get("id") or world.new_id("prod")
    if id_ in world.objects.get("products", {}):
        raise invalid("Product already exists.", "id", "resource_already_exists")
    now = world.now()
    product = {
        "id": id_,
        "object": "product",
        "active": flag(params, "active", default=True),
        "created": now,
        "default_price": None,
        "description": params.get("description"),
        "images": [],
        "livemode": False,
        "marketing_features": params.get("marketing_features") or [],
        "metadata": metadata({}, params),
        "name": params["name"],
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": params.get("tax_code"),
        "type": "service",
        "unit_label": params.get("unit_label"),
        "updated": now,
        "url": None,
    }
    world.emit("product.created", world.add("products", product))
    return product


@route("POST", "/v1/products/{id_}")
def update_product(world: World, params: Json, id_: str) -> Json:
    product = world.get("products", id_)
    before = dict(product)
    for name in ("name", "description", "unit_label", "default_price", "marketing_features"):
        if name in params:
            product[name] = params[name] or None
    product["active"] = flag(params, "active", default=product["active"])
    product["metadata"], product["updated"] = metadata(product["metadata"], params), world.now()
    world.emit("product.updated", product, before)
    return product


@route("GET", "/v1/products")
def list_products(world: World, params: Json) -> Json:
    ids = params.get("ids")
    rows = [row for row in world.all("products") if _active(row, params) and (not ids or row["id"] in ids)]
    return page(rows, params, url="/v1/products")


@route("GET", "/v1/products/{id_}")
def get_product(world: World, params: Json, id_: str) -> Json:
    return world.get("products", id_)


@route("GET", "/v1/products/{id_}/features")
def list_features(world: World, params: Json, id_: str) -> Json:
    world.get("products", id_)
    return page(world.where("features", _product=id_), params, url=f"/v1/products/{id_}/features")


@route("POST", "/v1/prices")
def create_price(world: World, params: Json) -> Json:
    require(params, "currency")
    product = params.get("product") or create_product(world, params.get("product_data") or {})["id"]
    world.get("products", product, param="product")
    _free_lookup_key(world, params)
    amount = integer(params, "unit_amount")
    recurring = _recurring(params["recurring"]) if params.get("recurring") else None
    price = {
        "id": world.new_id("price"),
        "object": "price",
        "active": flag(params, "active", default=True),
        "billing_scheme": "per_unit",
        "created": world.now(),
        "currency": params["currency"],
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": params.get("lookup_key"),
        "metadata": metadata({}, params),
        "nickname": params.get("nickname"),
        "product": product,
        "recurring": recurring,
        "tax_behavior": params.get("tax_behavior", "unspecified"),
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if recurring else "one_time",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount) if amount is not None else params.get("unit_amount_decimal"),
    }
    world.emit("price.created", world.add("prices", price))
    return price


def _recurring(given: Json) -> Json:
    require(given, "interval")
    return {
        "interval": given["interval"],
        "interval_count": integer(given, "interval_count") or 1,
        "meter": given.get("meter"),
        "trial_period_days": None,
        "usage_type": given.get("usage_type", "licensed"),
    }


def _free_lookup_key(world: World, params: Json, *, but: str = "") -> None:
    """A lookup key leads to one price; `transfer_lookup_key` takes it from the one that has it."""
    key = params.get("lookup_key")
    for holder in world.where("prices", lookup_key=key) if key else []:
        if holder["id"] == but:
            continue
        if not flag(params, "transfer_lookup_key"):
            raise invalid(f"A price (`{holder['id']}`) already uses that lookup key.", "lookup_key")
        holder["lookup_key"] = None
        world.emit("price.updated", holder, {"lookup_key": key})


@route("POST", "/v1/prices/{id_}")
def update_price(world: World, params: Json, id_: str) -> Json:
    price = world.get("prices", id_)
    if {"unit_amount", "currency", "recurring", "product"} & set(params):
        raise ApiError(400, "Received unknown parameter: unit_amount", code="parameter_unknown")
    _free_lookup_key(world, params, but=id_)
    before = dict(price)
    for name in ("lookup_key", "nickname"):
        if name in params:
            price[name] = params[name] or None
    price["active"] = flag(params, "active", default=price["active"])
    price["metadata"] = metadata(price["metadata"], params)
    world.emit("price.updated", price, before)
    return price


@route("GET", "/v1/prices")
def list_prices(world: World, params: Json) -> Json:
    keys: Any = params.get("lookup_keys")
    rows = [
        row
        for row in world.where("prices", product=params.get("product"), currency=params.get("currency"))
        if _active(row, params) and (not keys or row["lookup_key"] in keys)
    ]
    return page(rows, params, url="/v1/prices")


@route("GET", "/v1/prices/{id_}")
def get_price(world: World, params: Json, id_: str) -> Json:
    return world.get("prices", id_)


def _active(row: Json, params: Json) -> bool:
    return "active" not in params or row["active"] == flag(params, "active")


@route("POST", "/v1/coupons")
def create_coupon(world: World, params: Json) -> Json:
    percent, amount = params.get("percent_off"), integer(params, "amount_off")
    if not percent and not amount:
        raise invalid("Must provide percent_off or amount_off.", "percent_off")
    coupon = {
        "id": params.get("id") or world.new_id("coupon"),
        "object": "coupon",
        "amount_off": amount,
        "applies_to": {"products": []},
        "created": world.now(),
        "currency": params.get("currency"),
        "duration": params.get("duration", "once"),
        "duration_in_months": integer(params, "duration_in_months"),
        "livemode": False,
        "max_redemptions": integer(params, "max_redemptions"),
        "metadata": metadata({}, params),
        "name": params.get("name"),
        "percent_off": float(percent) if percent else None,
        "redeem_by": integer(params, "redeem_by"),
        "times_redeemed": 0,
        "valid": True,
    }
    world.emit("coupon.created", world.add("coupons", coupon))
    return coupon


@route("GET", "/v1/coupons/{id_}")
def get_coupon(world: World, params: Json, id_: str) -> Json:
    return world.get("coupons", id_)


@route("GET", "/v1/coupons")
def list_coupons(world: World, params: Json) -> Json:
    return page(world.all("coupons"), params, url="/v1/coupons")


@route("DELETE", "/v1/coupons/{id_}")
def delete_coupon(world: World, params: Json, id_: str) -> Json:
    coupon = world.get("coupons", id_)
    del world.objects["coupons"][id_]
    world.emit("coupon.deleted", coupon)
    return {"id": id_, "object": "coupon", "deleted": True}


@route("POST", "/v1/promotion_codes")
def create_promotion_code(world: World, params: Json) -> Json:
    promotion = params.get("promotion") or {}
    coupon = world.get("coupons", promotion.get("coupon") or params.get("coupon", ""), param="coupon")
    code = params.get("code") or world.new_id("CODE").upper()
    if any(row["code"] == code and row["active"] for row in world.all("promotion_codes")):
        raise invalid("An active promotion code with this code already exists.", "code")
    made = {
        "id": world.new_id("promo"),
        "object": "promotion_code",
        "active": True,
        "code": code,
        "created": world.now(),
        "customer": params.get("customer"),
        "customer_account": None,
        "expires_at": integer(params, "expires_at"),
        "livemode": False,
        "max_redemptions": integer(params, "max_redemptions"),
        "metadata": metadata({}, params),
        "promotion": {"coupon": coupon["id"], "type": "coupon"},
        "restrictions": {
            "first_time_transaction": False,
            "minimum_amount": None,
            "minimum_amount_currency": None,
        },
        "times_redeemed": 0,
    }
    world.emit("promotion_code.created", world.add("promotion_codes", made))
    return made


@route("GET", "/v1/promotion_codes")
def list_promotion_codes(world: World, params: Json) -> Json:
    rows = [row for row in world.where("promotion_codes", code=params.get("code")) if _active(row, params)]
    return page(rows, params, url="/v1/promotion_codes")


@route("GET", "/v1/promotion_codes/{id_}")
def get_promotion_code(world: World, params: Json, id_: str) -> Json:
    return world.get("promotion_codes", id_)


def usable_code(world: World, code: str) -> Json:
    """The active promotion code that a person typed. Raises ApiError."""
    now = world.now()
    for row in world.where("promotion_codes", active=True):
        if row["code"].lower() == code.strip().lower() and (row["expires_at"] or now) >= now:
            return row
    raise invalid("This code is invalid.", "promotion_code", "promotion_code_invalid")


@route("GET", "/v1/account")
def own_account(world: World, params: Json) -> Json:
    return account(world, params, "acct_standin")


@route("GET", "/v1/accounts/{id_}")
def account(world: World, params: Json, id_: str) -> Json:
    return {
        "id": id_,
        "object": "account",
        "business_profile": {"name": "NETVEXA (stand-in for Stripe)", "url": None},
        "charges_enabled": True,
        "country": "US",
        "created": 0,
        "default_currency": "usd",
        "details_submitted": True,
        "email": None,
        "metadata": {},
        "payouts_enabled": True,
        "settings": {"branding": {}, "dashboard": {"display_name": "Stand-in", "timezone": "UTC"}},
        "type": "standard",
    }


@route("GET", "/v1/events")
def list_events(world: World, params: Json) -> Json:
    if len(params.get("types") or []) > 20:
        raise invalid("You can list at most 20 types.", "types")
    kinds = params.get("types") or ([params["type"]] if params.get("type") else None)
    rows = [
        row
        for row in world.all("events")
        if (not kinds or row["type"] in kinds) and within(params, "created", row["created"])
    ]
    return page(rows, params, url="/v1/events")


@route("GET", "/v1/events/{id_}")
def get_event(world: World, params: Json, id_: str) -> Json:
    return world.get("events", id_)
