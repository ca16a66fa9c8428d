"""Where a piece of work stands: the only module that switches schemas and database roles.

* `in_tenant(workspace)` for synchronous code, `run_in_tenant(workspace, function, ...)` for asynchronous code
  (the switch happens inside the very thread and call that runs the queries), `TenantTask` for Celery.
* `identity()` around the few look-ups within a workspace that need what its work may not read: who somebody is,
  and what proves it (sessions, passwords, second factors, API keys, data keys).
* `platform()` for staff and for jobs across workspaces: the public schema, without Row Level Security.
* `owner()` for migrations and provisioning: the log-in role.

Outside of all these a connection stands in the public schema as the application's role with no workspace:
tenant tables do not exist there and guarded public tables look empty.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast
from uuid import UUID

from celery import Task
from django.db import InterfaceError, OperationalError, close_old_connections, connection, transaction
from django_tenants.postgresql_backend.base import FakeTenant

import netvexa.celery  # noqa: F401  makes our Celery application the one that tasks belong to
from netvexa.lib.errors import AppError, NotFound
from netvexa.lib.log import workspace_key
from tenants.postgresql.base import DatabaseRole, DatabaseWrapper

if TYPE_CHECKING:
    from tenants.models import Workspace

P = ParamSpec("P")
R = TypeVar("R")

_DATABASE_THREADS = 8
TRUSTED_SECONDS = 1.0  # a connection that worked within this time is taken to work
OUTAGE_WAITS = (0.0, 0.5, 1.5, 3.0)  # seconds before each further try; together less than an answer's lease
_pool = ThreadPoolExecutor(_DATABASE_THREADS, thread_name_prefix="database")
_current: ContextVar[Workspace | None] = ContextVar("workspace", default=None)


class WorkspaceNotReady(AppError):
    """The workspace's schema is not whole, so nobody may enter it."""

    code = "workspace_not_ready"
    status = 503
    default_detail = "This workspace is still being prepared. Please try again in a moment."


class WorkspaceClosed(WorkspaceNotReady):
    """The workspace is suspended or about to be deleted; a visitor reads this sentence."""

    code = "workspace_closed"
    status = 403
    default_detail = "This chat is closed. Please write to the owner of this site in another way."


def _shut(workspace: Workspace) -> WorkspaceNotReady:
    return WorkspaceClosed() if workspace.state == "suspended" else WorkspaceNotReady()


class NoWorkspace(RuntimeError):
    """Tenant work was tried outside a workspace: a mistake in our code, never shown to people."""


def _wrapper() -> DatabaseWrapper:
    return cast("DatabaseWrapper", connection)


@contextmanager
def _standing(tenant: Any, role: str, workspace: Workspace | None) -> Iterator[None]:
    wrapper = _wrapper()
    before_tenant, before_role = wrapper.tenant, wrapper.database_role
    token, log_token = _current.set(workspace), workspace_key.set(workspace.key if workspace else "-")
    wrapper.stand(tenant, role)
    try:
        yield
    finally:
        wrapper.stand(before_tenant, before_role)
        workspace_key.reset(log_token)
        _current.reset(token)


@contextmanager
def in_tenant(workspace: Workspace) -> Iterator[Workspace]:
    """Stand in this workspace's schema, without a right on anything secret of the public one.

    Raises WorkspaceNotReady when its schema is not whole.
    """
    if not workspace.is_ready:
        raise _shut(workspace)
    with _standing(workspace, workspace.own_role or DatabaseRole.TENANT, workspace):
        yield workspace


@contextmanager
def identity() -> Iterator[None]:
    """Lend work in a workspace the application's role for a block that asks who somebody is, or what proves it.

    The block stands in the public schema and sees its workspace's rows of the guarded tables; no table of a
    workspace is in reach. Outside of workspaces nothing changes. Rows have to be read before the block ends.
    `tests/tenancy/test_secrets.py` names the modules that may call this.
    """
    workspace = _current.get()
    if workspace is None:
        yield
        return
    with _standing(_lobby(workspace), DatabaseRole.APP, workspace):
        yield


def _lobby(workspace: Workspace) -> FakeTenant:
    """The public schema, with this workspace's rows of the guarded tables in sight."""
    place = FakeTenant("public")
    place.id = workspace.id
    return place


@contextmanager
def platform() -> Iterator[None]:
    """Stand in the public schema as the platform's role, which sees the rows of every workspace."""
    with _standing(FakeTenant("public"), DatabaseRole.PLATFORM, None):
        yield


@contextmanager
def nowhere() -> Iterator[None]:
    """Stand in the public schema as the application's role, with no workspace."""
    with _standing(FakeTenant("public"), DatabaseRole.APP, None):
        yield


@contextmanager
def owner(schema_name: str = "public") -> Iterator[None]:
    """Stand as the log-in role, which owns the tables. For migrations and provisioning only."""
    with _standing(FakeTenant(schema_name), DatabaseRole.OWNER, None):
        yield


def current_workspace() -> Workspace:
    """The workspace that this code stands in; NoWorkspace when it stands in none."""
    workspace = _current.get()
    if workspace is None:
        raise NoWorkspace("This code needs a workspace: call it inside tenants.context.in_tenant().")
    return workspace


def ready_workspace(workspace_id: UUID | str) -> Workspace:
    """The workspace with this id, if it may be entered. Raises NotFound or WorkspaceNotReady."""
    from tenants.models import Workspace

    with nowhere():  # a workspace sees no other
        workspace: Workspace | None = Workspace.objects.filter(pk=workspace_id).first()
    if workspace is None:
        raise NotFound("There is no such workspace.")
    if not workspace.is_ready:
        raise _shut(workspace)
    return workspace


@contextmanager
def _connection_looked_after() -> Iterator[None]:
    """Around a piece of work: a connection that is old or broken is closed, before and after it.

    One that worked a moment ago is not asked whether it still does: that is a round trip for every piece.
    """
    close_old_connections()
    wrapper = _wrapper()
    if time.monotonic() - wrapper.worked_at < TRUSTED_SECONDS:
        wrapper.health_check_done = True
    try:
        yield
        wrapper.worked_at = time.monotonic()
    except BaseException:
        wrapper.worked_at = float("-inf")
        raise
    finally:
        close_old_connections()


def persistently(work: Callable[[], R]) -> R:
    """Do a piece of work that may be done twice; where the connection was lost, again on a new one, while an outage
    takes no longer than OUTAGE_WAITS together. Not inside a transaction, which is lost with its connection.
    """
    for wait in OUTAGE_WAITS:
        try:
            return work()
        except (OperationalError, InterfaceError):
            wrapper = _wrapper()
            if wrapper.in_atomic_block or (wrapper.connection is not None and wrapper.is_usable()):
                raise
            wrapper.close()
            time.sleep(wait)
    return work()


def _call_in_tenant(workspace: Workspace, function: Callable[[], R]) -> R:
    with _connection_looked_after(), in_tenant(workspace):
        return function()


def _call_nowhere(function: Callable[[], R]) -> R:
    with _connection_looked_after(), nowhere():
        return function()


async def run_in_tenant(
    workspace: Workspace, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs
) -> R:
    """Run synchronous `function` in a database thread that stands in `workspace` for just this call."""
    return await _in_thread(lambda: _call_in_tenant(workspace, lambda: function(*args, **kwargs)))


async def run_nowhere(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run synchronous `function` in a database thread, in the public schema."""
    return await _in_thread(lambda: _call_nowhere(lambda: function(*args, **kwargs)))


async def _in_thread(call: Callable[[], R]) -> R:
    """Run in a database thread with a copy of this context, as `sync_to_async` does at several times the cost.

    What has begun in a thread goes on to its end, also when its caller is cancelled.
    """
    context = copy_context()
    return await asyncio.get_running_loop().run_in_executor(_pool, lambda: context.run(call))


class TenantTask(Task):  # type: ignore[type-arg]  # not generic at run time
    """Base of the tasks that work in a workspace: `@shared_task(base=TenantTask)`.

    The first argument is the workspace's id, always; the function receives the `Workspace` in its place and
    runs inside its schema. A missing, unknown or unready workspace raises; it never falls back to public.
    """

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        workspace_id = args[0] if args else None
        if not isinstance(workspace_id, str | UUID):
            raise NoWorkspace(f"{self.name} was called without a workspace id.")
        return _call_in_tenant(ready_workspace(workspace_id), lambda: self.run_in(args, kwargs))

    def run_in(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return super().__call__(current_workspace(), *args[1:], **kwargs)

    def enqueue(self, *args: Any, **kwargs: Any) -> None:
        """Send the task for the current workspace once the open transaction is committed."""
        workspace_id = str(current_workspace().id)
        transaction.on_commit(lambda: self.delay(workspace_id, *map(_plain, args), **kwargs))


class PlatformTask(Task):  # type: ignore[type-arg]  # likewise
    """Base of the tasks that work across workspaces, in the public schema as the platform's role."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        close_old_connections()
        try:
            with platform():
                return super().__call__(*args, **kwargs)
        finally:
            close_old_connections()


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value
