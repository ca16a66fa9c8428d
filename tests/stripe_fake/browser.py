"""What a browser asks of the stand-in: its pages, and what their buttons do."""

from __future__ import annotations

from dataclasses import dataclass

from tests.stripe_fake import checkout, clocks, customers, invoices, pages, pdf, subscriptions, webhooks
from tests.stripe_fake.wire import ApiError, Json, missing
from tests.stripe_fake.world import SHARED_CLOCK, World

DAY = 86400


@dataclass(frozen=True)
class Page:
    """An answer for a browser: a page, a file, or the way to another."""

    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    location: str = ""


def answer(world: World, method: str, path: str, params: Json) -> Page:
    """Raises ApiError where there is no such page."""
    kind, _, rest = path.strip("/").partition("/")
    id_, _, tail = rest.partition("/")
    if kind == "clock" or not kind:
        return _clock(world, method, params)
    if kind == "checkout":
        return _checkout(world, method, params, world.get("checkout_sessions", id_))
    if kind == "portal":
        return _portal(world, method, params, world.get("portal_sessions", id_))
    if kind == "invoices":
        invoice = world.get("invoices", id_)
        if tail == "pdf":
            return Page(pdf.invoice_pdf(invoice), "application/pdf")
        return _invoice(world, method, params, invoice)
    if kind == "receipts":
        return _html(pages.receipt_page(world.get("charges", id_)))
    raise missing("page", path)


def _html(text: str) -> Page:
    return Page(text.encode())


def _checkout(world: World, method: str, params: Json, session: Json) -> Page:
    if method == "GET":
        return _html(pages.checkout_page(world, session))
    try:
        card, code, tax_id = (params.get(name, "") for name in ("card", "code", "tax_id"))
        return Page(location=checkout.complete(world, session, card=card, code=code, tax_id=tax_id))
    except ApiError as refused:
        return _html(pages.checkout_page(world, session, str(refused)))


def _portal(world: World, method: str, params: Json, session: Json) -> Page:
    error = ""
    if method == "POST":
        try:
            _do(world, session["customer"], params)
        except ApiError as refused:
            error = str(refused)
    return _html(pages.portal_page(world, session, error))


def _do(world: World, customer: str, params: Json) -> None:
    """What a button of the portal does."""
    action, id_ = params.get("do", ""), params.get("id", "")
    if action in ("cancel", "resume"):
        flag = "true" if action == "cancel" else "false"
        subscriptions.update(world, {"cancel_at_period_end": flag}, id_)
    elif action == "card":
        use_card(world, customer, params["card"])
    elif action == "pay":
        invoices.pay(world, {}, id_)
    elif action == "tax_id" and params.get("tax_id"):
        customers.add_tax_id(world, {"type": "eu_vat", "value": params["tax_id"]}, customer)


def use_card(world: World, customer: str, name: str) -> None:
    """A new card for the customer and their subscriptions."""
    card = customers.attach(world, customer, name)
    given = {"invoice_settings": {"default_payment_method": card["id"]}}
    customers.update_customer(world, given, customer)
    for row in world.where("subscriptions", customer=customer):
        if row["status"] not in subscriptions.ENDED:
            subscriptions.update(world, {"default_payment_method": card["id"]}, row["id"])


def _invoice(world: World, method: str, params: Json, invoice: Json) -> Page:
    error = ""
    if method == "POST":
        try:
            use_card(world, invoice["customer"], params["card"])
            invoices.pay(world, {}, invoice["id"])
        except ApiError as refused:
            error = str(refused)
    return _html(pages.invoice_page(invoice, error))


def _clock(world: World, method: str, params: Json) -> Page:
    if method == "POST" and params.get("days"):
        clock = world.get("clocks", SHARED_CLOCK)
        clocks.advance(world, clock, world.time_of(clock) + int(params["days"]) * DAY)
    elif method == "POST" and params.get("fault") == "release":
        webhooks.release(world)
    elif method == "POST" and params.get("fault"):
        setattr(world.faults, params["fault"], True if params["fault"] == "hold" else 1)
    return Page(location="/clock") if method == "POST" else _html(pages.clock_page(world))
