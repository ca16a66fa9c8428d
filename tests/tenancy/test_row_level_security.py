"""Rows of the public schema that belong to a workspace: others neither see nor touch them."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from django.db import DatabaseError, connection, transaction

from billing.models import Entitlement
from billing.plans import Tier
from tenants.access import membership_of
from tenants.context import identity, in_tenant, nowhere, owner, platform
from tenants.keys import Scope, make_key
from tenants.models import ApiKey, AuditEvent, Membership, Role, User, Workspace
from tenants.rls import bootstrap

pytestmark = pytest.mark.django_db
ROLES = ("netvexa_app", "netvexa_platform", "netvexa_tenant", "netvexa_tenant_work")


@pytest.fixture
def rival_key(other_workspace: Workspace) -> ApiKey:
    with in_tenant(other_workspace):
        return make_key(name="CI", scopes=[Scope.READ_AGENTS], created_by=None).row


def ask(statement: str, *values: str | list[str]) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[object, ...]] = cursor.fetchall()
        return rows


def test_a_workspace_sees_its_own_rows_only(workspace: Workspace, rival_key: ApiKey) -> None:
    with in_tenant(workspace):
        with identity():
            assert not ApiKey.objects.exists()
        assert [member.workspace_id for member in Membership.objects.all()] == [workspace.id]


def test_another_workspaces_row_is_neither_changed_nor_deleted(
    workspace: Workspace, rival_key: ApiKey
) -> None:
    with in_tenant(workspace), identity():
        assert ApiKey.objects.filter(pk=rival_key.pk).update(name="mine now") == 0
        assert ask("DELETE FROM public.tenants_apikey RETURNING id") == []

    with platform():
        assert ApiKey.objects.get().name == "CI"


@pytest.mark.parametrize("role", list(Role))
def test_nobody_is_made_a_member_of_another_workspace(
    workspace: Workspace, other_workspace: Workspace, role: Role
) -> None:
    user = User.objects.create_user("mallory@acme.example")

    for lent in (nullcontext(), identity()):
        with (
            in_tenant(workspace),
            lent,
            pytest.raises(DatabaseError, match=r"permission denied|row-level security"),
            transaction.atomic(),
        ):
            Membership.objects.create(workspace=other_workspace, user=user, role=role)


def test_a_row_is_not_moved_into_another_workspace(workspace: Workspace, other_workspace: Workspace) -> None:
    with (
        in_tenant(workspace),
        identity(),
        pytest.raises(DatabaseError, match="row-level security"),
        transaction.atomic(),
    ):
        Membership.objects.update(workspace=other_workspace)


def test_a_workspace_reads_its_plan_but_does_not_set_it(workspace: Workspace) -> None:
    with platform():
        Entitlement.objects.create(workspace=workspace, tier=Tier.STARTER)

    with in_tenant(workspace):
        assert Entitlement.objects.get().tier == Tier.STARTER
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            Entitlement.objects.update(tier=Tier.ENTERPRISE)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE public.tenants_domain SET tenant_id = %s",
        "INSERT INTO public.tenants_domain (domain, is_primary, tenant_id) VALUES ('evil.localhost', true, %s)",
        "DELETE FROM public.tenants_domain WHERE tenant_id = %s",
    ],
)
def test_no_workspace_takes_an_address(workspace: Workspace, statement: str) -> None:
    with in_tenant(workspace), pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        ask(statement, str(workspace.pk))


def test_the_owner_of_one_workspace_is_a_stranger_in_another(
    workspace: Workspace, other_workspace: Workspace
) -> None:
    rival = User.objects.get(email="owner@rival.example")

    with in_tenant(workspace):
        assert membership_of(rival, workspace) is None
        assert membership_of(rival, other_workspace) is None  # not even visible from here


def test_outside_every_workspace_the_guarded_tables_look_empty(
    workspace: Workspace, rival_key: ApiKey
) -> None:
    with nowhere():
        assert not Membership.objects.exists()
        assert not ApiKey.objects.exists()


def test_the_platform_sees_every_workspace(workspace: Workspace, other_workspace: Workspace) -> None:
    with platform():
        assert {m.workspace_id for m in Membership.objects.all()} == {workspace.id, other_workspace.id}


def test_every_table_with_a_workspaces_id_is_guarded() -> None:
    """Of any app, those to come included."""
    with owner():
        unguarded = ask(
            """
            SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE a.attname = 'workspace_id' AND NOT a.attisdropped AND c.relkind = 'r'
              AND c.relnamespace = 'public'::regnamespace
              AND NOT (c.relrowsecurity AND c.relforcerowsecurity
                       AND 2 = (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid
                                AND p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL))
            """
        )
        guarded = ask("SELECT relname FROM pg_class WHERE relrowsecurity")

    assert unguarded == []
    assert len(guarded) >= 7


def test_the_working_roles_cannot_bypass_it() -> None:
    with owner():
        rights = ask(
            "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication"
            " FROM pg_roles WHERE rolname = ANY(%s) ORDER BY rolname",
            list(ROLES),
        )
        owned = ask(
            "SELECT relname FROM pg_class JOIN pg_roles r ON r.oid = relowner WHERE rolname = ANY(%s)",
            list(ROLES),
        )
        memberships = ask(
            "SELECT roleid::regrole FROM pg_auth_members"
            " WHERE member IN (SELECT oid FROM pg_roles WHERE rolname = ANY(%s))",
            list(ROLES),
        )

    assert rights == [(role, *[False] * 6) for role in ROLES]
    assert owned == []
    assert memberships == [("netvexa_tenant_work",)]  # of netvexa_tenant


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE public.tenants_membership DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own_workspace ON public.tenants_membership",
        "CREATE POLICY mine ON public.tenants_membership USING (true)",
        "TRUNCATE public.tenants_membership",
        "CREATE TABLE public.agents_agent (id int)",
        "CREATE SCHEMA mine",
    ],
)
def test_the_application_cannot_lower_its_guard(workspace: Workspace, statement: str) -> None:
    with (
        in_tenant(workspace),
        pytest.raises(DatabaseError),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_with_row_security_switched_off_a_query_fails_instead_of_seeing_more(workspace: Workspace) -> None:
    with in_tenant(workspace), pytest.raises(DatabaseError), transaction.atomic():
        ask("SET LOCAL row_security = off; SELECT id FROM public.tenants_membership")


def test_an_audit_event_stays_as_it_was_written(workspace: Workspace) -> None:
    with in_tenant(workspace):
        event = AuditEvent.objects.create(workspace=workspace, actor="owner@acme.example", action="login")

    for standing in (in_tenant(workspace), platform()):
        with standing:
            with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
                AuditEvent.objects.filter(pk=event.pk).update(action="nothing")
            with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
                AuditEvent.objects.filter(pk=event.pk).delete()


def test_preparing_the_database_again_gives_no_right_back(workspace: Workspace) -> None:
    bootstrap()

    with in_tenant(workspace), pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        AuditEvent.objects.update(action="nothing")


def test_stripes_tables_are_shut_for_the_application() -> None:
    with owner():
        open_tables = ask(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'djstripe%%'"
            " AND has_table_privilege('netvexa_app', oid, 'SELECT, INSERT, UPDATE, DELETE')"
        )
        shut = ask("SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname LIKE 'djstripe%%'")

    assert open_tables == []
    assert shut[0][0] > 40  # type: ignore[operator]


def test_the_search_path_names_no_other_workspace(workspace: Workspace, other_workspace: Workspace) -> None:
    with in_tenant(workspace):
        assert ask("SHOW search_path") == [(f'"{workspace.schema_name}","public","extensions"',)]
