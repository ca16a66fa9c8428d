"""Answers beyond the plan, told to Stripe's meter, and the statement of them that equals Stripe's invoice.

The month's bucket knows how many there are. What was not told yet becomes an event with a number and an identifier
of its own, in one transaction under the bucket's lock; it is sent until Stripe has taken it, and Stripe counts an
identifier once. Nothing is rewritten: whatever comes later is the next event. Works as the platform.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone

from billing.catalogue import METER
from billing.gateway import Refused, asking
from billing.models import BillingAccount, Entitlement, OverageEvent, UsageBucket, UsageKind
from billing.plans import OVERAGE_CENTS
from billing.usage import end_of
from tenants.models import Workspace

LATE = timedelta(days=62)  # so long a month is looked at for what was not told
STRIPE_WAITS = timedelta(minutes=45)  # Stripe closes an invoice an hour after its month
STRIPE_COUNTS = timedelta(hours=1)  # its meters sum up in the background
SHOWN_MONTHS = 12


@dataclass(frozen=True, kw_only=True)
class StatementLine:
    """A month's answers beyond the plan, as its invoice has them. `waiting` were not taken by Stripe yet."""

    month: date
    quantity: int
    waiting: int = 0

    @property
    def cents(self) -> int:
        return self.quantity * OVERAGE_CENTS


def note() -> None:
    """Make events of what no event tells of yet."""
    since = (timezone.now() - LATE).date()
    rows = UsageBucket.objects.filter(kind=UsageKind.ANSWERS, over__gt=0, period__gte=since)
    for bucket_id in rows.values_list("pk", flat=True):
        with transaction.atomic():
            _note(UsageBucket.objects.select_for_update().get(pk=bucket_id))


def _note(bucket: UsageBucket) -> None:
    told = OverageEvent.objects.filter(workspace=bucket.workspace_id, period=bucket.period).aggregate(
        sum=Sum("quantity"), number=Count("pk")
    )
    missing, number = bucket.over - (told["sum"] or 0), told["number"] + 1
    if missing > 0:
        OverageEvent.objects.create(
            workspace_id=bucket.workspace_id,
            period=bucket.period,
            number=number,
            identifier=f"{bucket.workspace_id}:{METER}:{bucket.period:%Y-%m}:{number}",
            quantity=missing,
            at=counts_at(bucket.period, now=_now_of(bucket.workspace_id)),
        )


def counts_at(period: date, *, now: datetime) -> datetime:
    """When answers of this month count for: now, or its last second while its invoice is still open."""
    end = end_of(period)
    return end - timedelta(seconds=1) if end <= now < end + STRIPE_WAITS else now


def _now_of(workspace_id: Any) -> datetime:
    row = Entitlement.objects.filter(workspace=workspace_id).first()
    return row.now if row else timezone.now()


def send() -> int:
    """Send every event that Stripe has not taken; how many it took. Raises StripeDown; the rest waits then."""
    taken = 0
    for event in OverageEvent.objects.filter(sent_at=None).order_by("at", "number"):
        account = BillingAccount.objects.filter(workspace=event.workspace_id).first()
        if account is not None and (refusal := _send(event, account)) is None:
            taken += 1
            OverageEvent.objects.filter(pk=event.pk).update(sent_at=timezone.now(), refusal="")
        elif account is not None:
            OverageEvent.objects.filter(pk=event.pk).update(refusal=refusal)
    return taken


def _send(event: OverageEvent, account: BillingAccount) -> str | None:
    """None once Stripe has it, else why it does not take it."""
    try:
        with asking() as client:
            client.v1.billing.meter_events.create(
                {
                    "event_name": METER,
                    "identifier": event.identifier,
                    "timestamp": int(event.at.timestamp()),
                    "payload": {"stripe_customer_id": account.customer_id, "value": str(event.quantity)},
                }
            )
    except Refused as refused:
        why = str(refused.__cause__)
        return None if "already exists" in why else why[:200]
    return None


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What we told Stripe's meter of this month until an hour ago, what it counted, and what it refused."""

    told: int
    counted: int
    refused: int

    @property
    def agrees(self) -> bool:
        return self.told == self.counted and not self.refused


def counted_by_stripe(account: BillingAccount) -> Counted | None:
    """None where there is nothing to compare. Raises StripeDown."""
    now = _now_of(account.workspace_id).astimezone(UTC).replace(second=0, microsecond=0)
    start, end = now.replace(day=1, hour=0, minute=0), now - STRIPE_COUNTS
    rows = OverageEvent.objects.filter(workspace=account.workspace_id, at__gte=start, at__lt=end)
    if start >= end or not rows.exists():
        return None
    given: Any = {
        "customer": account.customer_id,
        "start_time": int(start.timestamp()),
        "end_time": int(end.timestamp()),
    }
    with asking() as client:
        meter = next((row.id for row in client.v1.billing.meters.list().data if row.event_name == METER), "")
        found = client.v1.billing.meters.event_summaries.list(meter, given).data if meter else []
    sent = rows.exclude(sent_at=None).aggregate(sum=Sum("quantity"))["sum"] or 0
    counted = round(sum(row.aggregated_value for row in found))
    return Counted(told=sent, counted=counted, refused=rows.exclude(refusal="").count())


def statement_of(workspace: Workspace) -> list[StatementLine]:
    """Answers beyond the plan by the month of their invoice, newest first."""
    rows = OverageEvent.objects.filter(workspace=workspace).annotate(month=TruncMonth("at", tzinfo=UTC))
    by_month: dict[date, list[OverageEvent]] = {}
    for row in rows.order_by("at"):
        by_month.setdefault(row.month.date(), []).append(row)
    return list(_lines(by_month))[:SHOWN_MONTHS]


def _lines(by_month: dict[date, list[OverageEvent]]) -> Iterator[StatementLine]:
    for month in sorted(by_month, reverse=True):
        rows = by_month[month]
        yield StatementLine(
            month=month,
            quantity=sum(row.quantity for row in rows),
            waiting=sum(row.quantity for row in rows if row.sent_at is None),
        )
