"""A model that takes its time: the visitor stops it, the line breaks, Redis forgets in mid-answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import redis
from asgiref.sync import sync_to_async
from django.conf import settings

from chat.models import Message
from tenants.context import in_tenant
from tenants.models import Workspace
from tests.chat.visitor import chatting
from tests.plugins.processes import Site, running_site

if TYPE_CHECKING:
    from agents.models import Agent
    from tests.fakes.llm import FakeLLM

pytestmark = pytest.mark.django_db(transaction=True)
QUESTION = "How long does standard delivery to Austria take?"
WORDS = 80


@pytest.fixture(scope="module")
def slow_site(fake_llm: FakeLLM, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A web server whose models write 20 words a second."""
    from agents.providers.plan import tier_table

    table = tier_table()
    for tier in ("starter", "growth"):
        for ref in table.tier(tier).models:
            if ref.provider == "openai":
                fake_llm.behaves(ref.model, words=WORDS, gap=0.05)
    given = {"OPENAI_API_KEY": "sk-fake", "OPENAI_BASE_URL": f"{fake_llm.url}/v1"}
    with running_site(tmp_path_factory.mktemp("slow"), **given) as site:
        yield site


async def test_stop_ends_the_answer_and_the_request_and_keeps_what_was_written(
    slow_site: Site, agent: Agent, workspace: Workspace, fake_llm: FakeLLM
) -> None:
    async with chatting(slow_site, agent) as chat:
        await chat.ask(QUESTION)
        start = await chat.until("start")
        written = [(await chat.until("token"))["text"] for _ in range(3)]
        await chat.send("stop", message=start["message"])
        end = await chat.until("end")

        assert end["stopped"] == "visitor"
        assert end["text"].startswith("".join(written).strip()[:20])
        assert len(end["text"].split()) < WORDS
    async with chatting(slow_site, agent, hello=False) as later:
        history = (await later.hello(**chat.again))["history"]
        assert history[-1]["text"] == end["text"]
    for _ in range(50):
        if fake_llm.requests[-1].end != "open":
            break
        await asyncio.sleep(0.1)
    assert fake_llm.requests[-1].end == "aborted"
    answer = await newest(workspace)
    assert answer.model.startswith("openai:")
    assert (answer.rung, answer.usage_estimated) == ("primary", True)
    assert answer.cost_micro_usd > 0
    assert float(answer.price["output"]) > 0
    assert [attempt["outcome"] for attempt in answer.receipt["attempts"]] == ["stopped"]
    assert answer.receipt["candidates"]


@sync_to_async
def newest(workspace: Workspace) -> Message:
    with in_tenant(workspace):
        return Message.objects.filter(author="ai").latest("created_at")


async def test_an_answer_goes_on_while_nobody_listens_and_the_rest_is_sent_on_return(
    slow_site: Site, agent: Agent
) -> None:
    async with chatting(slow_site, agent) as chat:
        await chat.ask(QUESTION)
        for _ in range(3):
            await chat.until("token")
        before = list(chat.numbered())
    async with chatting(slow_site, agent, hello=False) as returned:
        await returned.hello(**chat.again, last_seq=before[-1])
        end = await returned.until("end")

    tokens = [frame["text"] for frame in (*chat.seen, *returned.seen) if frame["type"] == "token"]
    numbers = before + returned.numbered()
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert "".join(tokens).strip() == end["text"].strip()


async def test_an_answer_survives_a_redis_that_forgets_everything(slow_site: Site, agent: Agent) -> None:
    async with chatting(slow_site, agent) as chat:
        await chat.ask(QUESTION)
        await chat.until("token")
        redis.Redis.from_url(settings.REDIS_URL).flushall()
        end = await chat.until("end")

    assert "stopped" not in end
    assert len(end["text"].split()) >= WORDS / 2
    assert chat.numbered() == sorted(set(chat.numbered()))
