"""Sockets drop, tabs double, servers die: every message is there once and every answer ends."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from redis import Redis

from agents.models import Agent
from chat import tasks, turns
from chat.models import Message, MessageState
from tenants.context import in_tenant
from tenants.models import Workspace
from tests.chat.visitor import chatting
from tests.plugins.processes import Site, running_site, running_worker

pytestmark = pytest.mark.django_db(transaction=True)
QUESTION = "How long does standard delivery to Austria take?"


@sync_to_async
def stored(workspace: Workspace) -> list[Message]:
    with in_tenant(workspace):
        return list(Message.objects.order_by("ordinal"))


async def test_a_returning_client_gets_exactly_the_frames_it_missed(site: Site, agent: Agent) -> None:
    async with chatting(site, agent) as chat:
        await chat.answer(QUESTION)
        frames = [frame for frame in chat.seen if "seq" in frame][1:]
    async with chatting(site, agent, hello=False) as back:
        welcome = await back.hello(**chat.again, last_seq=2)
        missed = [await back.next() for _ in frames[2:]]
    assert welcome["history"] == []
    assert missed == frames[2:]


async def test_an_answer_goes_on_while_nobody_is_there(
    site: Site, agent: Agent, workspace: Workspace
) -> None:
    async with chatting(site, agent) as chat:
        await chat.ask(QUESTION)
        await chat.until("ack")
    async with chatting(site, agent, hello=False) as back:
        await back.hello(**chat.again, last_seq=1)
        end = await back.until("end")
    assert "three to five" in end["text"]
    assert back.numbered() == list(range(2, len(back.numbered()) + 2))


async def test_without_a_last_seq_the_whole_history_comes(site: Site, agent: Agent) -> None:
    async with chatting(site, agent) as chat:
        end = await chat.answer(QUESTION)
    async with chatting(site, agent, hello=False) as back:
        welcome = await back.hello(**chat.again)
    question, answer = welcome["history"]
    assert (question["author"]["kind"], question["text"]) == ("visitor", QUESTION)
    assert (answer["text"], answer["citations"]) == (end["text"], end["citations"])
    assert welcome["seq"] == end["seq"]


async def test_two_tabs_both_see_everything_once(site: Site, agent: Agent) -> None:
    async with chatting(site, agent) as one:
        await one.answer("Hello")
        async with chatting(site, agent, hello=False) as two:
            start = (await two.hello(**one.again))["seq"]
            await one.ask(QUESTION)
            ends = await asyncio.gather(one.until("end"), two.until("end"))
    assert ends[0] == ends[1]
    assert two.numbered() == list(range(start + 1, ends[1]["seq"] + 1))


async def test_two_tabs_at_two_servers_both_see_everything_once(
    site: Site, agent: Agent, tmp_path: Path
) -> None:
    with running_site(tmp_path) as other_site:
        async with chatting(site, agent) as one:
            await one.answer("Hello")
            async with chatting(other_site, agent, hello=False) as two:
                start = (await two.hello(**one.again))["seq"]
                await one.ask(QUESTION)
                ends = await asyncio.gather(one.until("end"), two.until("end"))
                await two.ask("When is the shop open?")
                later = await asyncio.gather(one.until("end"), two.until("end"))
    assert ends[0] == ends[1]
    assert later[0] == later[1]
    assert one.numbered() == list(range(1, later[0]["seq"] + 1))
    assert two.numbered() == list(range(start + 1, later[0]["seq"] + 1))


async def test_redis_loses_everything_and_the_chat_goes_on(
    site: Site, agent: Agent, workspace: Workspace, redis_url: str
) -> None:
    async with chatting(site, agent) as chat:
        await chat.answer(QUESTION)
        Redis.from_url(redis_url).flushall()
        await chat.answer("When is the shop open?")
    assert chat.numbered() == list(range(1, len(chat.numbered()) + 1))
    async with chatting(site, agent, hello=False) as back:
        welcome = await back.hello(**chat.again, last_seq=1)
    assert [entry["author"]["kind"] for entry in welcome["history"]] == ["visitor", "bot"] * 2
    assert welcome["seq"] == chat.numbered()[-1]


async def test_a_server_killed_between_storing_an_answer_and_saying_so_leaves_no_hanging_answer(
    site: Site, agent: Agent, workspace: Workspace, redis_url: str, tmp_path: Path
) -> None:
    with running_site(tmp_path) as doomed:
        async with chatting(doomed, agent) as chat:
            end = await chat.answer(QUESTION)
    key = f"nv:chat:{{{workspace.key}:{chat.welcome['conversation']}}}"
    redis = Redis.from_url(redis_url)
    assert redis.xdel(f"{key}:frames", f"{end['seq']}-0")
    redis.set(f"{key}:seq", end["seq"] - 1)  # as if the last frame had never been sent
    async with chatting(site, agent, hello=False) as back:
        welcome = await back.hello(**chat.again, last_seq=end["seq"] - 1)
    assert [entry["text"] for entry in welcome["history"]] == [QUESTION, end["text"]]
    assert welcome["seq"] == end["seq"]


@pytest.fixture
def redis_url() -> str:
    from django.conf import settings

    return str(settings.REDIS_URL)


@pytest.fixture
def orphan(agent: Agent, workspace: Workspace) -> Message:
    """An answer whose writer died: its lease is over."""
    from datetime import timedelta

    from django.utils import timezone

    from chat.conversations import Door

    with in_tenant(workspace):
        accepted = turns.accept(
            Door(agent=agent), client_id=uuid4(), text=QUESTION, writer=turns.new_writer("dead")
        )
        assert accepted.turn is not None
        answer = Message.objects.get(pk=accepted.turn.answer_id)
        answer.lease_until = timezone.now() - timedelta(seconds=1)
        answer.save()
        return answer


def test_an_answer_whose_writer_died_is_written_by_another(orphan: Message, workspace: Workspace) -> None:
    tasks.finish_answer(str(workspace.id), str(orphan.pk))
    with in_tenant(workspace):
        orphan.refresh_from_db()
    assert orphan.state == MessageState.COMPLETE
    assert "three to five" in orphan.text


def test_an_answer_that_kills_its_writers_is_ended_with_an_apology(
    orphan: Message, workspace: Workspace
) -> None:
    with in_tenant(workspace):
        Message.objects.filter(pk=orphan.pk).update(attempts=turns.LONGEST_LIFE)
    tasks.finish_answer(str(workspace.id), str(orphan.pk))
    with in_tenant(workspace):
        orphan.refresh_from_db()
    assert (orphan.outcome, orphan.stopped) == ("error", "error")
    assert orphan.text


async def test_a_server_killed_in_mid_answer_loses_nothing(
    agent: Agent, workspace: Workspace, site: Site, tmp_path: Path
) -> None:
    with running_site(tmp_path) as doomed:
        async with chatting(doomed, agent) as chat:
            await chat.answer("Hello")
            await chat.ask(QUESTION)
            await chat.until("ack")
            doomed.process.send_signal(signal.SIGKILL)
            await chat.socket.wait_closed()
    with running_worker(tmp_path):
        async with asyncio.timeout(30):
            while (await stored(workspace))[-1].state != MessageState.COMPLETE:
                await sync_to_async(tasks.finish_orphaned_answers)()
                await asyncio.sleep(1)
    async with chatting(site, agent, hello=False) as back:
        welcome = await back.hello(**chat.again)
    assert [entry["author"]["kind"] for entry in welcome["history"]] == ["visitor", "bot"] * 2
    assert "three to five" in welcome["history"][-1]["text"]


async def test_a_server_that_is_told_to_end_sends_its_clients_elsewhere(agent: Agent, tmp_path: Path) -> None:
    with running_site(tmp_path) as ending:
        async with chatting(ending, agent) as chat:
            ending.process.send_signal(signal.SIGTERM)
            assert await chat.close_code() == 1012
        assert await asyncio.to_thread(ending.process.wait, 20) == 0
