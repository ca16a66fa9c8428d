"""Two workspaces at once in asynchronous code: each reads its own."""

from __future__ import annotations

import asyncio

import pytest
from channels.db import database_sync_to_async
from django.db import DatabaseError, connection, connections
from django_tenants.postgresql_backend.base import FakeTenant

from tenants.context import NoWorkspace, WorkspaceNotReady, current_workspace, run_in_tenant, run_nowhere
from tenants.models import ProvisioningState, Workspace
from tenants.postgresql.base import DatabaseRole
from tests.tenancy.canaries import put_canary, read_canary

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def two(workspace: Workspace, other_workspace: Workspace) -> tuple[Workspace, Workspace]:
    put_canary(workspace)
    put_canary(other_workspace)
    return workspace, other_workspace


async def test_two_workspaces_at_once_read_their_own(two: tuple[Workspace, Workspace]) -> None:
    async def read(workspace: Workspace) -> bool:
        return await run_in_tenant(workspace, read_canary) == [workspace.slug]

    right = await asyncio.gather(*(read(two[number % 2]) for number in range(400)))

    assert all(right)


def _leave() -> None:
    connection.stand(FakeTenant("public"), DatabaseRole.APP)  # type: ignore[attr-defined]
    connections.close_all()


async def test_a_switch_in_one_call_and_a_query_in_the_next_would_leak(
    two: tuple[Workspace, Workspace],
) -> None:
    """What `run_in_tenant` is for: Channels runs every consumer's calls in one thread, on one connection."""
    switched = asyncio.Barrier(2)

    async def read_naively(workspace: Workspace) -> list[str]:
        await database_sync_to_async(lambda: connection.stand(workspace, DatabaseRole.TENANT))()  # type: ignore[attr-defined]
        await switched.wait()
        found: list[str] = await database_sync_to_async(read_canary)()
        return found

    found = await asyncio.gather(*map(read_naively, two))
    await database_sync_to_async(_leave)()

    assert found[0] == found[1]  # both read the same workspace


async def test_a_call_that_fails_leaves_its_thread_nowhere(two: tuple[Workspace, Workspace]) -> None:
    def fail() -> None:
        read_canary()
        raise ZeroDivisionError

    for _ in range(20):  # more often than there are threads
        with pytest.raises(ZeroDivisionError):
            await run_in_tenant(two[0], fail)
        with pytest.raises(DatabaseError, match="does not exist"):
            await run_nowhere(read_canary)


async def test_a_cancelled_call_leaves_its_thread_nowhere(two: tuple[Workspace, Workspace]) -> None:
    for _ in range(20):
        call = asyncio.create_task(run_in_tenant(two[0], read_canary))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    assert await run_in_tenant(two[1], read_canary) == [two[1].slug]
    with pytest.raises(DatabaseError, match="does not exist"):
        await run_nowhere(read_canary)


async def test_the_event_loop_itself_stands_in_no_workspace(two: tuple[Workspace, Workspace]) -> None:
    await run_in_tenant(two[0], read_canary)

    with pytest.raises(NoWorkspace):
        current_workspace()


async def test_the_called_function_knows_its_workspace(two: tuple[Workspace, Workspace]) -> None:
    assert await run_in_tenant(two[1], current_workspace) == two[1]


@pytest.mark.parametrize("state", [state for state in ProvisioningState if state != ProvisioningState.READY])
async def test_a_workspace_that_is_not_ready_is_not_entered(
    two: tuple[Workspace, Workspace], state: ProvisioningState
) -> None:
    two[0].state = state

    with pytest.raises(WorkspaceNotReady):
        await run_in_tenant(two[0], read_canary)
