"""An answer whose writer died is one of the new writer's like any other: held, stopped, and given up to a person."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone

from agents.models import Agent
from agents.providers import tier_table
from chat import conversations, notices, runs, tasks, turns
from chat.conversations import Door
from chat.models import Message, MessageState
from tenants.context import in_tenant
from tenants.models import Workspace
from tests.fakes.llm import FakeLLM

pytestmark = pytest.mark.django_db(transaction=True)
WORDS = 40


@pytest.fixture
def orphan(
    agent: Agent, workspace: Workspace, fake_llm: FakeLLM, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Message:
    """An answer without a writer, whose models need several times as long as a lease holds."""
    monkeypatch.setattr(turns, "LEASE", timedelta(seconds=1.5))
    monkeypatch.setattr(runs, "HEARTBEAT_SECONDS", 0.4)
    settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = "sk-fake", f"{fake_llm.url}/v1"
    for tier in tier_table().tiers.values():
        for ref in tier.models:
            fake_llm.behaves(ref.model, words=WORDS, gap=0.12)
    with in_tenant(workspace):
        door = Door(agent=agent)
        question = "How long does standard delivery to Austria take?"
        accepted = turns.accept(door, client_id=uuid4(), text=question, writer=turns.new_writer("dead"))
        assert accepted.turn is not None
        Message.objects.filter(pk=accepted.turn.answer_id).update(lease_until=timezone.now())
        return Message.objects.get(pk=accepted.turn.answer_id)


def _taken_up(workspace: Workspace, orphan: Message, meanwhile: Callable[[UUID], bool]) -> Message:
    """The answer after a worker has written it, while something else happened until that says that it is done."""

    def work() -> None:
        tasks.finish_answer(str(workspace.pk), str(orphan.pk))
        connection.close()

    worker = Thread(target=work)
    worker.start()
    done = False
    while worker.is_alive():
        with in_tenant(workspace):
            begun = Message.objects.filter(pk=orphan.pk, attempts=2, state=MessageState.WRITING).exists()
            done = done or (begun and meanwhile(orphan.pk))
        time.sleep(0.1)
    assert done
    with in_tenant(workspace):
        orphan.refresh_from_db()
    return orphan


def test_it_keeps_its_lease_however_long_it_takes(orphan: Message, workspace: Workspace) -> None:
    looks: list[list[UUID]] = []

    def nobody_else_wants_it(_: UUID) -> bool:
        looks.append(turns.orphans())
        return len(looks) > 20  # some two seconds, beyond a lease

    answer = _taken_up(workspace, orphan, nobody_else_wants_it)
    assert not any(looks)
    assert (answer.state, answer.attempts, answer.stopped) == (MessageState.COMPLETE, 2, "")


def test_it_can_be_stopped(orphan: Message, workspace: Workspace, fake_llm: FakeLLM) -> None:
    def stop(answer_id: UUID) -> bool:
        writer = turns.writer_of(answer_id, orphan.conversation_id)
        time.sleep(1)
        assert writer is not None
        told = f"!stop\n0\n{answer_id}"
        return bool(notices.redis().publish(f"nv:chat:process:{writer.partition('.')[0]}", told))

    answer = _taken_up(workspace, orphan, stop)
    assert answer.stopped == "visitor"
    assert fake_llm.requests[-1].words_sent < WORDS


def test_a_person_who_takes_over_ends_it(orphan: Message, workspace: Workspace, fake_llm: FakeLLM) -> None:
    def take_over(_: UUID) -> bool:
        time.sleep(1)
        frames = conversations.take_over(orphan.conversation_id, user_id=uuid4())
        notices.publish(orphan.conversation_id, frames)
        return True

    answer = _taken_up(workspace, orphan, take_over)
    assert answer.outcome == "handoff"
    assert fake_llm.requests[-1].words_sent < WORDS
