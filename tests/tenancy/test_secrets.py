"""What work in a workspace may do with the tables of the public schema: what is named here, and nothing else."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from tenants.context import identity, in_tenant, owner
from tenants.models import Membership, Role, User, Workspace
from tests.plugins.people import add_member
from tests.tenancy.canaries import is_refused

pytestmark = pytest.mark.django_db
PERSON = "id email name avatar is_staff is_superuser is_active email_confirmed_at date_joined last_login"
OPEN = {  # table to rights; a right on some columns names them
    "tenants_workspace": {
        "SELECT",
        *(f"UPDATE {name}" for name in ("name", "time_zone", "two_factor_required")),
    },
    "tenants_user": {f"SELECT {name}" for name in PERSON.split()},
    "tenants_membership": {"SELECT"},
    "tenants_auditevent": {"SELECT", "INSERT"},
    "tenants_privacysettings": {"SELECT", "INSERT", "UPDATE"},
    "tenants_erasurereceipt": {"SELECT", "INSERT"},
    "billing_entitlement": {"SELECT"},
    "billing_overageevent": {"SELECT"},
    "billing_usageentry": {"SELECT", "INSERT"},
    "billing_usagebucket": {"SELECT", "INSERT", "UPDATE"},
}
RIGHTS = """
    SELECT relname, privilege_type FROM pg_class, aclexplode(relacl) g
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm') AND g.grantee = ANY(%s::regrole[])
    UNION ALL
    SELECT relname, privilege_type || ' ' || attname
    FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid, aclexplode(attacl) g
    WHERE relnamespace = 'public'::regnamespace AND g.grantee = ANY(%s::regrole[])
"""
# Who may ask who somebody is, or what proves it. Look twice before adding a line.
IDENTITY = {
    "chat/doors.py",  # the member behind a dashboard page's socket
    "tenants/arrival.py",
    "tenants/data_keys.py",
    "tenants/devices.py",
    "tenants/email_change.py",
    "tenants/handover.py",
    "tenants/invitations.py",
    "tenants/keys.py",
    "tenants/members.py",
    "tenants/middleware.py",
    "tenants/passkeys.py",
    "tenants/proof.py",
    "tenants/second_factor.py",
    "tenants/sessions.py",
    "tenants/sign_on.py",
    "tenants/views/account.py",
}
APPS = ("agents", "billing", "chat", "knowledge", "netvexa", "tenants")


def tables() -> list[str]:
    with owner(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        )
        return [name for (name,) in cursor.fetchall()]


def test_the_rights_of_work_in_workspaces_are_those_named_here() -> None:
    roles = ["netvexa_tenant", "netvexa_tenant_work"]
    found: dict[str, set[str]] = {}
    with owner(), connection.cursor() as cursor:
        cursor.execute(RIGHTS, [roles, roles])
        for table, right in cursor.fetchall():
            found.setdefault(table, set()).add(right)

    assert found == OPEN


def test_every_other_table_is_refused(workspace: Workspace) -> None:
    shut = [name for name in tables() if name not in OPEN]

    with in_tenant(workspace):
        assert [name for name in shut if not is_refused(f'TABLE public."{name}"')] == []
        assert [name for name in shut if not is_refused(f'DELETE FROM public."{name}"')] == []  # noqa: S608
    assert len(shut) > 60


@pytest.mark.parametrize("column", ["password", "*"])
def test_no_statement_reads_a_password(workspace: Workspace, column: str) -> None:
    with in_tenant(workspace), connection.cursor() as cursor:
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            cursor.execute(f"SELECT {column} FROM public.tenants_user")  # noqa: S608  one of two of ours
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            cursor.execute("UPDATE public.tenants_user SET is_superuser = true")


def look(_request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        return HttpResponse(str(list(User.objects.values_list("password"))))


urlpatterns = [path("look/", look)]


def test_a_request_in_a_workspace_reads_no_password(owner_client: Client) -> None:
    with override_settings(ROOT_URLCONF=__name__), pytest.raises(DatabaseError, match="permission denied"):
        owner_client.get("/look/")


def test_a_workspace_sees_neither_other_workspaces_nor_other_peoples_names(
    workspace: Workspace, other_workspace: Workspace
) -> None:
    with in_tenant(workspace):
        assert list(Workspace.objects.values_list("slug", flat=True)) == ["acme"]
        assert list(User.objects.values_list("email", flat=True)) == ["owner@acme.example"]
        assert Workspace.objects.filter(pk=other_workspace.pk).update(name="mine now") == 0


def test_a_workspace_does_not_open_itself(workspace: Workspace) -> None:
    with in_tenant(workspace), pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        Workspace.objects.update(state="ready", trial_ends_at=None)


def test_whoever_asks_who_somebody_is_reaches_no_table_of_a_workspace(workspace: Workspace) -> None:
    statement = f'TABLE "{workspace.schema_name}".agents_agent'
    with in_tenant(workspace), connection.cursor() as cursor:
        cursor.execute(statement)
        with identity(), pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            cursor.execute(statement)


def test_after_asking_the_same_cursor_works_in_the_workspace_again(workspace: Workspace) -> None:
    with in_tenant(workspace), transaction.atomic(), connection.cursor() as cursor:
        with identity():
            assert User.objects.filter(password="").count() == 0
        cursor.execute("SELECT current_user, count(*) FROM agents_agent")

        assert cursor.fetchone() == ("netvexa_tenant", 0)


def test_a_failure_while_asking_leads_back_to_the_workspace(workspace: Workspace) -> None:
    with in_tenant(workspace):
        with pytest.raises(DatabaseError), transaction.atomic(), identity(), connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM nothing")
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            User.objects.filter(password="").exists()


def test_the_team_reads_names_without_passwords(workspace: Workspace) -> None:
    add_member(workspace, "ada@acme.example", Role.AGENT)

    with in_tenant(workspace):
        names = [member.user.email for member in Membership.objects.with_people().order_by("created_at")]

    assert names == ["owner@acme.example", "ada@acme.example"]


def test_only_the_named_modules_ask() -> None:
    found = set()
    for app in APPS:
        for file in (settings.BASE_DIR / app).rglob("*.py"):
            if any(_asks(node) for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))):
                found.add(str(Path(file).relative_to(settings.BASE_DIR)))

    assert found == IDENTITY


def _asks(node: ast.AST) -> bool:
    """Whether this is a call of `identity`, by whatever module it is named."""
    called = node.func if isinstance(node, ast.Call) else None
    return (isinstance(called, ast.Name) and called.id == "identity") or (
        isinstance(called, ast.Attribute) and called.attr == "identity"
    )
