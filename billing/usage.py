"""What a workspace uses: reserved before the work, settled or released after it, each exactly once.

The ledger only grows: a reservation is a line of it, and so is what became of the reservation. One bucket a
workspace, kind and month holds the count that the limit is held against. Redis decides first (`billing.quota`);
then a single statement takes the bucket's place under the limit and writes the line, so that a hundred at once
at a limit of fifty let fifty through whatever Redis knows. All of this runs while standing in the workspace
(`tenants.context.in_tenant`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Any
from uuid import UUID

from celery import current_app
from django.db import transaction
from django.utils import timezone

from billing.limits import upgrade_url
from billing.models import UsageBucket, UsageKind, UsageState
from billing.quota import Count, Verdict
from netvexa.lib.errors import AppError
from netvexa.lib.ids import new_id
from tenants.models import Workspace
from tenants.postgresql.prepared import row_of

LEVELS = (50, 80, 100)  # percent of a quota at which the owners are told

# `over` are those beyond the plan: an answer takes a place of the plan while there is one, and what was beyond a
# smaller plan stays so under a larger one. A place that is given back is one of those beyond, where there are any.
# The row lock is held until the caller's transaction ends, so reserve outside of longer transactions.
_RESERVE = """
    WITH place AS (
        INSERT INTO public.billing_usagebucket AS bucket
               (id, workspace_id, kind, period, used, over, tokens, cost_micro_usd)
        VALUES (%(bucket)s, %(workspace)s, %(kind)s, %(period)s, 1, 0, 0, 0)
        ON CONFLICT (workspace_id, kind, period) DO UPDATE SET
               used = bucket.used + 1,
               over = bucket.over + (bucket.used - bucket.over >= %(limit)s::bigint IS TRUE)::int
        WHERE %(limit)s::bigint IS NULL OR bucket.used - bucket.over < %(limit)s::bigint
           OR bucket.over < %(extra)s::bigint
        RETURNING used
    ), line AS (
        INSERT INTO public.billing_usageentry
               (id, workspace_id, kind, period, quantity, tokens, cost_micro_usd, estimated, state, reference,
                created_at)
        SELECT %(id)s::uuid, %(workspace)s::uuid, %(kind)s, %(period)s::date, 1, 0, 0, false, 'reserved',
               %(reference)s, %(now)s::timestamptz
          FROM place
    )
    SELECT used FROM place
"""
# Of several that finish one reservation at once, the unique index on it lets one write its line.
_FINISH = """
    WITH line AS (
        INSERT INTO public.billing_usageentry
               (id, workspace_id, kind, period, quantity, tokens, cost_micro_usd, estimated, state, reference,
                created_at, reservation)
        SELECT %(id)s::uuid, workspace_id, kind, period, %(quantity)s::bigint, %(tokens)s::int,
               %(cost)s::bigint, %(estimated)s::boolean, %(state)s, reference, %(now)s::timestamptz, id
          FROM public.billing_usageentry
         WHERE id = %(reservation)s::uuid AND reservation IS NULL
        ON CONFLICT (reservation) DO NOTHING
        RETURNING workspace_id, kind, period
    )
    UPDATE public.billing_usagebucket AS bucket
       SET used = bucket.used + %(quantity)s::bigint,
           over = GREATEST(0, bucket.over + %(quantity)s::bigint),
           tokens = bucket.tokens + %(tokens)s::int,
           cost_micro_usd = bucket.cost_micro_usd + %(cost)s::bigint
      FROM line
     WHERE (bucket.workspace_id, bucket.kind, bucket.period) = (line.workspace_id, line.kind, line.period)
    RETURNING bucket.kind, bucket.period
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
            "upgrade_url": upgrade_url(),
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
    over: int
    tokens: int
    cost_micro_usd: int
    resets_at: datetime

    @property
    def within(self) -> int:
        """How many of them the plan includes."""
        return self.used - self.over


def reserve(
    workspace: Workspace, *, kind: UsageKind, limit: int | None, reference: str, extra: int = 0
) -> Reservation:
    """Take one of the month's quota; None is no limit. Raises QuotaExceeded.

    `extra` is how many beyond the plan the workspace pays for. `reference` says what it is for, such as a
    message's id.
    """
    count = Count(workspace, kind, this_month())
    ruling = count.take(None if extra else limit, booked=lambda: _used(count))  # the row knows what is beyond
    if ruling.verdict is Verdict.REFUSED:
        raise _exceeded(count, ruling.used, limit)
    reservation = Reservation(id=new_id(), kind=kind, period=count.period)
    used = _book(workspace, reservation, limit, extra, reference)
    if used is None or ruling.verdict is Verdict.ASK:
        count.forget()  # the bucket knows better
    if used is None:
        raise _exceeded(count, _used(count), limit, extra)
    _tell(workspace, used, limit, extra)
    return reservation


def settle(reservation_id: UUID, *, tokens: int, cost_micro_usd: int, estimated: bool) -> bool:
    """Record what the work really took. True if this call did it, False if it was done before."""
    given = {"quantity": 0, "tokens": tokens, "cost": cost_micro_usd, "estimated": estimated}
    return _finish(reservation_id, UsageState.SETTLED, given) is not None


def release(workspace: Workspace, reservation_id: UUID) -> bool:
    """Give the place back: the work came to nothing. True if this call did it."""
    given = {"quantity": -1, "tokens": 0, "cost": 0, "estimated": False}
    found = _finish(reservation_id, UsageState.RELEASED, given)
    if found is not None:
        kind, period = found
        Count(workspace, kind, period).give_back()
    return found is not None


def usage_of(workspace: Workspace) -> dict[UsageKind, Usage]:
    """What the workspace used this month, each kind, zeros included."""
    period = this_month()
    rows = {row.kind: row for row in UsageBucket.objects.filter(workspace=workspace, period=period)}
    return {kind: _usage(kind, period, rows.get(kind.value)) for kind in UsageKind}


def level_of(used: int, limit: int | None) -> int:
    """The highest of LEVELS that is reached, in percent, or 0."""
    return max((level for level in LEVELS if limit and 100 * used >= level * limit), default=0)


def this_month() -> date:
    """The first day of the month that usage counts for now, UTC."""
    return timezone.now().astimezone(UTC).date().replace(day=1)


def _usage(kind: UsageKind, period: date, row: UsageBucket | None) -> Usage:
    return Usage(
        kind=kind,
        period=period,
        used=row.used if row else 0,
        over=row.over if row else 0,
        tokens=row.tokens if row else 0,
        cost_micro_usd=row.cost_micro_usd if row else 0,
        resets_at=end_of(period),
    )


def end_of(period: date) -> datetime:
    """When the month that begins on this day is over."""
    year, month = (period.year + 1, 1) if period.month == 12 else (period.year, period.month + 1)
    return datetime(year, month, 1, tzinfo=UTC)


def _exceeded(count: Count, used: int, limit: int | None, extra: int = 0) -> QuotaExceeded:
    most = (limit or 0) + extra
    return QuotaExceeded(kind=count.kind, used=used, limit=most, resets_at=end_of(count.period))


def _used(count: Count) -> int:
    rows = UsageBucket.objects.filter(workspace=count.workspace, kind=count.kind, period=count.period)
    return rows.values_list("used", flat=True).first() or 0


def _book(
    workspace: Workspace, place: Reservation, limit: int | None, extra: int, reference: str
) -> int | None:
    """Write the line; how much is used with it, or None where the bucket is full."""
    if limit is not None and limit <= 0:
        return None  # the statement would let the month's first one in
    given = {
        "id": place.id,
        "bucket": new_id(),
        "workspace": workspace.pk,
        "kind": place.kind.value,
        "period": place.period,
        "limit": limit,
        "extra": extra,
        "reference": reference,
        "now": timezone.now(),
    }
    row = row_of(_RESERVE, given)
    return row[0] if row else None


def _finish(
    reservation_id: UUID, state: UsageState, took: dict[str, int | bool]
) -> tuple[UsageKind, date] | None:
    """Write what became of a reservation; its kind and month, or None if another call was first."""
    given: dict[str, Any] = {
        **took,
        "id": new_id(),
        "reservation": reservation_id,
        "state": state.value,
        "now": timezone.now(),
    }
    row = row_of(_FINISH, given)
    return (UsageKind(row[0]), row[1]) if row else None


def _tell(workspace: Workspace, used: int, limit: int | None, extra: int) -> None:
    """Have the owners told where this one reached a level. A task that is lost is made up for hourly."""
    is_last = bool(extra) and used == (limit or 0) + extra
    if is_last or level_of(used, limit) > level_of(used - 1, limit):
        send = partial(current_app.send_task, "billing.tasks.tell_of_usage", [str(workspace.pk)])
        transaction.on_commit(send, robust=True)
