"""What NETVEXA's staff do for a workspace: credit, a longer trial, a refund; and all that happened to it.

Runs as the platform. Whoever calls it writes the audit log.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone
from djstripe.models import Event

from billing.accounts import account_of, ensure_account
from billing.gateway import asking
from billing.models import BillingNotice
from billing.states import moment
from billing.subscriptions import trial_end_of
from tenants.models import AuditEvent, Workspace

SHOWN = 100


@dataclass(frozen=True, kw_only=True)
class Happening:
    """One line of a workspace's timeline."""

    at: datetime
    source: str
    what: str
    detail: str = ""


def give_credit(workspace: Workspace, *, cents: int, reason: str, once: UUID) -> str:
    """Credit that the next invoices take first; the transaction's id at Stripe. `once` makes two sends one."""
    account = ensure_account(workspace)
    with asking() as client:
        made = client.v1.customers.balance_transactions.create(
            account.customer_id,
            {"amount": -cents, "currency": "usd", "description": reason},
            {"idempotency_key": f"credit-{once}"},
        )
    return made.id


def refund(*, charge_id: str, cents: int | None, reason: str, once: UUID) -> str:
    """Give back a payment or, with `cents`, a part of it; the refund's id at Stripe."""
    with asking() as client:
        made = client.v1.refunds.create(
            {"charge": charge_id, "metadata": {"note": reason}, **({"amount": cents} if cents else {})},
            {"idempotency_key": f"refund-{once}"},
        )
    return made.id


def extend_trial(workspace: Workspace, *, days: int) -> datetime:
    """Let the trial end `days` later than it would, or than now where it is over; when that is."""
    ends_at = max(trial_end_of(workspace), timezone.now()) + timedelta(days=days)
    workspace.trial_ends_at = ends_at
    workspace.save(update_fields=["trial_ends_at"])
    return ends_at


def payments_to_refund(workspace: Workspace) -> list[tuple[str, str]]:
    """Charges with something left to give back, newest first: id, and words such as "$99.00 on 3 May 2027"."""
    account = account_of(workspace)
    if account is None:
        return []
    with asking() as client:
        rows = client.v1.charges.list({"customer": account.customer_id, "limit": 50}).data
    left = [(row, row.amount_captured - row.amount_refunded) for row in rows if row.paid]
    return [
        (row.id, f"${cents / 100:,.2f} of {moment(row.created):%-d %B %Y}")
        for row, cents in left
        if cents > 0
    ]


def timeline_of(workspace: Workspace) -> list[Happening]:
    """What happened, newest first: the audit log, mails about money, and Stripe's events."""
    found = [*_audited(workspace), *_mailed(workspace), *_told_by_stripe(workspace)]
    return sorted(found, key=lambda line: line.at, reverse=True)[:SHOWN]


def _audited(workspace: Workspace) -> Iterator[Happening]:
    for row in AuditEvent.objects.filter(workspace=workspace).order_by("-at")[:SHOWN]:
        after = row.after or {}
        detail = ", ".join(f"{name}: {value}" for name, value in after.items())
        yield Happening(at=row.at, source=row.actor, what=row.action, detail=detail or row.subject)


def _mailed(workspace: Workspace) -> Iterator[Happening]:
    for row in BillingNotice.objects.filter(workspace=workspace).order_by("-sent_at")[:SHOWN]:
        yield Happening(at=row.sent_at, source="mail", what=row.kind, detail=row.reference)


def _told_by_stripe(workspace: Workspace) -> Iterator[Happening]:
    account = account_of(workspace)
    if account is None:
        return
    of_customer = Event.objects.filter(data__object__customer=account.customer_id)
    for row in of_customer.order_by("-created")[:SHOWN]:
        yield Happening(at=row.created, source="Stripe", what=row.type, detail=row.id)
