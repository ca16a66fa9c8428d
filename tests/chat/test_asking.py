"""A visitor asks over a real socket and gets a streamed, cited answer."""

from __future__ import annotations

import asyncio
import re
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async

from agents.models import Agent
from billing.models import UsageBucket, UsageEntry, UsageState
from chat.models import Conversation, Message
from tenants.context import in_tenant
from tenants.models import Workspace
from tests.chat.visitor import Chat, chatting
from tests.plugins.processes import Site

pytestmark = pytest.mark.django_db(transaction=True)


@sync_to_async
def stored(workspace: Workspace) -> list[Message]:
    with in_tenant(workspace):
        return list(Message.objects.order_by("ordinal"))


@sync_to_async
def ledger(workspace: Workspace) -> list[str]:
    with in_tenant(workspace):
        return list(UsageEntry.objects.order_by("created_at").values_list("state", flat=True))


async def test_an_answer_streams_and_ends_with_its_citations(site: Site, agent: Agent) -> None:
    async with chatting(site, agent) as chat:
        end = await chat.answer("How long does standard delivery to Austria take?")
    kinds = [frame["type"] for frame in chat.seen]
    assert kinds[:3] == ["welcome", "ack", "start"]
    assert "".join(f["text"] for f in chat.seen if f["type"] == "token") == end["text"]
    assert "three to five working days" in end["text"]
    assert end["citations"][0]["title"] == "Help of the shop"
    assert end["citations"][0]["heading"].endswith("The shop's help")
    assert end["grounded"]
    assert {int(n) for n in re.findall(r"\[(\d+)\]", end["text"])} == {c["n"] for c in end["citations"]}


async def test_the_frames_of_a_conversation_are_numbered_one_by_one(site: Site, agent: Agent) -> None:
    async with chatting(site, agent) as chat:
        await chat.answer("Can I return an item?")
        await chat.answer("When is the shop open?")
    assert chat.numbered() == list(range(1, len(chat.numbered()) + 1))


async def test_the_answer_is_stored_and_its_usage_settled(
    site: Site, agent: Agent, workspace: Workspace
) -> None:
    async with chatting(site, agent) as chat:
        end = await chat.answer("How long does standard delivery to Austria take?")
    question, answer = await stored(workspace)
    assert (answer.text, answer.citations) == (end["text"], end["citations"])
    assert (answer.state, answer.outcome, answer.lease_until) == ("complete", "answered", None)
    assert question.seq == 1
    assert await ledger(workspace) == [UsageState.RESERVED, UsageState.SETTLED]


async def test_too_thin_evidence_abstains_and_offers_ways_on(site: Site, agent: Agent) -> None:
    async with chatting(site, agent) as chat:
        end = await chat.answer("Who won the football world cup in 1954?")
    assert end["outcome"] == "abstained"
    assert not end["citations"]
    assert "in other words" in end["text"]
    assert "e-mail" in end["text"]


async def test_a_greeting_is_answered_as_one(site: Site, agent: Agent) -> None:
    async with chatting(site, agent) as chat:
        end = await chat.answer("Hello!")
    assert end["outcome"] == "clarify"


async def test_the_same_message_twice_is_stored_once_and_acknowledged_twice(
    site: Site, agent: Agent, workspace: Workspace
) -> None:
    client_id = str(uuid4())
    async with chatting(site, agent) as chat:
        await chat.ask("Can I return an item?", client_id)
        await chat.until("end")
        await chat.ask("Can I return an item?", client_id)
        again = await chat.until("ack")
    assert again["seq"] == 1
    assert [message.author for message in await stored(workspace)] == ["visitor", "ai"]


async def test_the_same_message_over_two_sockets_at_once_is_stored_once(
    site: Site, agent: Agent, workspace: Workspace
) -> None:
    client_id = str(uuid4())
    async with chatting(site, agent) as one:
        await one.answer("Hello")
        async with chatting(site, agent, hello=False) as other:
            await other.hello(**one.again)
            await asyncio.gather(*(tab.ask("Can I return an item?", client_id) for tab in (one, other)))
            await asyncio.gather(*(tab.until("end") for tab in (one, other)))
    assert [message.author for message in await stored(workspace)] == ["visitor", "ai"] * 2


async def test_a_used_up_quota_is_said_plainly_and_nothing_is_stored(
    site: Site, agent: Agent, workspace: Workspace
) -> None:
    await _use_up(workspace)
    async with chatting(site, agent) as chat:
        await chat.ask("Can I return an item?")
        error = await chat.until("error")
    assert error["code"] == "quota_exceeded"
    assert "plan" not in error["detail"]
    assert await stored(workspace) == []


@sync_to_async
def _use_up(workspace: Workspace) -> None:
    from datetime import date

    from django.utils import timezone

    with in_tenant(workspace):
        month: date = timezone.now().date().replace(day=1)
        UsageBucket.objects.create(workspace=workspace, kind="answers", period=month, used=10**6)


async def test_nothing_is_made_by_merely_opening_the_widget(
    site: Site, agent: Agent, workspace: Workspace
) -> None:
    async with chatting(site, agent) as chat:
        assert chat.welcome["state"] == "bot"
        assert chat.welcome["agent"]["name"] == "Ada"
    assert await sync_to_async(_conversations)(workspace) == 0


def _conversations(workspace: Workspace) -> int:
    with in_tenant(workspace):
        return Conversation.objects.count()


async def test_a_follow_up_is_understood_from_the_question_before(site: Site, agent: Agent) -> None:
    async with chatting(site, agent) as chat:
        await chat.answer("How long does standard delivery to Austria take?")
        end = await chat.answer("And express?")
    assert end["outcome"] == "answered"
    assert "Help of the shop" in {citation["title"] for citation in end["citations"]}


async def test_feedback_and_rating_are_kept(site: Site, agent: Agent, workspace: Workspace) -> None:
    async with chatting(site, agent) as chat:
        end = await chat.answer("Can I return an item?")
        await chat.send("feedback", message=end["message"], value=-1, comment="Too long")
        await chat.send("rating", score=4)
        await _handled(chat)
    _, answer = await stored(workspace)
    assert (answer.feedback, answer.feedback_comment) == (-1, "Too long")


async def _handled(chat: Chat) -> None:
    """Frames are handled in order, so a pong comes after everything before it."""
    await chat.send("ping")
    await chat.until("pong")
