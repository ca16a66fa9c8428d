"""A conversation's page on the team's side: who may watch, and what goes to and fro beside messages."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.test import Client
from websockets.asyncio.client import connect
from websockets.typing import Origin

from agents.models import Agent
from chat import erasure
from chat.models import Conversation
from tenants.context import in_tenant
from tenants.models import Role, User, Workspace
from tests.chat.visitor import Chat, chatting
from tests.plugins.people import add_member, client_of
from tests.plugins.processes import Site

pytestmark = pytest.mark.django_db(transaction=True)
QUESTION = "Can I return an item?"


def session_of(workspace: Workspace, email: str, role: Role | None = None) -> str:
    """The cookie of a person who is logged in at the workspace's host."""
    user = add_member(workspace, email, role) if role else User.objects.get(email=email)
    client: Client = client_of(workspace, user)
    return str(client.cookies[settings.SESSION_COOKIE_NAME].value)


@asynccontextmanager
async def watching(
    site: Site, conversation: str, session: str, *, slug: str = "acme", origin: str = ""
) -> AsyncIterator[Chat]:
    """A member's page of this conversation."""
    address = f"ws://{slug}.localhost:{site.port}/ws/v1/team/{conversation}/"
    headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session}"}
    own = Origin(origin or f"http://{slug}.localhost:{site.port}")
    async with connect(
        address, host="127.0.0.1", port=site.port, origin=own, additional_headers=headers, open_timeout=20
    ) as socket:
        yield Chat(socket)


async def handled(chat: Chat) -> None:
    await chat.send("ping")
    await chat.until("pong")


def row(workspace: Workspace) -> Conversation:
    with in_tenant(workspace):
        return Conversation.objects.get()


async def test_typing_and_reading_show_on_the_other_side(
    site: Site, agent: Agent, workspace: Workspace
) -> None:
    session = await sync_to_async(session_of)(workspace, "owner@acme.example")
    async with chatting(site, agent) as chat:
        end = await chat.answer(QUESTION)
        async with watching(site, chat.welcome["conversation"], session) as page:
            await page.until("ready")
            await chat.send("typing")
            assert (await page.until("typing"))["author"] == {"kind": "visitor"}
            await chat.send("read", seq=end["seq"])
            assert (await page.until("read"))["seq"] == end["seq"]
            await page.send("typing")
            assert (await chat.until("typing"))["author"] == {"kind": "human", "name": "owner"}
            await page.send("read", seq=2**40)
            assert (await chat.until("read"))["seq"] == end["seq"]
    now = await sync_to_async(row)(workspace)
    assert (now.visitor_read_seq, now.team_read_seq) == (end["seq"], end["seq"])


async def test_the_page_hears_an_answer_as_it_is_written(
    site: Site, agent: Agent, workspace: Workspace
) -> None:
    session = await sync_to_async(session_of)(workspace, "owner@acme.example")
    async with chatting(site, agent) as chat:
        await chat.answer(QUESTION)
        async with watching(site, chat.welcome["conversation"], session) as page:
            await page.until("ready")
            shown = await chat.answer("When do you open?")
            await page.until("ack")
            await page.until("start")
            assert await page.until("end") == shown


async def test_a_visitor_never_hears_what_is_for_the_team(
    site: Site, agent: Agent, workspace: Workspace
) -> None:
    async with chatting(site, agent) as chat, chatting(site, agent, hello=False) as tab:
        await chat.answer(QUESTION)
        await tab.hello(**chat.again)
        await chat.send("typing")
        await chat.send("read", seq=1)
        await handled(chat)
        await handled(tab)
    assert {frame["type"] for frame in tab.seen} == {"welcome", "pong"}


async def test_a_viewer_watches_without_leaving_a_mark(
    site: Site, agent: Agent, workspace: Workspace
) -> None:
    session = await sync_to_async(session_of)(workspace, "viewer@acme.example", Role.VIEWER)
    async with chatting(site, agent) as chat:
        end = await chat.answer(QUESTION)
        async with watching(site, chat.welcome["conversation"], session) as page:
            await page.until("ready")
            await page.send("read", seq=end["seq"])
            await page.send("typing")
            await handled(page)
    assert (await sync_to_async(row)(workspace)).team_read_seq == 0


async def test_strangers_and_pages_of_other_sites_are_kept_out(
    site: Site, agent: Agent, workspace: Workspace, other_workspace: Workspace
) -> None:
    owner = await sync_to_async(session_of)(workspace, "owner@acme.example")
    rival = await sync_to_async(session_of)(other_workspace, "owner@rival.example")
    async with chatting(site, agent) as chat:
        await chat.answer(QUESTION)
        conversation = chat.welcome["conversation"]
    entries: list[dict[str, Any]] = [
        {"session": "nonsense"},
        {"session": rival},
        {"session": owner, "origin": "https://evil.example"},
    ]
    for entry in entries:
        async with watching(site, conversation, **entry) as page:
            assert await page.close_code() == 4403
    async with watching(site, conversation, rival, slug="rival") as page:
        assert await page.close_code() == 4404


async def test_what_is_no_frame_ends_the_socket(site: Site, agent: Agent, workspace: Workspace) -> None:
    session = await sync_to_async(session_of)(workspace, "owner@acme.example")
    async with chatting(site, agent) as chat:
        await chat.answer(QUESTION)
        async with watching(site, chat.welcome["conversation"], session) as page:
            await page.until("ready")
            await page.socket.send("{")
            assert await page.close_code() == 4400


async def test_a_deleted_conversation_tells_both_sides(
    site: Site, agent: Agent, workspace: Workspace
) -> None:
    def delete() -> None:
        with in_tenant(workspace):
            erasure.delete_conversations([Conversation.objects.get().pk])

    session = await sync_to_async(session_of)(workspace, "owner@acme.example")
    async with chatting(site, agent) as chat:
        await chat.answer(QUESTION)
        async with watching(site, chat.welcome["conversation"], session) as page:
            await page.until("ready")
            await sync_to_async(delete)()
            await page.until("gone")
            assert await chat.close_code() == 4401
    assert "gone" not in json.dumps(chat.seen)
