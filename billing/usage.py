"""What a workspace uses: reserved before the work, settled or released after it, each exactly once.

One bucket a workspace, kind and month holds the count that the limit is held against. A reservation takes
its place with a single conditional statement, so that a hundred at once at a limit of fifty let fifty
through. All of this runs while standing in the workspace (`tenants.context.in_tenant`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from billing.models import UsageBucket, UsageEntry, UsageKind, UsageState
from netvexa.lib.errors import AppError
from netvexa.lib.ids import new_id
from tenants.models import Workspace

# The row lock is held until the caller's transaction ends, so reserve in a short transaction of its own.
_TAKE_ONE = """
    INSERT INTO public.billing_usagebucket AS bucket
           (id, workspace_id, kind, period, used, tokens, cost_micro_usd)
    VALUES (%(id)s, %(workspace)s, %(kind)s, %(period)s, 1, 0, 0)
    ON CONFLICT (workspace_id, kind, period) DO UPDATE SET used = bucket.used + 1
    WHERE %(limit)s::bigint IS NULL OR bucket.used < %(limit)s::bigint
"""


class QuotaExceeded(AppError):
    """The month's quota is used up. Carries how much was used, of how much, and when it starts anew."""

    code = "quota_exceeded"
    status = 402
    default_detail = "This month's quota is used up."

    def __init__(self, *, kind: UsageKind, used: int, limit: int, resets_at: datetime) -> None:
        super().__init__(
            f"All {limit:,} {kind.label.lower()} of this month are used."
            f" The count starts anew on {resets_at:%-d %B}; a larger plan includes more."
        )
        self.kind, self.used, self.limit, self.resets_at = kind, used, limit, resets_at

    @property
    def extra(self) -> dict[str, Any]:
        return {
            "limit": self.kind.value,
            "used": self.used,
            "maximum": self.limit,
            "resets_at": self.resets_at.isoformat(),
        }


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """A place in the month's quota, to be settled or released."""

    id: UUID
    kind: UsageKind
    period: date


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What a workspace used this month of one kind. Cost in micro-USD."""

    kind: UsageKind
    period: date
    used: int
    tokens: int
    cost_micro_usd: int
    resets_at: datetime


def reserve(workspace: Workspace, *, kind: UsageKind, limit: int | None, reference: str) -> Reservation:
    """Take one of the month's quota; None is no limit. Raises QuotaExceeded.

    `reference` says what it is for, such as a message's id.
    """
    period = _this_month()
    with transaction.atomic():
        if not _take(workspace, kind=kind, period=period, limit=limit):
            raise QuotaExceeded(
                kind=kind,
                used=_used(workspace, kind, period),
                limit=limit or 0,
                resets_at=_end_of(period),
            )
        entry = UsageEntry.objects.create(workspace=workspace, kind=kind, period=period, reference=reference)
    return Reservation(id=entry.id, kind=kind, period=period)


def settle(reservation_id: UUID, *, tokens: int, cost_micro_usd: int, estimated: bool) -> bool:
    """Record what the work really took. True if this call did it, False if it was done before."""
    with transaction.atomic():
        entry = _finish(reservation_id, UsageState.SETTLED, tokens, cost_micro_usd, estimated)
        if entry is not None:
            _bucket_of(entry).update(
                tokens=F("tokens") + tokens, cost_micro_usd=F("cost_micro_usd") + cost_micro_usd
            )
    return entry is not None


def release(reservation_id: UUID) -> bool:
    """Give the place back: the work came to nothing. True if this call did it."""
    with transaction.atomic():
        entry = _finish(reservation_id, UsageState.RELEASED, 0, 0, False)
        if entry is not None:
            _bucket_of(entry).update(used=F("used") - entry.quantity)
    return entry is not None


def usage_of(workspace: Workspace) -> dict[UsageKind, Usage]:
    """What the workspace used this month, each kind, zeros included."""
    period = _this_month()
    rows = {row.kind: row for row in UsageBucket.objects.filter(workspace=workspace, period=period)}
    return {kind: _usage(kind, period, rows.get(kind.value)) for kind in UsageKind}


def _usage(kind: UsageKind, period: date, row: UsageBucket | None) -> Usage:
    return Usage(
        kind=kind,
        period=period,
        used=row.used if row else 0,
        tokens=row.tokens if row else 0,
        cost_micro_usd=row.cost_micro_usd if row else 0,
        resets_at=_end_of(period),
    )


def _this_month() -> date:
    return timezone.now().astimezone(UTC).date().replace(day=1)


def _end_of(period: date) -> datetime:
    year, month = (period.year + 1, 1) if period.month == 12 else (period.year, period.month + 1)
    return datetime(year, month, 1, tzinfo=UTC)


def _take(workspace: Workspace, *, kind: UsageKind, period: date, limit: int | None) -> bool:
    if limit is not None and limit <= 0:
        return False  # the statement below would let the month's first one in
    given = {"id": new_id(), "workspace": workspace.pk, "kind": kind.value, "period": period, "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_ONE, given)
        return bool(cursor.rowcount)


def _used(workspace: Workspace, kind: UsageKind, period: date) -> int:
    row = UsageBucket.objects.filter(workspace=workspace, kind=kind, period=period).first()
    return row.used if row else 0


def _finish(
    reservation_id: UUID, state: UsageState, tokens: int, cost_micro_usd: int, estimated: bool
) -> UsageEntry | None:
    """Take the entry out of RESERVED; None if another call was first."""
    changed = UsageEntry.objects.filter(pk=reservation_id, state=UsageState.RESERVED).update(
        state=state,
        tokens=tokens,
        cost_micro_usd=cost_micro_usd,
        estimated=estimated,
        settled_at=timezone.now(),
    )
    return UsageEntry.objects.get(pk=reservation_id) if changed else None


def _bucket_of(entry: UsageEntry) -> QuerySet[UsageBucket]:
    return UsageBucket.objects.filter(workspace_id=entry.workspace_id, kind=entry.kind, period=entry.period)
