"""Each frame a visitor can say, with another workspace's ids; each socket, at the wrong host; what Redis keeps."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from redis import Redis
from websockets.exceptions import ConnectionClosed

from chat.protocol import Close
from tests.chat.test_team_socket import watching
from tests.chat.visitor import chatting
from tests.isolation import surface
from tests.isolation.registry import FRAMES, REDIS_KEYS, SOCKETS
from tests.isolation.world import World, digest_of, make_world
from tests.plugins.people import client_of
from tests.plugins.processes import Site

pytestmark = pytest.mark.django_db(transaction=True)


@sync_to_async
def two_worlds() -> tuple[World, World]:
    return make_world("acme"), make_world("rival")


def test_every_frame_and_socket_is_tried() -> None:
    unknown = (surface.frames() - FRAMES.keys()) | (surface.sockets() - SOCKETS)

    assert not unknown, f"Add {sorted(unknown)} to FRAMES or SOCKETS of tests/isolation/registry.py."


async def test_no_frame_reaches_another_workspace(site: Site) -> None:
    own, victim = await two_worlds()
    before = await sync_to_async(digest_of)(victim)

    heard = [await said(site, own, kind, fields(victim)) for kind, fields in FRAMES.items()]

    assert len(heard) == len(FRAMES)
    assert all(secret not in str(heard) for secret in victim.secrets().values())
    assert await sync_to_async(digest_of)(victim) == before
    assert await sync_to_async(strange_keys)(own) == []


async def said(site: Site, own: World, kind: str, fields: dict[str, Any]) -> list[Any]:
    """What comes back on the own socket for this frame, up to the answer of a ping or the end."""
    heard: list[Any] = []
    async with chatting(site, own.agent, hello=False) as chat:
        try:
            if kind != "hello":
                await chat.hello()
            await chat.send(kind, **fields)
            await chat.send("ping")
            while (frame := await chat.next())["type"] != "pong":
                heard.append(frame)
        except ConnectionClosed as closed:
            heard.append(str(closed))
    return heard


def strange_keys(own: World) -> list[str]:
    """Keys in Redis that no line of the registry explains."""
    key = re.escape(own.workspace.key)
    known = [re.compile(pattern.format(key=key)) for pattern in REDIS_KEYS]
    found = [name.decode() for name in Redis.from_url(settings.REDIS_URL).scan_iter()]
    assert any(own.workspace.key in name for name in found)
    return [name for name in found if not any(one.fullmatch(name) for one in known)]


async def test_sockets_do_not_open_across_workspaces(site: Site) -> None:
    own, victim = await two_worlds()
    session = await sync_to_async(session_of)(own)
    closed = []

    async with chatting(site, victim.agent, hello=False) as chat:  # their agent at the own host
        closed.append(await chat.close_code())
    async with chatting(
        site, victim.agent, slug="rival", hello=False
    ) as chat:  # the own token at their agent
        await chat.socket.send(json.dumps({"type": "hello", "visitor": own.visitor_token}))
        closed.append(await chat.close_code())
    for slug in ("acme", "rival"):
        async with watching(site, str(victim.ids["conversation"]), session, slug=slug) as page:
            closed.append(await page.close_code())

    assert closed[:2] == [Close.NO_AGENT, Close.BAD_TOKEN]
    assert set(closed[2:]) <= {Close.NO_AGENT, Close.ORIGIN, Close.BAD_TOKEN}


def session_of(world: World) -> str:
    return str(client_of(world.workspace, world.user).cookies[settings.SESSION_COOKIE_NAME].value)
