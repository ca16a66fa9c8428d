"""A workspace made from the template is the same as one that was migrated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from pytest_django import DjangoDbBlocker

from tenants.context import owner
from tenants.models import Workspace
from tenants.provisioning import TEMPLATE
from tenants.template import migrated_schema, text_of

# Asked of pg_catalog directly, not through tenants.template: what that forgets must be seen here.
CATALOG = {
    "columns": """
        SELECT c.relname, a.attname, a.attnum, format_type(a.atttypid, a.atttypmod), a.attnotnull,
               a.attidentity::text, a.attgenerated::text, a.attstorage::text,
               a.attcompression::text, a.attstattarget,
               a.attcollation::regcollation::text, pg_get_expr(d.adbin, d.adrelid)
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace = '{schema}'::regnamespace AND c.relkind = 'r' ORDER BY 1, 3""",
    "relations": """
        SELECT relname, relkind::text, relpersistence::text, relrowsecurity, relforcerowsecurity,
               reloptions::text, relowner::regrole::text, am.amname
        FROM pg_class LEFT JOIN pg_am am ON am.oid = relam
        WHERE relnamespace = '{schema}'::regnamespace ORDER BY 1""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, contype::text, condeferrable, condeferred, convalidated,
               pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = '{schema}'::regnamespace ORDER BY 1, 2""",
    "indexes": """
        SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = '{schema}' ORDER BY 1, 2""",
    "sequences": """
        SELECT sequencename, data_type::text, start_value, increment_by, min_value, max_value, cycle
        FROM pg_sequences WHERE schemaname = '{schema}' ORDER BY 1""",
    "identity sequences": """
        SELECT d.objid::regclass::text, d.refobjid::regclass::text, d.refobjsubid, d.deptype::text
        FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
        WHERE s.relnamespace = '{schema}'::regnamespace AND d.refclassid = 'pg_class'::regclass ORDER BY 1""",
    "triggers": """
        SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE c.relnamespace = '{schema}'::regnamespace AND NOT t.tgisinternal ORDER BY 1, 2""",
    "policies": "SELECT tablename, policyname, qual FROM pg_policies WHERE schemaname = '{schema}'",
    "functions": "SELECT proname FROM pg_proc WHERE pronamespace = '{schema}'::regnamespace ORDER BY 1",
    "types": """
        SELECT typname, typtype::text FROM pg_type
        WHERE typnamespace = '{schema}'::regnamespace ORDER BY 1""",
    "statistics": "SELECT stxname FROM pg_statistic_ext WHERE stxnamespace = '{schema}'::regnamespace",
    "migrations": "SELECT app, name FROM {schema}.django_migrations ORDER BY 1, 2",
}
GRANTS = """
    SELECT c.relname, g.grantee::regrole::text, g.privilege_type
    FROM pg_class c, aclexplode(c.relacl) g
    WHERE c.relnamespace = '{schema}'::regnamespace AND g.grantee = 'netvexa_tenant'::regrole ORDER BY 1, 3"""


@pytest.fixture(scope="module")
def migrated(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A schema in which every migration ran: some seconds of work, so once for this file."""
    with django_db_blocker.unblock(), migrated_schema() as schema:
        yield schema


def rows(query: str, schema: str) -> list[tuple[Any, ...]]:
    """What the catalog says of a schema, with the schema's own name made neutral."""
    with owner(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('search_path', 'pg_catalog', true)")
        cursor.execute(query.format(schema=schema))
        found = [
            tuple(v.replace(schema, "SCHEMA") if isinstance(v, str) else v for v in row)
            for row in cursor.fetchall()
        ]
        connection.forget_standing()  # type: ignore[attr-defined]
    return found


@pytest.mark.django_db
@pytest.mark.parametrize("aspect", CATALOG)
def test_a_provisioned_schema_has_the_same(aspect: str, migrated: str, workspace: Workspace) -> None:
    assert rows(CATALOG[aspect], workspace.schema_name) == rows(CATALOG[aspect], migrated)


@pytest.mark.django_db
def test_vectors_keep_their_dimension(workspace: Workspace) -> None:
    kinds = {row[3] for row in rows(CATALOG["columns"], workspace.schema_name)}

    assert {"extensions.halfvec(384)", "extensions.sparsevec(1000000000)"} <= kinds


@pytest.mark.django_db
def test_the_vector_index_is_there(workspace: Workspace) -> None:
    indexes = [row[2] for row in rows(CATALOG["indexes"], workspace.schema_name)]

    assert any("USING hnsw (embedding extensions.halfvec_cosine_ops)" in index for index in indexes)


@pytest.mark.django_db
def test_the_committed_template_is_up_to_date(migrated: str) -> None:
    assert TEMPLATE.read_text(encoding="utf-8") == text_of(migrated), "run `manage.py make_tenant_template`"


@pytest.mark.django_db
def test_a_provisioned_schema_describes_itself_as_the_template(workspace: Workspace) -> None:
    assert text_of(workspace.schema_name) == TEMPLATE.read_text(encoding="utf-8")


@pytest.mark.django_db
def test_the_application_may_work_with_every_table_and_own_none(workspace: Workspace) -> None:
    tables = {
        model._meta.db_table
        for app in settings.TENANT_APPS
        for model in apps.get_app_config(app).get_models()
    }
    granted: dict[str, set[str]] = {}
    for table, _, privilege in rows(GRANTS, workspace.schema_name):
        granted.setdefault(table, set()).add(privilege)

    assert tables
    assert {granted.get(table) and frozenset(granted[table]) for table in tables} == {
        frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
    }
    owners = {row[6] for row in rows(CATALOG["relations"], workspace.schema_name)}
    assert not owners & {"netvexa_tenant", "netvexa_app", "netvexa_platform"}


@pytest.mark.django_db
def test_no_constraint_crosses_into_public(workspace: Workspace) -> None:
    crossing = rows(
        "SELECT conname FROM pg_constraint WHERE connamespace = '{schema}'::regnamespace AND contype = 'f'"
        " AND confrelid NOT IN (SELECT oid FROM pg_class WHERE relnamespace = '{schema}'::regnamespace)",
        workspace.schema_name,
    )

    assert crossing == []


@pytest.mark.django_db
def test_the_comparison_sees_a_lost_dimension(workspace: Workspace, migrated: str) -> None:
    with owner(), connection.cursor() as cursor:
        cursor.execute(
            f'ALTER TABLE "{workspace.schema_name}".knowledge_chunk'
            " ALTER COLUMN lexical TYPE extensions.sparsevec USING lexical"
        )

    assert rows(CATALOG["columns"], workspace.schema_name) != rows(CATALOG["columns"], migrated)
