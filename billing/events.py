"""The events of Stripe that we ask for, and whose they are."""

from __future__ import annotations

from billing.states import Json

SUBSCRIPTION_EVENTS = (
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "customer.subscription.trial_will_end",
    "subscription_schedule.created",
    "subscription_schedule.updated",
    "subscription_schedule.released",
    "subscription_schedule.canceled",
    "checkout.session.completed",
)
INVOICE_EVENTS = ("invoice.paid", "invoice.payment_failed", "invoice.finalized", "invoice.voided")
KEPT_EVENTS = (  # dj-stripe keeps these objects; nothing of ours depends on them at once
    "customer.updated",
    "customer.tax_id.created",
    "customer.tax_id.deleted",
    "payment_method.attached",
    "payment_method.detached",
    "charge.refunded",
    "product.created",
    "product.updated",
    "price.created",
    "price.updated",
)
CLOCK_EVENT = "test_helpers.test_clock.ready"
WATCHED = (*SUBSCRIPTION_EVENTS, *INVOICE_EVENTS, *KEPT_EVENTS, CLOCK_EVENT)


def customer_of(thing: Json) -> str:
    """The customer that an object of Stripe belongs to; empty if it is nobody's."""
    found = thing["id"] if thing["object"] == "customer" else thing.get("customer")
    return str(found["id"] if isinstance(found, dict) else found or "")
