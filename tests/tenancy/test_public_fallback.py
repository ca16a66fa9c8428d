"""What a workspace lacks is an error, never a row of the public schema."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.conf import settings
from django.db import ProgrammingError, connection, transaction
from django.test import Client

from agents.models import Agent
from tenants.context import WorkspaceNotReady, in_tenant, nowhere, owner
from tenants.models import ProvisioningState, Workspace
from tests.tenancy.canaries import read_canary

pytestmark = pytest.mark.django_db
UNFIT = [state for state in ProvisioningState if state != ProvisioningState.READY]


def as_owner(statement: str) -> None:
    with owner(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture
def half_built(workspace: Workspace) -> Workspace:
    """A workspace whose schema lacks a table; its state says that it is being built."""
    as_owner(f'DROP TABLE "{workspace.schema_name}".agents_agent CASCADE')
    workspace.state = ProvisioningState.BUILDING
    workspace.save()
    return workspace


@pytest.fixture
def bait(half_built: Workspace) -> Iterator[None]:
    """A table of the same name in the public schema, as there is when an app stands in both."""
    as_owner("CREATE TABLE public.agents_agent (LIKE public.tenants_domain)")
    as_owner("ALTER TABLE public.agents_agent ADD COLUMN name text, ADD COLUMN created_at timestamptz")
    as_owner("INSERT INTO public.agents_agent VALUES (1, 'x', true, gen_random_uuid(), 'the platform''s')")
    yield
    as_owner("DROP TABLE public.agents_agent")


@pytest.mark.parametrize("state", UNFIT)
def test_a_schema_that_is_not_whole_is_not_entered(workspace: Workspace, state: ProvisioningState) -> None:
    workspace.state = state

    with pytest.raises(WorkspaceNotReady), in_tenant(workspace):
        pytest.fail("entered")


def test_entered_all_the_same_it_is_refused_what_lies_in_the_public_schema(
    half_built: Workspace, bait: None
) -> None:
    """PostgreSQL goes on along the search path; there a workspace may read only what was opened to it."""
    half_built.state = ProvisioningState.READY

    with (
        in_tenant(half_built),
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
    ):
        read_canary()


def test_no_table_of_a_workspace_has_a_namesake_in_the_public_schema(workspace: Workspace) -> None:
    with owner(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.relname FROM pg_class a JOIN pg_class b USING (relname)"
            " WHERE a.relnamespace = 'public'::regnamespace AND b.relnamespace = %s::regnamespace"
            " AND a.relkind IN ('r', 'v', 'm', 'p', 'S')",
            [workspace.schema_name],
        )
        both = {name for (name,) in cursor.fetchall()}

    assert both == {"django_migrations", "django_migrations_id_seq"}  # each schema's own record


def test_no_app_stands_in_both_lists() -> None:
    labels = {entry: apps.get_app_config(entry.split(".")[-1]).label for entry in settings.TENANT_APPS}

    assert not set(settings.SHARED_APPS) & set(labels)
    assert {model._meta.app_label for model in apps.get_models()} >= set(labels.values())


def test_a_missing_table_is_an_error(workspace: Workspace) -> None:
    as_owner(f'DROP TABLE "{workspace.schema_name}".agents_agent CASCADE')

    with in_tenant(workspace):
        with pytest.raises(ProgrammingError, match="does not exist"), transaction.atomic():
            read_canary()
        with pytest.raises(ProgrammingError, match="does not exist"), transaction.atomic():
            Agent.objects.create(name="lost")


def test_a_missing_schema_is_an_error(workspace: Workspace) -> None:
    as_owner(f'DROP SCHEMA "{workspace.schema_name}" CASCADE')

    with in_tenant(workspace), pytest.raises(ProgrammingError, match="does not exist"), transaction.atomic():
        read_canary()


def test_outside_every_workspace_its_tables_do_not_exist(workspace: Workspace) -> None:
    with nowhere(), pytest.raises(ProgrammingError, match="does not exist"), transaction.atomic():
        read_canary()


@pytest.mark.parametrize("state", UNFIT)
@pytest.mark.parametrize("path", ["/", "/api/v1/agents/", "/conversations/"])
def test_its_host_shows_nothing_of_it_meanwhile(
    anonymous_client: Client, workspace: Workspace, state: ProvisioningState, path: str
) -> None:
    workspace.state = state
    workspace.save()

    closed = {404, 403} if state == ProvisioningState.SUSPENDED else {404, 503}
    assert anonymous_client.get(path).status_code in closed


def test_the_application_cannot_lay_out_bait_itself(workspace: Workspace) -> None:
    with (
        in_tenant(workspace),
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("CREATE TABLE public.agents_agent (name text)")
