"""A repeated question over a real socket: the same answer object, streamed, marked, at no cost."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async

from agents.models import Agent
from chat.models import CachedAnswer, Message, SpendingDay
from tenants.context import in_tenant
from tenants.models import Workspace
from tests.chat.visitor import chatting
from tests.plugins.processes import Site

pytestmark = pytest.mark.django_db(transaction=True)


@sync_to_async
def kept(workspace: Workspace) -> list[CachedAnswer]:
    with in_tenant(workspace):
        return list(CachedAnswer.objects.all())


async def test_the_second_visitor_gets_the_same_answer_from_the_cache(
    site: Site, agent: Agent, workspace: Workspace
) -> None:
    async with chatting(site, agent) as one:
        first = await one.answer("How long does standard delivery to Austria take?")
        await one.answer("Hello!")  # the answer is kept by now
    async with chatting(site, agent) as other:
        second = await other.answer("How long does the standard delivery to Austria take?")
        await other.answer("Hello!")  # the hit is counted by now
    assert (first["cached"], second["cached"]) == (False, True)
    assert (second["text"], second["citations"]) == (first["text"], first["citations"])
    words = [f["text"] for f in other.seen if f["type"] == "token" and f["message"] == second["message"]]
    assert "".join(words) == second["text"]
    assert [entry.hits for entry in await kept(workspace)] == [1]


@sync_to_async
def booked(workspace: Workspace) -> tuple[SpendingDay, str]:
    with in_tenant(workspace):
        return SpendingDay.objects.get(), Message.objects.filter(cached=True).get().rung


async def test_the_day_counts_answers_and_those_from_the_cache(
    site: Site, agent: Agent, workspace: Workspace
) -> None:
    for _ in range(2):
        async with chatting(site, agent) as chat:
            await chat.answer("Can I return an item?")
            await chat.answer("Thanks!")
    day, rung = await booked(workspace)
    assert (day.answers, day.cached, rung) == (4, 1, "cached")
