"""Who gets in, what is refused and how: bad frames, foreign workspaces, other sites, limits."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from pathlib import Path
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async

from agents.models import Agent
from chat.models import Conversation, Visitor
from tenants.context import in_tenant
from tenants.models import Workspace
from tests.chat.visitor import chatting
from tests.plugins.people import MakeWorkspace
from tests.plugins.processes import Site, running_site

pytestmark = pytest.mark.django_db(transaction=True)


async def test_an_unknown_type_is_an_error_and_the_socket_stays(site: Site, agent: Agent) -> None:
    async with chatting(site, agent) as chat:
        await chat.send("dance")
        assert (await chat.until("error"))["code"] == "invalid"
        await chat.send("ping")
        await chat.until("pong")


async def test_broken_json_is_an_error_and_repeated_closes_the_socket(site: Site, agent: Agent) -> None:
    async with chatting(site, agent) as chat:
        for _ in range(11):
            await chat.socket.send('{"type": "mess')
        assert (await chat.until("error"))["code"] == "invalid"
        assert await chat.close_code() == 4400


@pytest.mark.parametrize("frame", ["x" * 1_000_000, b"\x00\x01"], ids=["a frame of 1 MB", "a binary frame"])
async def test_what_is_no_frame_closes_the_socket(site: Site, agent: Agent, frame: str | bytes) -> None:
    async with chatting(site, agent) as chat:
        await chat.socket.send(frame)
        assert await chat.close_code() == 4400


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"client_id": "no uuid", "text": "Hi"}, "invalid"),
        ({"client_id": str(uuid4()), "text": "   "}, "invalid"),
        ({"client_id": str(uuid4()), "text": 7}, "invalid"),
        ({"client_id": str(uuid4()), "text": "x" * 4001}, "too_long"),
    ],
)
async def test_a_wrong_message_is_refused_in_words(
    site: Site, agent: Agent, fields: dict[str, object], code: str
) -> None:
    async with chatting(site, agent) as chat:
        await chat.send("message", **fields)
        error = await chat.until("error")
    assert error["code"] == code
    assert error["detail"].endswith(".")


async def test_a_message_before_hello_is_not_allowed(site: Site, agent: Agent) -> None:
    async with chatting(site, agent, hello=False) as chat:
        await chat.ask("Hi")
        assert (await chat.until("error"))["code"] == "not_allowed"


async def test_an_agent_of_another_workspace_is_not_there(
    site: Site, agent: Agent, other_workspace: Workspace
) -> None:
    async with chatting(site, agent, slug="rival", hello=False) as chat:
        assert await chat.close_code() == 4404


async def test_a_paused_agent_is_not_there(site: Site, agent: Agent, workspace: Workspace) -> None:
    await sync_to_async(_change)(workspace, agent, is_active=False)
    async with chatting(site, agent, hello=False) as chat:
        assert await chat.close_code() == 4404


def _change(workspace: Workspace, agent: Agent, **fields: object) -> None:
    with in_tenant(workspace):
        Agent.objects.filter(pk=agent.pk).update(**fields)


async def test_only_the_agents_own_sites_may_show_it(site: Site, agent: Agent, workspace: Workspace) -> None:
    await sync_to_async(_change)(workspace, agent, allowed_origins=["https://shop.example"])
    async with chatting(site, agent, hello=False, origin="https://evil.example") as chat:
        assert await chat.close_code() == 4403
    async with chatting(site, agent, origin="https://shop.example") as chat:
        assert chat.welcome["state"] == "bot"


async def test_a_preview_is_for_members_only(site: Site, agent: Agent) -> None:
    own = f"http://acme.localhost:{site.port}"
    async with chatting(site, agent, hello=False, query="?preview=1", origin=own) as chat:
        assert await chat.close_code() == 4403


async def test_a_forged_token_is_refused(site: Site, agent: Agent) -> None:
    async with chatting(site, agent, hello=False) as chat:
        await chat.send("hello", visitor="forged:token:here")
        assert await chat.close_code() == 4401


async def test_a_visitor_cannot_open_anothers_conversation(site: Site, agent: Agent) -> None:
    async with chatting(site, agent) as chat:
        await chat.answer("Can I return an item?")
        theirs = chat.welcome["conversation"]
    async with chatting(site, agent) as stranger:
        mine = stranger.welcome
    async with chatting(site, agent, hello=False) as nosy:
        welcome = await nosy.hello(visitor=mine["visitor"], conversation=theirs, last_seq=0)
    assert welcome["conversation"] != theirs
    assert welcome["history"] == []


async def test_a_site_can_vouch_for_its_user(site: Site, agent: Agent, workspace: Workspace) -> None:
    proof = hmac.new(agent.identity_secret.encode(), b"4711", hashlib.sha256).hexdigest()
    identity = {"user_id": "4711", "hash": proof, "name": "Ada Lovelace"}
    async with chatting(site, agent, hello=False) as chat:
        await chat.hello(identity=identity)
        await chat.answer("Can I return an item?")
    async with chatting(site, agent, hello=False) as elsewhere:
        welcome = await elsewhere.hello(identity=identity)
    assert welcome["conversation"] == chat.welcome["conversation"]
    assert await sync_to_async(_names)(workspace) == ["Ada Lovelace"]


def _names(workspace: Workspace) -> list[str]:
    with in_tenant(workspace):
        return list(Visitor.objects.values_list("name", flat=True))


async def test_a_false_proof_leaves_the_visitor_anonymous(site: Site, agent: Agent) -> None:
    async with chatting(site, agent, hello=False) as chat:
        await chat.send("hello", identity={"user_id": "4711", "hash": "0" * 64})
        assert (await chat.until("error"))["code"] == "not_allowed"
        assert (await chat.until("welcome"))["history"] == []


async def test_too_many_messages_are_told_to_wait(agent: Agent, tmp_path: Path) -> None:
    with running_site(tmp_path, NETVEXA_CHAT_MESSAGES_PER_MINUTE="2") as strict:
        async with chatting(strict, agent) as chat:
            for _ in range(3):
                await chat.ask("Hello")
            error = await chat.until("error")
    assert error["code"] == "rate_limited"
    assert error["retry_after"] >= 1
    assert error["client_id"]


async def test_a_socket_that_floods_is_told_to_wait_and_then_let_go(agent: Agent, tmp_path: Path) -> None:
    with running_site(tmp_path, NETVEXA_CHAT_MESSAGES_PER_MINUTE="3") as strict:
        async with chatting(strict, agent) as chat:
            for _ in range(60):
                await chat.send("ping")
            error = await chat.until("error")
            assert error["code"] == "rate_limited"
            assert error["retry_after"] >= 1
            assert await chat.close_code() == 4400


async def test_a_client_on_a_slow_line_is_told_why_it_is_let_go(agent: Agent, tmp_path: Path) -> None:
    with running_site(tmp_path, NETVEXA_CHAT_MESSAGES_PER_MINUTE="3") as strict:
        async with chatting(strict, agent) as chat:
            chat.socket.transport.pause_reading()
            for _ in range(60):
                await chat.send("ping")
            await asyncio.sleep(2.5)
            await chat.send("ping")
            chat.socket.transport.resume_reading()
            await chat.until("error")
            assert await chat.close_code() == 4400
        assert "Disconnected" not in strict.log.read_text()


async def test_too_many_sockets_of_one_address_are_refused(agent: Agent, tmp_path: Path) -> None:
    with running_site(tmp_path, NETVEXA_CHAT_SOCKETS_PER_ADDRESS="1") as strict:
        async with chatting(strict, agent), chatting(strict, agent, hello=False) as second:
            assert await second.close_code() == 4429


async def test_two_workspaces_at_once_keep_to_their_own(
    site: Site, agent: Agent, make_workspace: MakeWorkspace
) -> None:
    from tests.chat.visitor import agent_of

    rival = await sync_to_async(make_workspace)("rival")
    theirs = await sync_to_async(agent_of)(
        rival, text="# Delivery\n\nStandard delivery to Austria takes ninety days at the rival."
    )
    async with chatting(site, agent) as here, chatting(site, theirs, slug="rival") as there:
        question = "How long does standard delivery to Austria take?"
        for _ in range(3):
            await here.ask(question)
            await there.ask(question)
            assert "three to five" in (await here.until("end"))["text"]
            assert "ninety days" in (await there.until("end"))["text"]


async def test_a_conversation_that_ended_takes_no_more(
    site: Site, agent: Agent, workspace: Workspace
) -> None:
    async with chatting(site, agent) as chat:
        await chat.answer("Can I return an item?")
        await chat.send("end")
        assert (await chat.until("state"))["state"] == "closed"
        await chat.ask("One more thing")
        assert (await chat.until("error"))["code"] == "not_allowed"
    assert await sync_to_async(_states)(workspace) == ["closed"]


def _states(workspace: Workspace) -> list[str]:
    with in_tenant(workspace):
        return list(Conversation.objects.values_list("state", flat=True))
