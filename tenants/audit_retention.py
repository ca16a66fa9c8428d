"""How long the audit log is kept, and how its chain goes on where its beginning went.

The oldest entries go when nobody needs them any more: two years after. Before they go, an entry of the chain itself
takes down up to which number they go and with which digest that one ended; `audit_chain.verify` begins there. So
nobody who has the tables can shorten the log: such an entry needs the key that the database never sees. A log that
does not hold is evidence, and is left alone.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from tenants import audit_chain
from tenants.context import owner
from tenants.models import AuditEvent, Workspace

KEPT = timedelta(days=730)


def shorten_all() -> int:
    """Let go of what is past its time in every log, staff's own too; how many entries. Called as the platform."""
    cuts = [(place, cut) for place in (None, *Workspace.objects.all()) if (cut := _cut_of(place)) is not None]
    with transaction.atomic():
        for place, last in cuts:
            _take_down(place, last)
        return _delete([(last.workspace_id, last.number or 0) for _, last in cuts]) if cuts else 0


def _cut_of(workspace: Workspace | None) -> AuditEvent | None:
    """The newest entry that goes; None where none does, or where the chain does not hold."""
    rows = audit_chain.chain_of(workspace.pk if workspace else None)
    cutoff = timezone.now() - KEPT
    first_kept = rows.filter(at__gte=cutoff).order_by("number").first()
    old = rows.filter(number__lt=first_kept.number) if first_kept is not None else rows
    last: AuditEvent | None = old.order_by("-number").first()
    return last if last is not None and audit_chain.verify(workspace).holds else None


def _take_down(workspace: Workspace | None, last: AuditEvent) -> None:
    after = {"through": last.number, "until": last.at.isoformat(), "ended_with": last.digest}
    audit_chain.append(
        AuditEvent(workspace=workspace, actor="system", action=audit_chain.SHORTENED, after=after)
    )


def _delete(cuts: list[tuple[UUID | None, int]]) -> int:
    """As the tables' owner, who alone may, and who is held to Row Level Security but for this moment."""
    table, count = connection.ops.quote_name(AuditEvent._meta.db_table), 0
    with owner(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '10s'")
        cursor.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        for workspace_id, number in cuts:
            cursor.execute(
                f"DELETE FROM {table} WHERE workspace_id IS NOT DISTINCT FROM %s AND number <= %s",  # noqa: S608  our name
                [workspace_id, number],
            )
            count += cursor.rowcount
        cursor.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    return count
