"""A server dies in mid-answer, and so does the worker that took its answers up: the next one ends them."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from agents.models import Agent
from chat.models import Message, MessageState
from chat.tasks import finish_answer
from netvexa.celery import app as celery
from tenants.context import in_tenant
from tenants.models import Workspace
from tests.fakes.llm import FakeLLM
from tests.faults import chats as many
from tests.plugins.processes import kill, running_worker

pytestmark = pytest.mark.django_db(transaction=True)
CHATS = 3
PATIENCE_SECONDS = 60


async def test_a_worker_killed_while_it_writes_for_a_dead_server_loses_nothing(
    agent: Agent, workspace: Workspace, fake_llm: FakeLLM, tmp_path: Path
) -> None:
    """On a broker of its own, so that no other test's worker takes the answers."""
    many.models(fake_llm, "openai", words=many.WORDS, gap=0.15)
    async with AsyncExitStack() as stack:
        with many.site_with_models(fake_llm, tmp_path) as doomed:
            chats = await many.in_mid_answer(stack, doomed, agent, CHATS)
            doomed.process.kill()
            await asyncio.gather(*(chat.socket.wait_closed() for chat in chats))
    broker = os.environ["REDIS_URL"].rstrip("/").removesuffix("/0") + "/8"
    given = {"OPENAI_BASE_URL": f"{fake_llm.url}/v1", "CELERY_BROKER_URL": broker}
    with running_worker(tmp_path, **given) as worker:
        await _hand_over(workspace, broker)
        await _until(workspace, writing=CHATS, taken_up=1)
        kill(worker)
    many.models(fake_llm, "openai", words=many.WORDS)
    with running_worker(tmp_path, **given):
        await _hand_over(workspace, broker)
        await _until(workspace, writing=0, taken_up=CHATS)
    await many.settled(workspace, chats=CHATS)


@sync_to_async
def _hand_over(workspace: Workspace, broker: str) -> None:
    """What beat does when the leases of a dead writer have run out."""
    with in_tenant(workspace):
        orphaned = Message.objects.filter(state=MessageState.WRITING)
        orphaned.update(lease_until=timezone.now())
        ids = [str(pk) for pk in orphaned.values_list("pk", flat=True)]
    with celery.connection_for_write(broker) as connection:
        for answer_id in ids:
            finish_answer.apply_async((str(workspace.pk), answer_id), connection=connection)  # type: ignore[call-arg]


async def _until(workspace: Workspace, *, writing: int, taken_up: int) -> None:
    """Wait until so many answers are being written, and so many or more were taken up from their first writer."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            now_writing, were_taken_up = await _counts(workspace)
            if now_writing == writing and were_taken_up >= taken_up:
                return
            await asyncio.sleep(0.1)


@sync_to_async
def _counts(workspace: Workspace) -> tuple[int, int]:
    with in_tenant(workspace):
        answers = Message.objects.filter(author="ai")
        return answers.filter(state=MessageState.WRITING).count(), answers.filter(attempts__gt=1).count()
