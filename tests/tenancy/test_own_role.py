"""A dedicated workspace works as a role of its own, which may enter its schema only; the others may not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from agents.models import Agent
from tenants.context import in_tenant, owner
from tenants.models import Membership, User, Workspace
from tenants.provisioning import drop_schema, open_schemas
from tests.tenancy.canaries import is_refused, put_canary, read_canary

pytestmark = pytest.mark.django_db


@pytest.fixture
def dedicated(workspace: Workspace) -> Iterator[Workspace]:
    call_command("dedicate_role", "acme")
    workspace.refresh_from_db()
    yield workspace
    drop_schema(workspace)


def test_it_works_as_its_own_role(dedicated: Workspace) -> None:
    put_canary(dedicated)

    with in_tenant(dedicated), connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == (f"netvexa_{dedicated.schema_name}",)
        assert read_canary() == ["acme"]
        assert Membership.objects.get().workspace == dedicated


def test_its_role_enters_no_other_workspace(dedicated: Workspace, other_workspace: Workspace) -> None:
    with in_tenant(dedicated):
        assert is_refused(f'TABLE "{other_workspace.schema_name}".agents_agent')
        assert is_refused("TABLE public.tenants_session")


def test_shut_it_is_entered_by_nobody_else(dedicated: Workspace, other_workspace: Workspace) -> None:
    secret = f'TABLE "{dedicated.schema_name}".agents_agent'
    with in_tenant(other_workspace):
        assert not is_refused(secret)

    call_command("dedicate_role", "acme", "--shut")

    with in_tenant(other_workspace):
        assert is_refused(secret)
    assert open_schemas() == 0  # preparing the database again does not open it
    with in_tenant(dedicated):
        Agent.objects.create(name="still mine")


def test_its_pages_are_as_before(dedicated: Workspace, owner_client: Client) -> None:
    call_command("dedicate_role", "acme", "--shut")

    for path in ("/", "/members/", "/account/", "/settings/"):
        assert owner_client.get(path).status_code == 200


def test_its_role_goes_with_it(workspace: Workspace) -> None:
    call_command("dedicate_role", "acme")
    workspace.refresh_from_db()
    drop_schema(workspace)

    with owner(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_roles WHERE rolname = %s", [workspace.own_role])
        assert cursor.fetchone() == (0,)


def test_without_a_role_of_its_own_it_is_not_shut(workspace: Workspace) -> None:
    with pytest.raises(CommandError, match="without --shut first"):
        call_command("dedicate_role", "acme", "--shut")
    with pytest.raises(CommandError, match="no workspace"):
        call_command("dedicate_role", "nobody")

    assert User.objects.count() == 1


def test_a_schema_of_an_earlier_release_is_opened(workspace: Workspace) -> None:
    with owner(), connection.cursor() as cursor:
        cursor.execute(f'REVOKE ALL ON SCHEMA "{workspace.schema_name}" FROM netvexa_tenant')

    assert open_schemas() == 1
    assert open_schemas() == 0
    put_canary(workspace)


def test_after_a_restore_into_another_cluster_its_role_is_made_again(dedicated: Workspace) -> None:
    with owner(), connection.cursor() as cursor:
        cursor.execute(f'DROP OWNED BY "{dedicated.own_role}"; DROP ROLE "{dedicated.own_role}"')

    open_schemas()
    put_canary(dedicated)
