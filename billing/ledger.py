"""What the ledger takes down by the hour: pages, storage and seats as they change, API calls, and what was left.

All but `sum_hours` runs while standing in the workspace.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid5

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from billing import calls, usage
from billing.measures import levels
from billing.models import UsageBucket, UsageEntry, UsageKind, UsageState
from billing.usage import this_month
from tenants.models import Workspace

STALE = timedelta(hours=1)  # no answer takes so long; whoever reserved died before the end
LOOK_BACK = timedelta(days=3)
_CALLS = UUID("5f1ec0de-6d65-4c61-b1f1-0a91ca115000")  # names the lines of API calls, so that an hour has one
_SUM_HOURS = """
    INSERT INTO public.billing_usagehour AS known (id, workspace_id, kind, hour, quantity, cost_micro_usd)
    SELECT gen_random_uuid(), workspace_id, kind, date_trunc('hour', created_at, 'UTC'), SUM(quantity), SUM(cost)
      FROM (SELECT workspace_id, kind, created_at, quantity, cost_micro_usd AS cost
              FROM public.billing_usageentry WHERE created_at >= %(since)s
             UNION ALL
            SELECT workspace_id, 'tokens', created_at, tokens, 0
              FROM public.billing_usageentry WHERE created_at >= %(since)s AND tokens > 0) AS line
     GROUP BY 2, 3, 4
    ON CONFLICT (workspace_id, kind, hour) DO UPDATE
       SET quantity = EXCLUDED.quantity, cost_micro_usd = EXCLUDED.cost_micro_usd
     WHERE (known.quantity, known.cost_micro_usd) <> (EXCLUDED.quantity, EXCLUDED.cost_micro_usd)
"""


def take_down(workspace: Workspace) -> None:
    """Everything that is due for this workspace. Doing it twice changes nothing."""
    for kind, level in levels().items():
        _take_level(workspace, kind, level)
    for hour, number in calls.of_past_hours(workspace).items():
        _take_calls(workspace, hour, number)
    release_stale(workspace)


def release_stale(workspace: Workspace) -> int:
    """Give back the places whose work never came to an end; how many those were."""
    now, done = timezone.now(), UsageEntry.objects.filter(reservation=OuterRef("pk"))
    left = UsageEntry.objects.filter(
        ~Exists(done),
        workspace=workspace,
        state=UsageState.RESERVED,
        created_at__range=(now - LOOK_BACK, now - STALE),
    )
    return sum(usage.release(workspace, row_id) for row_id in left.values_list("pk", flat=True))


def sum_hours() -> None:
    """Bring the hourly buckets of the last days to what the ledger says; works as the platform."""
    since = (timezone.now() - LOOK_BACK).replace(minute=0, second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(_SUM_HOURS, {"since": since})


def _take_level(workspace: Workspace, kind: UsageKind, level: int) -> None:
    """A line where there is more or less than at the last look; the month's bucket says what there is."""
    with transaction.atomic():
        UsageBucket.objects.get_or_create(
            workspace=workspace,
            kind=kind,
            period=this_month(),
            defaults={"used": _last_level(workspace, kind)},
        )
        bucket = UsageBucket.objects.select_for_update().get(
            workspace=workspace, kind=kind, period=this_month()
        )
        if level != bucket.used:
            _write(workspace, kind, level - bucket.used, at=timezone.now())
            UsageBucket.objects.filter(pk=bucket.pk).update(used=level)


def _last_level(workspace: Workspace, kind: UsageKind) -> int:
    rows = UsageBucket.objects.filter(workspace=workspace, kind=kind).order_by("-period")
    return rows.values_list("used", flat=True).first() or 0


def _take_calls(workspace: Workspace, hour: datetime, number: int) -> None:
    line_id = uuid5(_CALLS, f"{workspace.pk} {hour:%Y-%m-%dT%H}")
    with transaction.atomic():
        if not UsageEntry.objects.filter(pk=line_id).exists():
            _write(workspace, UsageKind.API_CALLS, number, at=hour, line_id=line_id)
            period = hour.date().replace(day=1)
            bucket, _ = UsageBucket.objects.get_or_create(
                workspace=workspace, kind=UsageKind.API_CALLS, period=period
            )
            UsageBucket.objects.filter(pk=bucket.pk).update(used=F("used") + number)
    calls.forget(workspace, hour)


def _write(
    workspace: Workspace, kind: UsageKind, quantity: int, *, at: datetime, line_id: UUID | None = None
) -> None:
    UsageEntry.objects.create(
        **({"id": line_id} if line_id else {}),
        workspace=workspace,
        kind=kind,
        period=at.date().replace(day=1),
        quantity=quantity,
        state=UsageState.SETTLED,
        reference="measured",
        created_at=at,
    )
