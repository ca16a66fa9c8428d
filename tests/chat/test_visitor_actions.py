"""What a visitor does beside asking: reading on, seeing their conversations, a transcript, being forgotten."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from django.core import mail

from agents.models import Agent
from chat import conversations, notices, tasks
from chat.models import Conversation, Lead, Message, Visitor
from tenants.context import in_tenant, platform
from tenants.models import AuditEvent, User, Workspace
from tests.chat.visitor import Chat, chatting
from tests.plugins.processes import Site

pytestmark = pytest.mark.django_db(transaction=True)
QUESTION = "Can I return an item?"


def inside(workspace: Workspace, function: Any, *args: Any, **kwargs: Any) -> Any:
    with in_tenant(workspace):
        return function(*args, **kwargs)


def change(workspace: Workspace, agent: Agent, **fields: Any) -> None:
    with in_tenant(workspace):
        Agent.objects.filter(pk=agent.pk).update(**fields)


async def handled(chat: Chat) -> None:
    await chat.send("ping")
    await chat.until("pong")


def reply(workspace: Workspace, conversation: UUID, text: str) -> None:
    owner = User.objects.get()
    with in_tenant(workspace):
        frames = conversations.reply_as_human(conversation, user_id=owner.pk, name="Ada", text=text)
        notices.publish(conversation, frames)


async def test_what_was_not_read_is_counted_and_read_marks_clear_it(
    site: Site, agent: Agent, workspace: Workspace
) -> None:
    async with chatting(site, agent) as chat:
        await chat.answer(QUESTION)
        await sync_to_async(reply)(workspace, UUID(chat.welcome["conversation"]), "Hi, Ada here.")
        last = (await chat.until("message"))["seq"]
    async with chatting(site, agent, hello=False) as again:
        assert (await again.hello(**chat.again))["unread"] == 2
        await again.send("read", seq=last)
        await handled(again)
        assert (await again.hello(**chat.again))["unread"] == 0


async def test_a_read_mark_beyond_the_last_frame_counts_up_to_it_only(
    site: Site, agent: Agent, workspace: Workspace
) -> None:
    async with chatting(site, agent) as chat:
        end = await chat.answer(QUESTION)
        await chat.send("read", seq=2**50)
        await handled(chat)
    row = await sync_to_async(inside)(workspace, Conversation.objects.get)
    assert row.visitor_read_seq == end["seq"]


async def test_a_visitor_has_several_conversations_and_sees_only_their_own(site: Site, agent: Agent) -> None:
    async with chatting(site, agent) as chat, chatting(site, agent) as stranger:
        await stranger.answer("Where is the shop?")
        await chat.answer(QUESTION)
        first = chat.welcome
        await chat.hello(visitor=first["visitor"])
        assert chat.welcome["conversation"] != first["conversation"]
        await chat.answer("When do you open?")
        await chat.send("conversations")
        items = (await chat.until("conversations"))["items"]
        back = await chat.hello(visitor=first["visitor"], conversation=first["conversation"])
    assert [item["title"] for item in items] == ["When do you open?", QUESTION]
    assert items[1]["conversation"] == first["conversation"]
    assert items[1]["unread"] == 1
    assert back["history"][0]["text"] == QUESTION


async def test_the_transcript_goes_to_the_address_that_was_named(
    site: Site, agent: Agent, workspace: Workspace
) -> None:
    async with chatting(site, agent) as chat:
        await chat.answer(QUESTION)
        await chat.send("transcript", email="eve@example.org")
        assert (await chat.until("done"))["what"] == "transcript"
    mail.outbox.clear()
    await sync_to_async(tasks.mail_transcript)(
        str(workspace.id), chat.welcome["conversation"], "eve@example.org"
    )
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (["eve@example.org"], "Your chat with Ada")
    assert QUESTION in sent.body
    assert "30 days" in sent.body


@pytest.mark.parametrize("address", ["nonsense", "eve@example.org\r\nBcc: all@example.org", ""])
async def test_no_address_no_transcript(site: Site, agent: Agent, address: str) -> None:
    async with chatting(site, agent) as chat:
        await chat.answer(QUESTION)
        await chat.send("transcript", email=address)
        assert (await chat.until("error"))["code"] == "invalid"


async def test_transcripts_to_one_address_are_few(site: Site, agent: Agent) -> None:
    for _ in range(3):
        async with chatting(site, agent) as chat:
            await chat.answer(QUESTION)
            await chat.send("transcript", email="many@example.org")
            await chat.until("done")
    async with chatting(site, agent) as chat:
        await chat.answer(QUESTION)
        await chat.send("transcript", email="MANY@example.org")
        assert (await chat.until("error"))["code"] == "rate_limited"


async def test_where_transcripts_are_off_there_is_none(
    site: Site, agent: Agent, workspace: Workspace
) -> None:
    await sync_to_async(change)(workspace, agent, transcript_enabled=False)
    async with chatting(site, agent) as chat:
        await chat.answer(QUESTION)
        await chat.send("transcript", email="eve@example.org")
        assert (await chat.until("error"))["code"] == "not_allowed"


def left(workspace: Workspace) -> list[int]:
    with in_tenant(workspace):
        return [model.objects.count() for model in (Visitor, Conversation, Message, Lead)]


async def test_forget_deletes_everything_of_this_visitor_and_nothing_of_another(
    site: Site, agent: Agent, workspace: Workspace
) -> None:
    async with chatting(site, agent) as other, chatting(site, agent) as chat:
        await other.answer(QUESTION)
        kept = await sync_to_async(left)(workspace)
        await chat.answer(QUESTION)
        await chat.send("lead", fields={"email": "eve@example.org"})
        await chat.hello(visitor=chat.welcome["visitor"])
        await chat.answer("When do you open?")
        await chat.send("forget")
        done = await chat.until("done")
        assert await chat.close_code() == 4401
    assert await sync_to_async(left)(workspace) == kept
    event = await sync_to_async(_event)(done["receipt"])
    assert event.action == "visitor.erased"
    after = event.after or {}
    assert (after["conversations"], after["leads"], after["visitors"]) == (2, 1, 1)
    assert "eve" not in f"{event.actor}{event.subject}{event.before}{event.address}"


def _event(receipt: str) -> AuditEvent:
    with platform():
        return AuditEvent.objects.get(subject=receipt)


async def test_other_tabs_of_a_forgotten_visitor_are_let_go(site: Site, agent: Agent) -> None:
    async with chatting(site, agent) as chat, chatting(site, agent, hello=False) as tab:
        await chat.answer(QUESTION)
        await tab.hello(**chat.again)
        await chat.send("forget")
        assert await tab.close_code() == 4401
    async with chatting(site, agent, hello=False) as later:
        assert (await later.hello(**chat.again))["history"] == []


async def test_whether_it_helped_is_kept(site: Site, agent: Agent, workspace: Workspace) -> None:
    async with chatting(site, agent) as chat:
        await chat.answer(QUESTION)
        await chat.send("resolved", value=True)
        await chat.send("resolved", value="yes")
        assert (await chat.until("error"))["code"] == "invalid"
    assert (await sync_to_async(inside)(workspace, Conversation.objects.get)).resolved is True
