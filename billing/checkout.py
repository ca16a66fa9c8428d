"""The ways to Stripe's own pages: checkout, and the portal for cards, invoices and tax ids."""

from __future__ import annotations

from billing.accounts import account_of, ensure_account
from billing.catalogue import price_id
from billing.gateway import Refused, asking, plain
from billing.plans import Interval, Tier
from billing.states import LIVE, is_overage
from netvexa.lib.errors import AppError
from tenants.models import Workspace


class AlreadySubscribed(AppError):
    """A second subscription would be paid twice; the one that lives is changed instead."""

    code = "already_subscribed"
    status = 409
    default_detail = "This workspace already has a subscription. Change its plan instead."


def start_checkout(workspace: Workspace, *, tier: Tier, interval: Interval, back: str) -> str:
    """The address of Stripe's page where this plan is paid; `back` is where people return to.

    Older pages that are still open stop working, so that nobody pays on two of them. What was paid is granted
    when Stripe tells us, never because a browser came back.
    """
    account = ensure_account(workspace)
    with asking() as client:
        customer = account.customer_id
        listed = client.v1.subscriptions.list({"customer": customer, "status": "all", "limit": 20}).data
        if any(row.status in LIVE and not is_overage(plain(row)) for row in listed):
            raise AlreadySubscribed
        for session in client.v1.checkout.sessions.list({"customer": customer, "status": "open"}).data:
            client.v1.checkout.sessions.expire(session.id)
        made = client.v1.checkout.sessions.create(
            {
                "mode": "subscription",
                "customer": customer,
                "client_reference_id": str(workspace.pk),
                "line_items": [{"price": price_id(client, tier, interval), "quantity": 1}],
                "success_url": f"{back}?paid={{CHECKOUT_SESSION_ID}}",
                "cancel_url": back,
                "allow_promotion_codes": True,
                "billing_address_collection": "auto",
                "customer_update": {"address": "auto", "name": "auto"},
                "tax_id_collection": {"enabled": True},
                "subscription_data": {"metadata": {"workspace": str(workspace.pk)}},
            }
        )
    return str(made.url)


def portal(workspace: Workspace, *, back: str) -> str:
    """The address of Stripe's portal for this workspace."""
    account = account_of(workspace)
    if account is None:
        raise Refused("There is nothing to pay yet: choose a plan first.")
    with asking() as client:
        session = client.v1.billing_portal.sessions.create(
            {"customer": account.customer_id, "return_url": back}
        )
    return session.url
