"""Who a site says the visitor is: by hash, with an expiry, by JWT, and while a secret is exchanged."""

from __future__ import annotations

import hashlib
import hmac
import time
from datetime import timedelta
from typing import Any

import jwt
import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from agents.models import Agent
from chat.models import Visitor
from tenants.context import in_tenant
from tenants.models import Workspace
from tests.chat.visitor import chatting
from tests.plugins.processes import Site

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = 3600


def signed(agent: Agent, text: str) -> str:
    return hmac.new(agent.identity_secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def token(agent: Agent, *, secret: str = "", algorithm: str = "HS256", **claims: Any) -> dict[str, str]:
    whole = {"sub": "4711", "exp": int(time.time()) + HOUR, **claims}
    given = {key: value for key, value in whole.items() if value is not None}
    return {"token": jwt.encode(given, secret or agent.identity_secret, algorithm=algorithm)}


def names(workspace: Workspace) -> list[tuple[str, str]]:
    with in_tenant(workspace):
        return list(Visitor.objects.values_list("external_id", "name"))


async def welcomed(site: Site, agent: Agent, identity: dict[str, Any]) -> bool:
    async with chatting(site, agent, hello=False) as chat:
        return bool((await chat.hello(identity=identity))["identified"])


async def test_a_jwt_vouches_with_name_and_address(site: Site, agent: Agent, workspace: Workspace) -> None:
    assert await welcomed(site, agent, token(agent, name="Ada Lovelace", email="ada@example.org"))
    assert await sync_to_async(names)(workspace) == [("4711", "Ada Lovelace")]


@pytest.mark.filterwarnings("ignore:The HMAC key is")  # of HS384, which is what is to be refused
@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1_000_000_000},
        {"exp": None},
        {"sub": None},
        {"exp": int(time.time()) + 48 * HOUR},
        {"secret": "another secret that is long enough for any of the algorithms in question here"},
        {"algorithm": "HS384"},
    ],
    ids=["expired", "no expiry", "no user", "too long", "wrong secret", "another algorithm"],
)
async def test_a_jwt_that_proves_nothing_leaves_the_visitor_a_stranger(
    site: Site, agent: Agent, workspace: Workspace, claims: dict[str, Any]
) -> None:
    assert not await welcomed(site, agent, token(agent, **claims))
    assert await sync_to_async(names)(workspace) == []


async def test_an_unsigned_jwt_is_refused(site: Site, agent: Agent) -> None:
    bare = jwt.encode({"sub": "4711", "exp": int(time.time()) + HOUR}, "", algorithm="none")
    assert not await welcomed(site, agent, {"token": bare})


async def test_a_hash_may_expire(site: Site, agent: Agent) -> None:
    soon, past = int(time.time()) + HOUR, int(time.time()) - HOUR
    for expires, good in ((soon, True), (past, False)):
        identity = {"user_id": "4711", "expires": expires, "hash": signed(agent, f"4711.{expires}")}
        assert await welcomed(site, agent, identity) is good


async def test_an_expiry_cannot_be_put_off_or_left_out(site: Site, agent: Agent) -> None:
    expires = int(time.time()) + HOUR
    proof = signed(agent, f"4711.{expires}")
    assert not await welcomed(site, agent, {"user_id": "4711", "expires": expires + HOUR, "hash": proof})
    assert not await welcomed(site, agent, {"user_id": "4711", "hash": proof})


async def test_the_old_secret_holds_until_its_end(site: Site, agent: Agent, workspace: Workspace) -> None:
    old = token(agent)
    now = timezone.now()
    for until, good in ((now + timedelta(hours=1), True), (now - timedelta(hours=1), False)):
        await sync_to_async(_exchange)(workspace, agent, until)
        assert await welcomed(site, agent, old) is good


def _exchange(workspace: Workspace, agent: Agent, until: Any) -> None:
    with in_tenant(workspace):
        Agent.objects.filter(pk=agent.pk).update(
            identity_secret="a new secret that is long enough for it",
            retired_secret=agent.identity_secret,
            retired_secret_until=until,
        )


async def test_what_was_asked_before_logging_in_becomes_the_users_own(
    site: Site, agent: Agent, workspace: Workspace
) -> None:
    async with chatting(site, agent, hello=False) as elsewhere:
        await elsewhere.hello(identity=token(agent))
        await elsewhere.answer("When do you open?")
    async with chatting(site, agent) as chat:
        await chat.answer("Can I return an item?")
        welcome = await chat.hello(**chat.again, identity=token(agent))
        await chat.send("conversations")
        items = (await chat.until("conversations"))["items"]
    assert welcome["history"][0]["text"] == "Can I return an item?"
    assert len(items) == 2
    assert await sync_to_async(names)(workspace) == [("4711", "")]


async def test_another_users_conversation_stays_theirs(site: Site, agent: Agent) -> None:
    async with chatting(site, agent, hello=False) as chat:
        await chat.hello(identity=token(agent))
        await chat.answer("Can I return an item?")
        welcome = await chat.hello(**chat.again, identity=token(agent, sub="4712"))
        await chat.send("conversations")
        assert (await chat.until("conversations"))["items"] == []
    assert welcome["history"] == []
