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
from typing import Any

from django.db import connection, transaction

from tenants import data_keys
from tenants.context import owner, platform
from tenants.models import ProvisioningState, Workspace
from tenants.rls import TENANT, make_tenant_role

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
        _refuse_to_lose_rows(cursor, workspace.schema_name)
        cursor.execute(f"DROP SCHEMA IF EXISTS {quoted} CASCADE")  # what an interrupted attempt left
        for statement in template_statements():
            cursor.execute(statement.replace(PLACEHOLDER, quoted))


def grants(schema: str, role: str) -> list[str]:
    """The statements that let `role` work in a schema (quoted), also in tables that migrations make later."""
    return _rights(schema, "GRANT", f"TO {role}")


def _rights(schema: str, verb: str, whom: str) -> list[str]:
    defaults = f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} {verb}"
    return [
        f"{verb} USAGE ON SCHEMA {schema} {whom}",
        f"{verb} SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} {whom}",
        f"{verb} USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} {whom}",
        f"{defaults} SELECT, INSERT, UPDATE, DELETE ON TABLES {whom}",
        f"{defaults} USAGE, SELECT ON SEQUENCES {whom}",
    ]


def open_schemas() -> int:
    """Let the workspaces' common role into schemas that were made before it was; how many these were.

    Also into one that a server of the earlier release makes while this one is being rolled out. Roles of their own are
    made again where a restored database came to another cluster.
    """
    with platform():
        dedicated = list(Workspace.objects.exclude(own_role=""))
    with owner(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT quote_ident(nspname) FROM pg_namespace JOIN tenants_workspace ON schema_name = nspname"
            " WHERE own_role = '' AND NOT has_schema_privilege(%s, oid, 'USAGE')",
            [TENANT],
        )
        shut = [name for (name,) in cursor.fetchall()]
        for schema in shut:
            cursor.execute(";".join(grants(schema, TENANT)))
        cursor.execute("SELECT rolname FROM pg_roles")
        known = {name for (name,) in cursor.fetchall()}
    for workspace in dedicated:
        if workspace.own_role not in known:
            give_own_role(workspace)
    return len(shut)


def _refuse_to_lose_rows(cursor: Any, schema: str) -> None:
    """A schema with a customer's rows in it is no left-over, whatever the workspace's state says."""
    cursor.execute(
        "SELECT relname FROM pg_catalog.pg_class WHERE relkind = 'r' AND relname <> 'django_migrations'"
        " AND relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = %s)",
        [schema],
    )
    for (table,) in cursor.fetchall():
        name = f"{connection.ops.quote_name(schema)}.{connection.ops.quote_name(table)}"
        cursor.execute(f"SELECT EXISTS (SELECT FROM {name})")  # noqa: S608  names from the catalog, quoted
        if cursor.fetchone()[0]:
            raise RuntimeError(f"{schema}.{table} holds rows; the schema is not built anew over them.")


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
    ("make_data_key", data_keys.make),
    ("check_schema", check_schema),
)


def provision(workspace: Workspace) -> None:
    """Take the workspace to READY, going on after the last step that was done.

    Safe to call twice at once and again after a crash: each step is a transaction that locks the row, and its
    state can be seen as soon as it ends. A step that failed is recorded with its error and tried again by the
    next call.
    """
    with platform():
        while _take_next_step(workspace):
            pass
        workspace.refresh_from_db()


def _take_next_step(workspace: Workspace) -> bool:
    """Do the first step that is not done; False when there is none, or it failed."""
    with transaction.atomic():
        row = Workspace.objects.select_for_update().get(pk=workspace.pk)
        if row.is_ready or row.state == ProvisioningState.SUSPENDED:
            return False
        name, step = STEPS[_steps_done(row)]
        try:
            with transaction.atomic():
                step(row)
        except Exception as error:  # whatever it was, the state must say so and the next call may mend it
            logger.exception("Provisioning of %s failed at %s", row.schema_name, name)
            _record(row, state=ProvisioningState.FAILED, step=row.step, error=f"{name}: {error}"[:500])
            return False
        last = name == STEPS[-1][0]
        _record(
            row, state=ProvisioningState.READY if last else ProvisioningState.BUILDING, step=name, error=""
        )
        return not last


def _steps_done(row: Workspace) -> int:
    names = [name for name, _ in STEPS]
    done = names.index(row.step) + 1 if row.step in names else 0
    return min(done, len(names) - 1)  # a workspace put back from READY is checked again, never built again


def _record(row: Workspace, *, state: ProvisioningState, step: str, error: str) -> None:
    row.state, row.step, row.error = state, step, error
    row.save(update_fields=["state", "step", "error"])


def give_own_role(workspace: Workspace) -> str:
    """Let the workspace work as a role of its own from now on; the role's name. Safe to call again."""
    role = f"netvexa_{workspace.schema_name}"
    make_tenant_role(role)
    with owner(), connection.cursor() as cursor:
        cursor.execute(";".join(grants(connection.ops.quote_name(workspace.schema_name), role)))
    with platform():
        workspace.own_role = role
        workspace.save(update_fields=["own_role"])
    return role


def shut_out_shared_role(workspace: Workspace) -> None:
    """Take the role that the other workspaces share its rights on this one's schema.

    Processes go on with the workspace as they have read it (a socket for as long as it lives), so this comes after
    they were started anew.
    """
    if not workspace.own_role:
        raise ValueError(f"{workspace.slug} works as the shared role: nothing would be left to it.")
    schema = connection.ops.quote_name(workspace.schema_name)
    with owner(), connection.cursor() as cursor:
        cursor.execute(";".join(_rights(schema, "REVOKE", f"FROM {TENANT}")))


def drop_schema(workspace: Workspace) -> None:
    """Remove the schema and everything in it, and the role of its own, if it has one."""
    with owner(), connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {connection.ops.quote_name(workspace.schema_name)} CASCADE")
        if workspace.own_role:
            cursor.execute(f"DROP ROLE IF EXISTS {connection.ops.quote_name(workspace.own_role)}")


def workspaces_behind() -> list[Workspace]:
    """The ready workspaces whose schema lacks a migration that the template has: one short query each."""
    insert = f"INSERT INTO {PLACEHOLDER}.django_migrations"
    expected = sum(statement.startswith(insert) for statement in template_statements())
    behind = []
    with owner(), connection.cursor() as cursor:
        for workspace in Workspace.objects.filter(state=ProvisioningState.READY):
            table = f"{connection.ops.quote_name(workspace.schema_name)}.django_migrations"
            cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608  the name is ours and quoted
            if cursor.fetchone()[0] < expected:
                behind.append(workspace)
    return behind
