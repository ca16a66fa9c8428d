"""Building a workspace's schema: resumable, once, and whole or not entered."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from agents.models import Agent
from netvexa.lib.ids import short_id
from tenants import provisioning
from tenants.context import in_tenant, owner, platform
from tenants.models import ProvisioningState, Workspace, schema_name_of
from tenants.provisioning import STEPS, drop_schema, provision, template_statements, workspaces_behind
from tenants.tasks import resume_provisioning
from tests.tenancy.canaries import put_canary, read_canary

pytestmark = pytest.mark.django_db(transaction=True)
NAMES = [name for name, _ in STEPS]


@pytest.fixture
def newcomer() -> Workspace:
    """A workspace that has signed up and has no schema yet."""
    key = short_id()
    row: Workspace = Workspace.objects.create(
        key=key, slug="acme", name="Acme", schema_name=schema_name_of(key)
    )
    return row


def tables_of(workspace: Workspace) -> int:
    with owner(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = %s", [workspace.schema_name])
        return int(cursor.fetchone()[0])


def breaking(step: Callable[[Workspace], None], *, times: int) -> Callable[[Workspace], None]:
    """The step, failing after its work the first `times`."""
    left = [times]

    def run(workspace: Workspace) -> None:
        step(workspace)
        if left[0]:
            left[0] -= 1
            raise ConnectionError("the lights went out")

    return run


def fail_at(monkeypatch: pytest.MonkeyPatch, name: str, *, times: int = 1) -> None:
    steps = tuple((n, breaking(s, times=times) if n == name else s) for n, s in STEPS)
    monkeypatch.setattr(provisioning, "STEPS", steps)


def test_a_new_workspace_can_be_entered(newcomer: Workspace) -> None:
    provision(newcomer)

    assert newcomer.state == ProvisioningState.READY
    with in_tenant(newcomer):
        assert read_canary() == []


@pytest.mark.parametrize("name", NAMES)
def test_after_a_failure_the_state_names_the_step_and_the_reason(
    newcomer: Workspace, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    fail_at(monkeypatch, name)

    provision(newcomer)

    assert newcomer.state == ProvisioningState.FAILED
    assert newcomer.error == f"{name}: the lights went out"
    assert newcomer.step == ("" if name == NAMES[0] else NAMES[NAMES.index(name) - 1])


@pytest.mark.parametrize("name", NAMES)
def test_the_next_attempt_goes_on_where_the_last_one_failed(
    newcomer: Workspace, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    fail_at(monkeypatch, name)
    provision(newcomer)

    provision(newcomer)

    assert (newcomer.state, newcomer.error) == (ProvisioningState.READY, "")


@pytest.mark.parametrize("name", NAMES)
def test_beat_takes_up_what_failed(newcomer: Workspace, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    fail_at(monkeypatch, name)
    provision(newcomer)

    resume_provisioning()

    newcomer.refresh_from_db()
    assert newcomer.is_ready


@pytest.mark.parametrize("position", [0, 1, 20, -1])
def test_a_failing_statement_leaves_no_half_schema(
    newcomer: Workspace, monkeypatch: pytest.MonkeyPatch, position: int
) -> None:
    statements = list(template_statements())
    statements[position] = "SELECT 1 / 0"
    monkeypatch.setattr(provisioning, "template_statements", lambda: tuple(statements))

    provision(newcomer)

    assert newcomer.state == ProvisioningState.FAILED
    assert "division by zero" in newcomer.error
    assert tables_of(newcomer) == 0


def test_a_half_built_schema_is_cleaned_away(newcomer: Workspace) -> None:
    with owner(), connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {newcomer.schema_name}")
        cursor.execute(f"CREATE TABLE {newcomer.schema_name}.agents_agent (id int)")

    provision(newcomer)

    with in_tenant(newcomer):
        assert read_canary() == []


def test_a_schema_with_rows_in_it_is_never_built_anew(workspace: Workspace) -> None:
    put_canary(workspace)
    workspace.state, workspace.step = ProvisioningState.FAILED, ""
    workspace.save()

    provision(workspace)

    assert workspace.state == ProvisioningState.FAILED
    assert "agents_agent holds rows" in workspace.error
    workspace.state = ProvisioningState.READY
    with in_tenant(workspace):
        assert read_canary() == ["acme"]


def test_a_workspace_put_back_is_checked_not_built(workspace: Workspace) -> None:
    put_canary(workspace)
    workspace.state = ProvisioningState.PENDING
    workspace.save()

    provision(workspace)

    assert workspace.is_ready
    with in_tenant(workspace):
        assert Agent.objects.count() == 1


def test_a_schema_that_lacks_a_table_is_not_called_ready(
    newcomer: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_at(monkeypatch, "check_schema")
    provision(newcomer)
    with owner(), connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {newcomer.schema_name}.agents_agent CASCADE")

    provision(newcomer)

    assert newcomer.state == ProvisioningState.FAILED
    assert "tables" in newcomer.error


def test_five_at_once_build_it_once(newcomer: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[str] = []

    def build(workspace: Workspace) -> None:
        built.append(workspace.slug)
        STEPS[0][1](workspace)

    monkeypatch.setattr(provisioning, "STEPS", ((NAMES[0], build), *STEPS[1:]))
    start = Barrier(5)

    def attempt(_: int) -> str:
        start.wait()
        try:
            with platform():
                mine = Workspace.objects.get(pk=newcomer.pk)
            provision(mine)
            return str(mine.state)
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as pool:
        states = list(pool.map(attempt, range(5)))

    assert states == ["ready"] * 5
    assert built == ["acme"]


def test_a_ready_workspace_is_left_alone(workspace: Workspace) -> None:
    put_canary(workspace)

    provision(workspace)

    with in_tenant(workspace):
        assert read_canary() == ["acme"]


def test_a_suspended_workspace_is_not_taken_up_again(workspace: Workspace) -> None:
    workspace.state = ProvisioningState.SUSPENDED
    workspace.save()

    resume_provisioning()
    provision(workspace)

    assert workspace.state == ProvisioningState.SUSPENDED


def test_one_that_cannot_be_built_does_not_hold_up_the_next(
    newcomer: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = short_id()
    second = Workspace.objects.create(key=key, slug="second", name="Second", schema_name=schema_name_of(key))
    fail_at(monkeypatch, NAMES[0])  # whichever comes first

    resume_provisioning()

    states = {workspace.state for workspace in Workspace.objects.filter(pk__in=(newcomer.pk, second.pk))}
    assert states == {ProvisioningState.FAILED, ProvisioningState.READY}


def test_a_dropped_schema_is_gone(workspace: Workspace) -> None:
    drop_schema(workspace)

    assert tables_of(workspace) == 0


def test_a_workspace_that_lacks_a_migration_is_found(
    workspace: Workspace, other_workspace: Workspace
) -> None:
    with owner(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('search_path', %s, false)", [workspace.schema_name])
        cursor.execute("DELETE FROM django_migrations WHERE app = 'chat'")
        connection.forget_standing()  # type: ignore[attr-defined]

    assert workspaces_behind() == [workspace]
