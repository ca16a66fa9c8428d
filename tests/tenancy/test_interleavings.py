"""Any order of synchronous, asynchronous, threaded and background work in two workspaces: no leak."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier

import pytest
from celery import shared_task
from django.db import DatabaseError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.models import Agent
from tenants.context import TenantTask, in_tenant, nowhere, run_in_tenant
from tenants.models import Membership, Workspace
from tests.tenancy.canaries import put_canary, read_canary

pytestmark = pytest.mark.django_db(transaction=True)
WAYS = ("thread", "async", "task", "outside")
DEEDS = ("read", "write", "roll back", "fail", "members")
Step = tuple[str, str, int]  # way, deed, which workspace


class LeakError(AssertionError):
    """Something of another workspace was seen."""


def read(slug: str) -> None:
    if read_canary() != [slug]:
        raise LeakError(f"{slug} read {read_canary()}")


def write(slug: str) -> None:
    if Agent.objects.filter(name=slug).update(greeting=slug) != 1:
        raise LeakError(f"{slug} wrote elsewhere")
    if set(Agent.objects.values_list("greeting", flat=True)) != {slug}:
        raise LeakError(f"{slug} does not see what it wrote")


def roll_back(slug: str) -> None:
    with transaction.atomic():
        Agent.objects.create(name="passing")
        transaction.set_rollback(True)
    read(slug)


def fail(slug: str) -> None:
    read(slug)
    raise ZeroDivisionError


def members(slug: str) -> None:
    seen = list(Membership.objects.values_list("user__email", flat=True))
    if seen != [f"owner@{slug}.example"]:
        raise LeakError(f"{slug} sees {seen}")


DEED: dict[str, Callable[[str], None]] = {
    "read": read,
    "write": write,
    "roll back": roll_back,
    "fail": fail,
    "members": members,
}


@shared_task(base=TenantTask, name="tests.deed")
def deed_in_background(workspace: Workspace, deed: str, slug: str) -> None:
    DEED[deed](slug)


def inside(workspace: Workspace, deed: str) -> None:
    with in_tenant(workspace):
        DEED[deed](workspace.slug)


def outside() -> None:
    with nowhere():
        if Membership.objects.exists():
            raise LeakError("members are seen from outside")
        try:
            read_canary()
        except DatabaseError:
            return
        raise LeakError("agents are seen from outside")


def in_a_thread(workspace: Workspace, way: str, deed: str) -> None:
    """What a thread of a pool does: synchronous work, a task, or a look from outside."""
    if way == "outside":
        outside()
    elif way == "task":
        deed_in_background.apply(args=(str(workspace.id), deed, workspace.slug), throw=True)
    else:
        inside(workspace, deed)


async def perform(step: Step, two: tuple[Workspace, Workspace], threads: ThreadPoolExecutor) -> None:
    way, deed, which = step
    workspace = two[which]
    with suppress(ZeroDivisionError):  # it was meant to fail
        if way == "async":
            await run_in_tenant(workspace, DEED[deed], workspace.slug)
        else:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(threads, in_a_thread, workspace, way, deed)


async def all_at_once(
    steps: list[Step], two: tuple[Workspace, Workspace], threads: ThreadPoolExecutor
) -> None:
    await asyncio.gather(*(perform(step, two, threads) for step in steps))


@pytest.fixture
def two(workspace: Workspace, other_workspace: Workspace) -> tuple[Workspace, Workspace]:
    put_canary(workspace)
    put_canary(other_workspace)
    return workspace, other_workspace


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool
        all_busy = Barrier(4)
        for ended in [pool.submit(_leave, all_busy) for _ in range(4)]:
            ended.result()


def _leave(all_busy: Barrier) -> None:
    all_busy.wait()  # so that each of the threads gets to close its own
    connection.close()


STEPS = st.lists(
    st.tuples(st.sampled_from(WAYS), st.sampled_from(DEEDS), st.integers(0, 1)), min_size=9, max_size=24
)


def test_no_interleaving_leaks(two: tuple[Workspace, Workspace], threads: ThreadPoolExecutor) -> None:
    performed = 0

    @settings(max_examples=120, deadline=None)
    @given(STEPS)
    def interleave(steps: list[Step]) -> None:
        nonlocal performed
        asyncio.run(all_at_once(steps, two, threads))
        for _, deed, which in steps[:3]:
            with suppress(ZeroDivisionError):
                inside(two[which], deed)
            outside()
        performed += len(steps)

    interleave()
    assert performed >= 1000  # 120 examples of at least 9 steps
