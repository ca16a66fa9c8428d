"""Roles, extensions and Row Level Security: the SQL beneath the public schema's migrations.

Roles belong to the whole PostgreSQL cluster, so they are made if missing. `netvexa_app` can neither bypass
Row Level Security nor own a table; `netvexa_platform` sees all rows by an explicit policy, not by bypassing.

Work in a workspace stands as `netvexa_tenant`, or as a role of the workspace's own where it is dedicated. Both are
members of `netvexa_tenant_work`, which has no right on a table of the public schema unless a migration opens it
(`open_to_tenants`); so a new table is shut to workspaces, and a new column of one that is open in part.
"""

from __future__ import annotations

from django.db import connection
from django.db.migrations.operations import RunSQL

from tenants.context import owner
from tenants.postgresql.base import EXTENSIONS_SCHEMA, TENANT_WORK, DatabaseRole

APP, PLATFORM, TENANT = DatabaseRole.APP.value, DatabaseRole.PLATFORM.value, DatabaseRole.TENANT.value
OWN_WORKSPACE = "NULLIF(current_setting('app.current_tenant_id', true), '')::uuid"

_MAKE_ROLE = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{role}') THEN
    CREATE ROLE {role} NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;  -- another database of the cluster was first
END $$;
"""
_LET_LOGIN_SWITCH = """
DO $$ BEGIN
  IF NOT pg_has_role(current_user, '{role}', 'SET') THEN
    EXECUTE format('GRANT {role} TO %I', current_user);
  END IF;
END $$;
"""
# Only for what migrations make from now on: rights on tables that stand are theirs to keep or to take away
# (`append_only`, `only_platform`), and this runs before every migration.
_OPEN_PUBLIC = """
GRANT USAGE ON SCHEMA public TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {role};
"""
_JOIN_TENANT_WORK = """
DO $$ BEGIN
  IF NOT pg_has_role('{role}', '{parent}', 'USAGE') THEN
    GRANT {parent} TO {role};
  END IF;
EXCEPTION WHEN unique_violation THEN NULL;  -- as above
END $$;
"""
_EXTENSIONS = (
    f"CREATE SCHEMA IF NOT EXISTS {EXTENSIONS_SCHEMA}",
    f"GRANT USAGE ON SCHEMA {EXTENSIONS_SCHEMA} TO PUBLIC",
    # Superusers only; where the log-in role is none, an administrator has made the extension beforehand.
    f"CREATE EXTENSION IF NOT EXISTS vector SCHEMA {EXTENSIONS_SCHEMA}",
)


def bootstrap() -> None:
    """Make the roles, the extensions' schema and pgvector, where missing. Runs before the first migration."""
    statements = [
        template.format(role=role)
        for role in (APP, PLATFORM)
        for template in (_MAKE_ROLE, _LET_LOGIN_SWITCH, _OPEN_PUBLIC)
    ]
    with owner(), connection.cursor() as cursor:
        for statement in (*statements, _MAKE_ROLE.format(role=TENANT_WORK), *_EXTENSIONS):
            cursor.execute(statement)
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {TENANT_WORK}")
    make_tenant_role(TENANT)


def make_tenant_role(role: str) -> None:
    """Make a role for work in workspaces, if it is missing: it may do what is open to all of them, so far."""
    with owner(), connection.cursor() as cursor:
        for template in (_MAKE_ROLE, _LET_LOGIN_SWITCH, _JOIN_TENANT_WORK):
            cursor.execute(template.format(role=role, parent=TENANT_WORK))


def protect(table: str, *, column: str = "workspace_id") -> RunSQL:
    """Let the application's role see and write only the rows of the workspace it stands in."""
    own = f"{column} = {OWN_WORKSPACE}"
    return RunSQL(
        sql=f"""
            ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
            ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
            CREATE POLICY own_workspace ON {table} TO {APP}, {TENANT_WORK} USING ({own}) WITH CHECK ({own});
            CREATE POLICY every_workspace ON {table} TO {PLATFORM} USING (true) WITH CHECK (true);
        """,
        reverse_sql=f"""
            DROP POLICY own_workspace ON {table};
            DROP POLICY every_workspace ON {table};
            ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY;
            ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;
        """,
    )


def open_to_tenants(table: str, rights: str) -> RunSQL:
    """Let work in workspaces do this with a table: `SELECT, INSERT`, or `SELECT (name), UPDATE (name)`."""
    return RunSQL(
        sql=f"GRANT {rights} ON {table} TO {TENANT_WORK};",
        reverse_sql=f"REVOKE {rights} ON {table} FROM {TENANT_WORK};",
    )


def show_tenants_only(table: str, rows: str) -> RunSQL:
    """Let work in workspaces see only the rows that fulfil a condition; whoever else may read sees all."""
    return RunSQL(
        sql=f"""
            ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
            CREATE POLICY all_rows ON {table} TO {APP}, {PLATFORM} USING (true) WITH CHECK (true);
            CREATE POLICY of_workspace ON {table} TO {TENANT_WORK} USING ({rows});
        """,
        reverse_sql=f"""
            DROP POLICY of_workspace ON {table};
            DROP POLICY all_rows ON {table};
            ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;
        """,
    )


def append_only(table: str) -> RunSQL:
    """Take the right to change or delete rows away from both roles."""
    return _revoke("UPDATE, DELETE", table, f"{APP}, {PLATFORM}")


def read_only(table: str) -> RunSQL:
    """Leave the application's role only the right to read."""
    return _revoke("INSERT, UPDATE, DELETE", table, APP)


def _revoke(rights: str, table: str, roles: str) -> RunSQL:
    return RunSQL(
        sql=f"REVOKE {rights} ON {table} FROM {roles};", reverse_sql=f"GRANT {rights} ON {table} TO {roles};"
    )


def only_platform(prefix: str) -> RunSQL:
    """Take every right on the tables whose names begin with `prefix` away from the application's role."""
    each = """
        DO $$ DECLARE name text; BEGIN
          FOR name IN SELECT tablename FROM pg_tables
                      WHERE schemaname = 'public' AND starts_with(tablename, '{prefix}')
          LOOP EXECUTE format('{action}', name); END LOOP;
        END $$;
    """
    return RunSQL(
        sql=each.format(prefix=prefix, action=f"REVOKE ALL ON %I FROM {APP}"),
        reverse_sql=each.format(prefix=prefix, action=f"GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO {APP}"),
    )
