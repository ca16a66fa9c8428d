"""What mends our picture when webhooks were lost: replay of events, and the comparison with Stripe."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max
from django.utils import timezone
from djstripe.models import Event, Invoice, Subscription

from billing.events import WATCHED, customer_of
from billing.gateway import asking, plain, secret_key
from billing.metering import counted_by_stripe
from billing.models import BillingAccount, DriftFinding, Entitlement, EntitlementSource
from billing.notices import tell_of_change, tell_staff
from billing.refresh import fields_of, held_by_stripe, refresh
from billing.states import LIVE, Json, is_overage
from netvexa.lib.errors import AppError
from tenants.models import User

logger = logging.getLogger(__name__)
OVERLAP = timedelta(hours=48)  # an event may be missing though later ones arrived
TYPES_A_REQUEST = 20  # more are refused by Stripe
STRIPE_KEEPS = timedelta(days=29)  # Stripe lists the events of 30 days


def replay() -> set[str]:
    """Process the events that never arrived; returns the customers that want a refresh.

    Those are all whose events came after their last refresh, whichever way the event came.
    """
    for data in _missed_events():
        try:
            Event.process(data, api_key=secret_key())
        except Exception:  # one event that cannot be processed must not keep the others waiting
            logger.exception("The missed event %s cannot be processed", data["id"])
    return {account.customer_id for account in BillingAccount.objects.all() if _is_behind(account)}


def _missed_events() -> Iterator[Json]:
    """Oldest first."""
    listed = _events_since(_since())
    known = set(Event.objects.filter(id__in=[row["id"] for row in listed]).values_list("id", flat=True))
    return (row for row in listed if row["id"] not in known)


def _events_since(moment: datetime) -> list[Json]:
    """What Stripe keeps of the events that we watch, oldest first."""
    listed: list[Json] = []
    with asking() as client:
        for at in range(0, len(WATCHED), TYPES_A_REQUEST):
            types = list(WATCHED[at : at + TYPES_A_REQUEST])
            given: Any = {"created": {"gte": int(moment.timestamp())}, "types": types, "limit": 100}
            listed += [plain(row) for row in client.v1.events.list(given).auto_paging_iter()]
    return sorted(listed, key=lambda row: row["created"])


def _since() -> datetime:
    now = timezone.now()
    last = Event.objects.aggregate(last=Max("created"))["last"] or now - STRIPE_KEEPS
    return max(min(last, now) - OVERLAP, now - STRIPE_KEEPS)


def _is_behind(account: BillingAccount) -> bool:
    after = account.refreshed_at or account.created_at
    events = Event.objects.filter(djstripe_created__gt=after, type__in=WATCHED)
    return any(customer_of(event.data["object"]) == account.customer_id for event in events)


def check_drift() -> list[DriftFinding]:
    """Compare every account with Stripe, mend what differs, and report it to staff by mail and in the admin."""
    findings = [finding for account in BillingAccount.objects.all() for finding in _compare(account)]
    if findings:
        lines = tuple(f"{row.workspace}: {row.problem}" for row in findings)
        staff = User.objects.filter(is_staff=True, is_active=True).values_list("email", flat=True)
        tell_staff(f"Billing differed from Stripe in {len(findings)} places", lines, to=list(staff))
    return findings


def _compare(account: BillingAccount) -> Iterator[DriftFinding]:
    before = Entitlement.objects.filter(workspace=account.workspace).first()
    try:
        change = refresh(account.customer_id)
        held = held_by_stripe(account.customer_id)
    except AppError as error:
        yield _found(account, f"Stripe could not be asked: {error}", {}, {}, repaired=False)
        return
    if change is not None:
        ours, stripes = fields_of(before), fields_of(change.after)
        if ours != stripes:
            yield _found(account, "The plan differed from the subscription", ours, stripes, repaired=True)
            tell_of_change(change)
    plans = [row for row in held.subscriptions if not is_overage(row)]
    live = [row["id"] for row in plans if row["status"] in LIVE]
    if len(live) > 1:
        yield _found(account, "There is more than one live subscription", {}, {"live": live}, repaired=False)
    if held.state is not None and held.state.tier is None:
        problem = "The subscription has a price that is none of our plans'"
        yield _found(account, problem, {}, {"subscription": held.state.subscription_id}, repaired=False)
    if (meter := counted_by_stripe(account)) is not None and not meter.agrees:
        problem = "Answers beyond the plan: Stripe's meter differs from what it was told"
        ours, stripes = {"told": meter.told, "refused": meter.refused}, {"counted": meter.counted}
        yield _found(account, problem, ours, stripes, repaired=False)
    if before is not None and before.source == EntitlementSource.STAFF and live:
        yield _found(
            account,
            "Staff set the plan, and a subscription is paid as well",
            {},
            {"live": live},
            repaired=False,
        )


def _found(
    account: BillingAccount, problem: str, ours: Json, stripes: Json, *, repaired: bool
) -> DriftFinding:
    logger.warning("Billing of %s differs from Stripe: %s", account.workspace, problem)
    return DriftFinding.objects.create(
        workspace=account.workspace, problem=problem[:200], ours=ours, stripes=stripes, repaired=repaired
    )


def resync() -> None:
    """Bring dj-stripe's rows of every account's subscriptions and latest invoices to what Stripe has.

    Two webhooks at once may leave the older of two answers there; what a workspace may do never depends on it.
    """
    for account in BillingAccount.objects.all():
        with asking() as client:
            rows: Any = {"customer": account.customer_id, "limit": 20}
            every: Any = {**rows, "status": "all"}
            for subscription in client.v1.subscriptions.list(every).data:
                Subscription.sync_from_stripe_data(subscription, api_key=secret_key())
            expand: Any = {**rows, "expand": ["data.discounts", "data.lines.data.discounts"]}
            for invoice in client.v1.invoices.list(expand).data:
                Invoice.sync_from_stripe_data(invoice, api_key=secret_key())
