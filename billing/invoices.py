"""What a workspace has paid and with what: from what Stripe told us, so the page needs no call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from djstripe.models import Customer, Invoice, PaymentMethod, Subscription, TaxId

from billing.accounts import account_of
from billing.states import Json, deciding, moment
from tenants.context import platform
from tenants.models import Workspace

SHOWN = 24


@dataclass(frozen=True, kw_only=True)
class Bill:
    """One invoice. `page` is Stripe's page of it, where an open one is paid; cents."""

    number: str
    date: datetime
    cents: int
    status: str
    page: str
    pdf: str

    @property
    def is_open(self) -> bool:
        return self.status == "open"

    @property
    def usd(self) -> str:
        return f"${self.cents / 100:,.2f}"


@dataclass(frozen=True, kw_only=True)
class Payments:
    """The card that pays ("Visa ending in 4242", empty if we know of none), tax ids, and the bills."""

    card: str
    tax_ids: list[str]
    bills: list[Bill]

    @property
    def open_bill(self) -> Bill | None:
        return next((bill for bill in self.bills if bill.is_open), None)


def payments_of(workspace: Workspace) -> Payments | None:
    """None for a workspace that never began to pay."""
    account = account_of(workspace)
    if account is None:
        return None
    with platform():
        customer = Customer.objects.filter(id=account.customer_id).first()
        rows = Invoice.objects.filter(customer=customer).order_by("-created")[:SHOWN]
        bills = [_bill(row.stripe_data) for row in rows]
        return Payments(card=_card(customer), tax_ids=_tax_ids(customer), bills=bills)


def _bill(data: Json) -> Bill:
    return Bill(
        number=data["number"] or "",
        date=moment(data["created"]),
        cents=data["total"],
        status=data["status"],
        page=data["hosted_invoice_url"] or "",
        pdf=data["invoice_pdf"] or "",
    )


def _card(customer: Customer | None) -> str:
    if customer is None:
        return ""
    rows = [row.stripe_data for row in Subscription.objects.filter(customer=customer)]
    own = (deciding(rows) or {}).get("default_payment_method")
    settings = customer.stripe_data.get("invoice_settings") or {}
    found = PaymentMethod.objects.filter(id=own or settings.get("default_payment_method") or "").first()
    card = (found.stripe_data.get("card") if found else None) or {}
    return f"{card['brand'].title()} ending in {card['last4']}" if card else ""


def _tax_ids(customer: Customer | None) -> list[str]:
    return [row.stripe_data["value"] for row in TaxId.objects.filter(customer=customer)] if customer else []
