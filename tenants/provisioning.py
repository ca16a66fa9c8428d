"""Building a workspace's schema: named, resumable steps with a visible state.

A schema is built from `tenants/sql/tenant_template.sql`, which `manage.py make_tenant_template` writes from a
freshly migrated schema: no migration runs at sign-up, and the thousandth workspace is as quick as the first.
A test compares the template with a migrated schema in pg_catalog, vector dimensions included.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path

from django.db import connection, transaction

from tenants.context import owner, platform
from tenants.models import ProvisioningState, Workspace

logger = logging.getLogger(__name__)

TEMPLATE = Path(__file__).parent / "sql" / "tenant_template.sql"
PLACEHOLDER = "__tenant__"


@cache
def template_statements() -> tuple[str, ...]:
    """The template's statements, one each: some engines take only one DDL statement at a time."""
    text = TEMPLATE.read_text(encoding="utf-8")
    return tuple(part.strip() for part in text.split(";\n") if part.strip() and not _is_comment(part))


def _is_comment(part: str) -> bool:
    return all(line.startswith("--") or not line.strip() for line in part.strip().splitlines())


def build_schema(workspace: Workspace) -> None:
    """Make the schema with all its tables, or nothing: one transaction as the owner."""
    quoted = connection.ops.quote_name(workspace.schema_name)
    with owner(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {quoted} CASCADE")  # what an interrupted attempt left
        for statement in template_statements():
            cursor.execute(statement.replace(PLACEHOLDER, quoted))


def check_schema(workspace: Workspace) -> None:
    """Refuse to call a schema ready that lacks a table of the template."""
    expected = sum(statement.startswith("CREATE TABLE") for statement in template_statements())
    with owner(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_catalog.pg_class WHERE relkind = 'r' AND relnamespace ="
            " (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = %s)",
            [workspace.schema_name],
        )
        found = cursor.fetchone()[0]
    if found != expected:
        raise RuntimeError(f"{workspace.schema_name} has {found} tables, the template has {expected}.")


STEPS: tuple[tuple[str, Callable[[Workspace], None]], ...] = (
    ("build_schema", build_schema),
    ("check_schema", check_schema),
)


def provision(workspace: Workspace) -> None:
    """Take the workspace to READY, going on after the last step that was done.

    Safe to call twice at once and again after a crash: the row is locked while a step runs, and a step that
    failed is recorded with its error and tried again by the next call.
    """
    names = [name for name, _ in STEPS]
    with platform(), transaction.atomic():
        row = Workspace.objects.select_for_update().get(pk=workspace.pk)
        if row.is_ready or row.state == ProvisioningState.SUSPENDED:
            return
        done = names.index(row.step) + 1 if row.step in names else 0
        _record(row, state=ProvisioningState.BUILDING, step=row.step, error="")
        for name, step in STEPS[done:]:
            try:
                with transaction.atomic():
                    step(row)
            except Exception as error:  # whatever it was, the state must say so and the next call may mend it
                logger.exception("Provisioning of %s failed at %s", row.schema_name, name)
                _record(row, state=ProvisioningState.FAILED, step=row.step, error=f"{name}: {error}"[:500])
                return
            _record(row, state=ProvisioningState.BUILDING, step=name, error="")
        _record(row, state=ProvisioningState.READY, step=names[-1], error="")
    workspace.refresh_from_db()


def _record(row: Workspace, *, state: ProvisioningState, step: str, error: str) -> None:
    row.state, row.step, row.error = state, step, error
    row.save(update_fields=["state", "step", "error"])


def drop_schema(workspace: Workspace) -> None:
    """Remove the schema and everything in it."""
    with owner(), connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {connection.ops.quote_name(workspace.schema_name)} CASCADE")


def workspaces_behind() -> list[Workspace]:
    """The ready workspaces whose schema lacks a migration that the template has: one short query each."""
    expected = sum(f"{PLACEHOLDER}.django_migrations " in statement for statement in template_statements())
    behind = []
    with owner(), connection.cursor() as cursor:
        for workspace in Workspace.objects.filter(state=ProvisioningState.READY):
            table = f"{connection.ops.quote_name(workspace.schema_name)}.django_migrations"
            cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608  the name is ours and quoted
            if cursor.fetchone()[0] < expected:
                behind.append(workspace)
    return behind
