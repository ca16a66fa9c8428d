"""Where the connection stands during and after a piece of work, as PostgreSQL itself says it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client, override_settings
from django.urls import path

from agents.models import Agent
from netvexa.lib.errors import NotAllowed
from tenants.context import in_tenant, nowhere, owner, platform
from tenants.models import Membership, Workspace
from tests.tenancy.canaries import put_canary, read_canary

pytestmark = pytest.mark.django_db(transaction=True)
NOWHERE = ('"public","extensions"', "netvexa_app", "")


def standing() -> tuple[str, str, str]:
    """Schema, role and workspace of the connection."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('search_path'), current_user::text,"
            " current_setting('app.current_tenant_id', true)"
        )
        path_, role, workspace = cursor.fetchone()
    return path_, role, workspace


def place(workspace: Workspace) -> tuple[str, str, str]:
    return f'"{workspace.schema_name}","public","extensions"', "netvexa_tenant", str(workspace.id)


def look(request: HttpRequest) -> HttpResponse:
    return HttpResponse("|".join(standing()))


def stumble(request: HttpRequest) -> HttpResponse:
    read_canary()
    raise ZeroDivisionError


def refuse(request: HttpRequest) -> HttpResponse:
    read_canary()
    raise NotAllowed


def break_off(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        Agent.objects.create(name="half")
        raise ZeroDivisionError


def trickle(request: HttpRequest) -> StreamingHttpResponse:
    def parts() -> Iterator[str]:
        yield "|".join(standing())

    return StreamingHttpResponse(parts())


urlpatterns = [path(f"{view.__name__}/", view) for view in (look, stumble, refuse, break_off, trickle)]


@pytest.fixture
def visitor(anonymous_client: Client) -> Iterator[Client]:
    """A client at the workspace's host, where the views above stand."""
    anonymous_client.raise_request_exception = False
    with override_settings(ROOT_URLCONF=__name__):
        yield anonymous_client


def test_a_fresh_connection_stands_nowhere() -> None:
    connection.close()

    assert standing() == NOWHERE


def test_during_a_request_it_stands_in_the_workspace_of_the_host(
    visitor: Client, workspace: Workspace
) -> None:
    assert visitor.get("/look/").content.decode() == "|".join(place(workspace))


@pytest.mark.parametrize("view", ["look", "stumble", "refuse", "break_off", "nothing_here"])
def test_after_a_request_it_stands_nowhere_however_it_ended(visitor: Client, view: str) -> None:
    visitor.get(f"/{view}/")

    assert standing() == NOWHERE
    with pytest.raises(DatabaseError, match="does not exist"):
        read_canary()


def test_what_a_response_streams_later_does_not_run_in_the_workspace_by_accident(visitor: Client) -> None:
    response = visitor.get("/trickle/")

    assert b"".join(response.streaming_content).decode() == "|".join(NOWHERE)  # type: ignore[attr-defined]


def test_the_next_request_stands_in_its_own_workspace(
    visitor: Client, workspace: Workspace, other_workspace: Workspace
) -> None:
    rival = Client(headers={"host": "rival.localhost"})

    for client, expected in ((visitor, workspace), (rival, other_workspace)) * 3:
        assert client.get("/look/").content.decode() == "|".join(place(expected))
        visitor.get("/stumble/")


def test_a_workspace_within_a_workspace_returns_to_the_outer_one(
    workspace: Workspace, other_workspace: Workspace
) -> None:
    with in_tenant(workspace):
        with in_tenant(other_workspace):
            assert standing() == place(other_workspace)
        with platform():
            assert standing()[1:] == ("netvexa_platform", "")
        with nowhere():
            assert standing() == NOWHERE
        assert standing() == place(workspace)


def fail_in(place_: AbstractContextManager[object]) -> None:
    with place_:
        standing()
        raise ZeroDivisionError


def test_an_exception_returns_to_where_it_stood(workspace: Workspace) -> None:
    for place_ in (in_tenant(workspace), platform(), owner()):
        with pytest.raises(ZeroDivisionError):
            fail_in(place_)
        assert standing() == NOWHERE


@pytest.fixture
def rival_before(workspace: Workspace, other_workspace: Workspace) -> None:
    """The connection's last statement was another workspace's."""
    put_canary(workspace)
    put_canary(other_workspace)
    with in_tenant(other_workspace):
        read_canary()


def roll_back() -> None:
    with transaction.atomic():
        read_canary()
        transaction.set_rollback(True)


def fail_in_a_savepoint() -> None:
    with transaction.atomic():
        agent = Agent.objects.get()
        with pytest.raises(IntegrityError), transaction.atomic():
            Agent.objects.create(pk=agent.pk, public_id="another")


def lose_the_connection() -> None:
    with owner(), pytest.raises(OperationalError), connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    connection.close_if_unusable_or_obsolete()


@pytest.mark.parametrize("mishap", [roll_back, fail_in_a_savepoint, lose_the_connection])
def test_a_setting_undone_by_the_database_is_made_again(
    workspace: Workspace, rival_before: None, mishap: Callable[[], None]
) -> None:
    """PostgreSQL takes a setting back with the transaction that made it; then the one before is in force."""
    with in_tenant(workspace):
        mishap()
        assert standing() == place(workspace)
        assert read_canary() == ["acme"]


def test_entering_inside_a_transaction_is_undone_on_leaving_it(
    workspace: Workspace, other_workspace: Workspace
) -> None:
    with transaction.atomic():
        with in_tenant(workspace):
            assert standing() == place(workspace)
        assert standing() == NOWHERE
        with in_tenant(other_workspace):
            assert standing() == place(other_workspace)


def test_a_place_that_cannot_be_taken_is_an_error_and_no_query_runs(workspace: Workspace) -> None:
    with in_tenant(workspace):
        connection.database_role = "netvexa_nobody"  # type: ignore[attr-defined]
        with pytest.raises((DatabaseError, AttributeError)):
            read_canary()


def test_the_platform_is_left_with_its_sight(workspace: Workspace) -> None:
    with platform():
        assert Membership.objects.count() == 1

    assert Membership.objects.count() == 0
