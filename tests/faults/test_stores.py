"""Redis and PostgreSQL break in mid-answer: what was acknowledged is there once, and every answer ends."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from pathlib import Path

import psycopg
import pytest

from agents.models import Agent
from netvexa.embedded.home import make_home
from netvexa.embedded.ports import free_port
from netvexa.embedded.redis import Redis
from tenants.models import Workspace
from tests.fakes.llm import FakeLLM
from tests.faults import chats as many
from tests.plugins.servers import HOME_VARIABLE

pytestmark = pytest.mark.django_db(transaction=True)
CHATS = 8


async def test_redis_is_restarted_empty_in_mid_answer(
    agent: Agent, workspace: Workspace, fake_llm: FakeLLM, tmp_path: Path
) -> None:
    many.models(fake_llm, "openai", words=many.WORDS, gap=0.05)
    server = Redis(make_home(Path(os.environ[HOME_VARIABLE])), durable=False, folder=f"redis-{free_port()}")
    server.start()
    try:
        own = {"REDIS_URL": server.url, "CELERY_BROKER_URL": server.url}
        with many.site_with_models(fake_llm, tmp_path, **own) as site:
            async with AsyncExitStack() as stack:
                chats = await many.in_mid_answer(stack, site, agent, CHATS)
                await asyncio.to_thread(server.stop)
                await asyncio.to_thread(server.start)
                await asyncio.gather(*(many.read_on(chat) for chat in chats))
            assert all(many.ends(chat.seen[-1]) for chat in chats)
    finally:
        server.stop()
    for chat in chats:
        many.assert_once_and_in_order(chat.numbered())
        assert many.shown_answer(chat).split() == [f"word{number}" for number in range(many.WORDS)]
    await many.settled(workspace, chats=CHATS)


def _cut_every_database_connection() -> None:
    """What a restart of PostgreSQL does to its clients, while other tests go on using it."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND application_name = 'netvexa-fault'"
        )


async def test_the_database_drops_everybody_in_mid_answer(
    agent: Agent, workspace: Workspace, fake_llm: FakeLLM, tmp_path: Path
) -> None:
    many.models(fake_llm, "openai", words=many.WORDS, gap=0.05)
    named = {"PGAPPNAME": "netvexa-fault"}
    with many.site_with_models(fake_llm, tmp_path, **named) as site:
        async with AsyncExitStack() as stack:
            chats = await many.in_mid_answer(stack, site, agent, CHATS)
            await asyncio.to_thread(_cut_every_database_connection)
            await asyncio.gather(*(many.read_on(chat) for chat in chats))
        assert [chat.seen[-1]["type"] for chat in chats] == ["end"] * CHATS
    for chat in chats:
        many.assert_once_and_in_order(chat.numbered())
    await many.settled(workspace, chats=CHATS)
