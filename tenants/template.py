"""Describes a schema from pg_catalog, as the SQL that makes it again.

django-tenants' own clone loses the dimension of vector columns, so this reads `format_type` itself. IDENTITY
stands inline and every statement stands alone, which is what sharding engines ask for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management import call_command
from django.db import connection

from tenants.context import owner
from tenants.provisioning import PLACEHOLDER, grants
from tenants.rls import TENANT

_COLUMNS = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
           a.attgenerated, pg_get_expr(d.adbin, d.adrelid),
           CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relkind = 'r' AND c.relnamespace = %s::regnamespace
    ORDER BY c.relname, a.attnum
"""
_STORAGE = """
    SELECT c.relname, a.attname,
           CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    WHERE c.relkind = 'r' AND c.relnamespace = %s::regnamespace AND a.attstorage <> t.typstorage
    ORDER BY c.relname, a.attnum
"""
_CONSTRAINTS = """
    SELECT c.relname, k.conname, pg_get_constraintdef(k.oid)
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE k.connamespace = %s::regnamespace AND k.contype IN ('p', 'u', 'c', 'x', 'f')
    ORDER BY k.contype = 'f', c.relname, k.conname
"""
_INDEXES = """
    SELECT pg_get_indexdef(i.indexrelid)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.relnamespace = %s::regnamespace
      AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype <> 'f')
    ORDER BY c.relname
"""

_HEAD = "-- Made by `manage.py make_tenant_template` from a migrated schema. Do not edit.\n"
SCRATCH = "nvx_template_scratch"


@contextmanager
def migrated_schema() -> Iterator[str]:
    """The name of a throw-away schema that every migration of the workspaces' apps has run in."""
    drop = f"DROP SCHEMA IF EXISTS {SCRATCH} CASCADE"
    with owner(), connection.cursor() as cursor:
        cursor.execute(drop)
        cursor.execute(f"CREATE SCHEMA {SCRATCH}")
    try:
        call_command("migrate_schemas", schema_name=SCRATCH, verbosity=0)
        yield SCRATCH
    finally:
        with owner(), connection.cursor() as cursor:
            cursor.execute(drop)


def text_of(schema: str) -> str:
    """The template's text, from a migrated schema."""
    with owner():
        return _HEAD + ";\n".join(statements_of(schema)) + ";\n"


def statements_of(schema: str) -> list[str]:
    """The statements that make `schema` again, with PLACEHOLDER for its name, in an order that works."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('search_path', 'pg_catalog', false)")  # so every name is qualified
        try:
            return [
                f"CREATE SCHEMA {PLACEHOLDER}",
                *_tables(cursor, schema),
                *_storage(cursor, schema),
                *_constraints(cursor, schema),
                *_rows(cursor, _INDEXES, schema),
                *_migrations(cursor, schema),
                *grants(PLACEHOLDER, TENANT),
            ]
        finally:
            connection.forget_standing()  # type: ignore[attr-defined]  # our own backend


def _rows(cursor: Any, query: str, schema: str) -> list[str]:
    cursor.execute(query, [schema])
    return [_neutral(row[0], schema) for row in cursor.fetchall()]


def _neutral(sql: str, schema: str) -> str:
    return sql.replace(f"{schema}.", f"{PLACEHOLDER}.")


def _tables(cursor: Any, schema: str) -> list[str]:
    cursor.execute(_COLUMNS, [schema])
    tables: dict[str, list[str]] = {}
    for table, *column in cursor.fetchall():
        tables.setdefault(table, []).append(_neutral(_column(*column), schema))
    return [
        f"CREATE TABLE {PLACEHOLDER}.{table} (\n    " + ",\n    ".join(columns) + "\n)"
        for table, columns in tables.items()
    ]


def _column(
    name: str, kind: str, required: bool, identity: str, generated: str, default: str, collation: str
) -> str:
    parts = [f'"{name}" {kind}']
    if collation:
        parts.append(f"COLLATE {collation}")
    if generated:
        parts.append(f"GENERATED ALWAYS AS ({default}) STORED")
    elif identity:
        parts.append(f"GENERATED {'ALWAYS' if identity == 'a' else 'BY DEFAULT'} AS IDENTITY")
    elif default:
        parts.append(f"DEFAULT {default}")
    if required:
        parts.append("NOT NULL")
    return " ".join(parts)


def _storage(cursor: Any, schema: str) -> list[str]:
    cursor.execute(_STORAGE, [schema])
    return [
        f'ALTER TABLE {PLACEHOLDER}.{table} ALTER COLUMN "{name}" SET STORAGE {storage}'
        for table, name, storage in cursor.fetchall()
    ]


def _constraints(cursor: Any, schema: str) -> list[str]:
    cursor.execute(_CONSTRAINTS, [schema])
    return [
        _neutral(f'ALTER TABLE {PLACEHOLDER}.{table} ADD CONSTRAINT "{name}" {definition}', schema)
        for table, name, definition in cursor.fetchall()
    ]


def _migrations(cursor: Any, schema: str) -> list[str]:
    cursor.execute(f'SELECT app, name FROM "{schema}".django_migrations ORDER BY app, name')  # noqa: S608
    return [
        f"INSERT INTO {PLACEHOLDER}.django_migrations (app, name, applied)"  # noqa: S608  our own names
        f" VALUES ('{app}', '{name}', now())"
        for app, name in cursor.fetchall()
    ]
