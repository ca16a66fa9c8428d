"""Where people come in: a visitor asks for one, leaves an address; the team takes over and hands back."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from asgiref.sync import sync_to_async
from django.core import mail
from django.db import connection, transaction

from agents.models import Agent
from chat import conversations, notices, tasks, turns
from chat.answering import Writing, answer
from chat.answers import Answer
from chat.conversations import Door
from chat.feed import feed
from chat.models import Conversation, Lead, Message, Outcome
from tenants.context import in_tenant, run_in_tenant
from tenants.models import Workspace
from tests.chat.visitor import Chat, chatting
from tests.plugins.processes import Site

pytestmark = pytest.mark.django_db(transaction=True)
ADA = uuid4()


def inside(workspace: Workspace, function: Any, *args: Any, **kwargs: Any) -> Any:
    with in_tenant(workspace):
        return function(*args, **kwargs)


async def handled(chat: Chat) -> None:
    await chat.send("ping")
    await chat.until("pong")


async def test_asking_for_a_person_waits_and_writes_to_the_team(
    site: Site, agent: Agent, workspace: Workspace
) -> None:
    async with chatting(site, agent) as chat:
        await chat.answer("Can I return an item?")
        await chat.send("lead", fields={"name": "Eve", "email": "eve@example.org"})
        await chat.send("handoff", reason="It is urgent")
        state = await chat.until("state")
        again = await chat.answer("Can I return an item?")
    assert state["state"] == "waiting"
    assert again["outcome"] == "answered"
    mail.outbox.clear()
    await sync_to_async(tasks.notify_handoff)(str(workspace.id), chat.welcome["conversation"])
    (sent,) = mail.outbox
    assert (sent.to, sent.reply_to) == (["team@acme.example"], ["eve@example.org"])
    assert "It is urgent" in sent.body
    assert "30 days" in sent.body


async def test_a_lead_is_kept_with_its_conversation(site: Site, agent: Agent, workspace: Workspace) -> None:
    async with chatting(site, agent) as chat:
        await chat.send("lead", fields={"email": "eve@example.org", "Order": "4711"})
        await handled(chat)
    lead = await sync_to_async(inside)(workspace, Lead.objects.get)
    assert (lead.email, lead.extra) == ("eve@example.org", {"Order": "4711"})
    assert str(lead.conversation_id) == chat.welcome["conversation"]


async def test_a_wrong_address_is_refused(site: Site, agent: Agent) -> None:
    async with chatting(site, agent) as chat:
        await chat.send("lead", fields={"email": "nonsense"})
        assert (await chat.until("error"))["code"] == "invalid"


async def test_a_person_takes_over_replies_and_hands_back(
    site: Site, agent: Agent, workspace: Workspace
) -> None:
    def reply() -> None:
        frames = conversations.reply_as_human(conversation, user_id=ADA, name="Ada", text="Hi, Ada here.")
        notices.publish(conversation, frames)

    async with chatting(site, agent) as chat:
        await chat.answer("Can I return an item?")
        conversation = UUID(chat.welcome["conversation"])
        await sync_to_async(inside)(workspace, reply)
        assert (await chat.until("state"))["state"] == "human"
        message = await chat.until("message")
        await chat.ask("Are you there?")
        await chat.until("ack")
        await sync_to_async(inside)(
            workspace, lambda: notices.publish(conversation, conversations.hand_back(conversation))
        )
        assert (await chat.next())["type"] == "state"
        end = await chat.answer("Can I return an item?")
    assert (message["author"]["name"], message["text"]) == ("Ada", "Hi, Ada here.")
    assert end["outcome"] == "answered"
    assert chat.numbered() == list(range(1, len(chat.numbered()) + 1))


def test_the_agent_never_talks_over_a_person(agent: Agent, workspace: Workspace) -> None:
    with in_tenant(workspace):
        accepted = turns.accept(Door(agent=agent), client_id=uuid4(), text="Hello there, shop", writer="me.1")
        assert accepted.turn is not None
        conversations.take_over(accepted.turn.conversation_id, user_id=ADA)
        late = Answer(text="The agent's words", outcome=Outcome.ANSWERED)
        stored = turns.store(accepted.turn, late, seq=0, shown={})
        answer = Message.objects.get(pk=accepted.turn.answer_id)
    assert stored is not None
    assert "The agent's words" not in answer.text
    assert answer.outcome == Outcome.HANDOFF


async def test_who_takes_over_before_the_agent_has_begun_is_not_talked_over(
    agent: Agent, workspace: Workspace
) -> None:
    question = "How long does standard delivery to Austria take?"
    accepted = await run_in_tenant(
        workspace, turns.accept, Door(agent=agent), client_id=uuid4(), text=question, writer="me.1"
    )
    assert accepted.turn is not None
    await run_in_tenant(workspace, conversations.take_over, accepted.turn.conversation_id, user_id=ADA)
    writing = Writing(turn=accepted.turn, feed=feed())
    try:
        stored = await answer(writing)
    finally:
        await feed().close()
    assert stored is not None
    assert stored.outcome == Outcome.HANDOFF
    assert (writing.text, writing.sent) == ("", "")


def test_an_answer_that_is_ready_while_somebody_takes_over_waits_and_is_dropped(
    agent: Agent, workspace: Workspace
) -> None:
    with in_tenant(workspace):
        accepted = turns.accept(Door(agent=agent), client_id=uuid4(), text="Hello there, shop", writer="me.1")
    assert accepted.turn is not None
    late = Answer(text="The agent's words", outcome=Outcome.ANSWERED)
    with ThreadPoolExecutor(1) as other, in_tenant(workspace):
        with transaction.atomic():
            conversations.take_over(accepted.turn.conversation_id, user_id=ADA)
            storing = other.submit(_stored_elsewhere, workspace, accepted.turn, late)
            with pytest.raises(TimeoutError):  # the row is locked until the person's step is committed
                storing.result(timeout=0.5)
        stored = storing.result(timeout=10)
    assert stored is not None
    assert stored.outcome == Outcome.HANDOFF
    assert "The agent's words" not in stored.text


def _stored_elsewhere(workspace: Workspace, turn: turns.Turn, answer: Answer) -> Answer | None:
    try:
        with in_tenant(workspace):
            return turns.store(turn, answer, seq=0, shown={})
    finally:
        connection.close()


def test_only_the_run_that_holds_the_lease_may_store(agent: Agent, workspace: Workspace) -> None:
    with in_tenant(workspace):
        accepted = turns.accept(Door(agent=agent), client_id=uuid4(), text="Hello there, shop", writer="me.1")
        assert accepted.turn is not None
        Message.objects.filter(pk=accepted.turn.answer_id).update(writer="somebody.else")
        late = Answer(text="Too late", outcome=Outcome.ANSWERED)
        assert turns.store(accepted.turn, late, seq=0, shown={}) is None
        assert turns.renew({accepted.turn.answer_id: "me.1"}) == set()


async def test_the_transcript_shows_where_the_visitor_was(
    site: Site, agent: Agent, workspace: Workspace, tmp_path: Path
) -> None:
    page = {"url": "https://shop.example/cart", "title": "Cart", "referrer": ""}
    async with chatting(site, agent, hello=False) as chat:
        await chat.hello(page=page, locale="de", context={"plan": "Pro"})
        end = await chat.answer("Who won the football world cup in 1954?")
    conversation = await sync_to_async(inside)(workspace, Conversation.objects.get)
    assert (conversation.page_url, conversation.context) == (page["url"], {"plan": "Pro"})
    assert re.search("keine Antwort", end["text"])
