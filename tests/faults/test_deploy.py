"""Deploys and broken lines while many chat: nobody loses a word or reads one twice."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from agents.models import Agent
from tenants.models import Workspace
from tests.fakes.llm import FakeLLM
from tests.faults import chats as many
from tests.plugins.processes import Site

pytestmark = pytest.mark.django_db(transaction=True)
DEPLOYED_UNDER, DROPPED = 100, 200  # chats


async def _ended(site: Site) -> int:
    site.process.send_signal(signal.SIGTERM)
    return await asyncio.to_thread(site.process.wait, 30)


async def test_a_deploy_while_many_chat_loses_nothing(
    agent: Agent, workspace: Workspace, fake_llm: FakeLLM, tmp_path: Path
) -> None:
    many.models(
        fake_llm, "openai", words=many.WORDS, gap=0.05
    )  # three seconds: a server that ends waits for eight
    with many.site_with_models(fake_llm, tmp_path) as old, many.site_with_models(fake_llm, tmp_path) as new:
        async with AsyncExitStack() as stack:
            chats = await many.in_mid_answer(stack, old, agent, DEPLOYED_UNDER)
            ending = asyncio.create_task(_ended(old))
            await asyncio.gather(*(many.read_on(chat) for chat in chats))
            shown = await asyncio.gather(*(many.come_back(new, agent, chat) for chat in chats))
            code = await ending
    assert {chat.socket.close_code for chat in chats} == {1012}
    for numbers in shown:
        many.assert_once_and_in_order(numbers)
    assert code == 0
    await many.settled(workspace, chats=DEPLOYED_UNDER)


async def test_many_sockets_dropped_at_once_resume_where_they_were(
    agent: Agent, workspace: Workspace, fake_llm: FakeLLM, tmp_path: Path
) -> None:
    many.models(
        fake_llm, "openai", words=many.WORDS, gap=0.25
    )  # the last to begin finds the first still writing
    with many.site_with_models(fake_llm, tmp_path) as site:
        async with AsyncExitStack() as stack:
            chats = await many.in_mid_answer(stack, site, agent, DROPPED)
            for chat in chats:
                chat.socket.transport.abort()
            shown = await asyncio.gather(*(many.come_back(site, agent, chat) for chat in chats))
    for numbers in shown:
        many.assert_once_and_in_order(numbers)
    await many.settled(workspace, chats=DROPPED)
