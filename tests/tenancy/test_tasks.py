"""Tasks run in the workspace they were given, or not at all."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from celery import Task, shared_task
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction

from netvexa.lib.errors import NotFound
from tenants.context import (
    NoWorkspace,
    PlatformTask,
    TenantTask,
    WorkspaceNotReady,
    current_workspace,
    in_tenant,
    platform,
)
from tenants.models import Membership, ProvisioningState, Workspace
from tests.tenancy.canaries import put_canary, read_canary

pytestmark = pytest.mark.django_db(transaction=True)


@shared_task(base=TenantTask, name="tests.read")
def read(workspace: Workspace) -> list[str]:
    assert workspace == current_workspace()
    return read_canary()


@shared_task(base=TenantTask, name="tests.fail")
def fail(workspace: Workspace) -> None:
    read_canary()
    raise ZeroDivisionError


@shared_task(base=TenantTask, name="tests.echo")
def echo(workspace: Workspace, *args: object, **kwargs: object) -> tuple[object, ...]:
    return (workspace.slug, *args, kwargs)


@shared_task(name="tests.careless")
def careless() -> list[str]:
    """A task that forgot its base."""
    return read_canary()


@shared_task(base=PlatformTask, name="tests.count")
def count_members() -> int:
    return Membership.objects.count()


@pytest.fixture
def acme(workspace: Workspace) -> Workspace:
    put_canary(workspace)
    return workspace


def run(task: Task[..., object], *args: object, **kwargs: object) -> object:
    """As a worker runs it: through Celery's tracer."""
    return task.apply(args=args, kwargs=kwargs, throw=True).get()


@pytest.mark.parametrize("form", [str, lambda identity: identity])
def test_a_task_stands_in_its_workspace(acme: Workspace, form: type) -> None:
    assert run(read, form(acme.id)) == ["acme"]


def test_the_workspace_takes_the_place_of_its_id(acme: Workspace) -> None:
    assert run(echo, str(acme.id), "one", two=2) == ("acme", "one", {"two": 2})


def test_without_an_id_it_does_not_run(acme: Workspace) -> None:
    with pytest.raises(NoWorkspace):
        run(read)


@pytest.mark.parametrize("nothing", [None, 7, ""])
def test_without_a_real_id_it_does_not_run(acme: Workspace, nothing: object) -> None:
    with pytest.raises((NoWorkspace, ValidationError)):
        run(read, nothing)


def test_with_an_unknown_id_it_does_not_run(acme: Workspace) -> None:
    with pytest.raises(NotFound):
        run(read, str(uuid4()))


def test_with_the_id_of_a_deleted_workspace_it_does_not_run(acme: Workspace) -> None:
    identity: UUID = acme.id
    with platform():
        acme.delete()  # its schema is still there

    with pytest.raises(NotFound):
        run(read, str(identity))


@pytest.mark.parametrize("state", [state for state in ProvisioningState if state != ProvisioningState.READY])
def test_a_workspace_that_is_not_ready_gets_no_task(acme: Workspace, state: ProvisioningState) -> None:
    acme.state = state
    acme.save()

    with pytest.raises(WorkspaceNotReady):
        run(read, str(acme.id))


def test_a_task_started_inside_another_workspace_stands_in_its_own(
    acme: Workspace, other_workspace: Workspace
) -> None:
    with in_tenant(other_workspace):
        assert run(read, str(acme.id)) == ["acme"]
        assert current_workspace() == other_workspace
        assert read_canary() == []


def test_after_a_failed_task_the_worker_stands_nowhere(acme: Workspace) -> None:
    with pytest.raises(ZeroDivisionError):
        run(fail, str(acme.id))

    with pytest.raises(DatabaseError, match="does not exist"):
        read_canary()


def test_a_task_that_forgot_its_base_fails_even_after_one_that_did_not(acme: Workspace) -> None:
    run(read, str(acme.id))

    with pytest.raises(DatabaseError, match="does not exist"):
        run(careless)


def test_a_task_of_the_platform_sees_every_workspace(acme: Workspace, other_workspace: Workspace) -> None:
    assert run(count_members) == 2
    assert Membership.objects.count() == 0  # and leaves no such sight behind


def test_a_task_is_sent_only_after_the_commit_with_the_workspaces_id(
    acme: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[object, ...]] = []
    monkeypatch.setattr(echo, "delay", lambda *args, **kwargs: sent.append((*args, kwargs)))

    with in_tenant(acme), transaction.atomic():
        echo.enqueue(acme.id, note="x")
        assert sent == []

    assert sent == [(str(acme.id), str(acme.id), {"note": "x"})]


def test_a_task_of_a_rolled_back_transaction_is_never_sent(
    acme: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[object] = []
    monkeypatch.setattr(echo, "delay", lambda *args, **kwargs: sent.append(args))

    with in_tenant(acme), transaction.atomic():
        echo.enqueue()
        transaction.set_rollback(True)

    assert sent == []
