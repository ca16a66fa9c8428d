"""Introspection that looks at one schema.

Django lists tables by asking PostgreSQL whether each table of the whole database is visible; with thousands
of schemas that made every `migrate_schemas` quadratic (1.7 s a workspace at 2,800 schemas, 0.16 s with this).
"""

from __future__ import annotations

from typing import Any

import django.db.backends.postgresql.base  # noqa: F401  (before introspection, which imports it back)
from django.db.backends.postgresql.introspection import TableInfo
from django_tenants.postgresql_backend.introspection import DatabaseSchemaIntrospection

_TABLES = """
    SELECT c.relname, CASE WHEN c.relispartition THEN 'p' WHEN c.relkind IN ('m', 'v') THEN 'v' ELSE 't' END
    FROM pg_catalog.pg_class c
    WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = %s)
      AND c.relkind IN ('f', 'm', 'p', 'r', 'v')
"""


class SchemaIntrospection(DatabaseSchemaIntrospection):
    """Lists the tables of the connection's current schema only."""

    def get_table_list(self, cursor: Any) -> list[TableInfo]:
        cursor.execute(_TABLES, [self.connection.schema_name])
        return [TableInfo(name, kind, None) for name, kind in cursor.fetchall()]
