"""A visitor over a real socket, and an agent that knows a little shop's terms."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from agents.models import Agent
from knowledge import documents, ingest
from knowledge.models import Document
from tenants.context import in_tenant
from tenants.models import Workspace
from tests.plugins.processes import Site

SHOP = """# The shop's help

## Delivery

Standard delivery to Austria takes three to five working days. Express delivery takes one working day.

## Returns

You can return any item within 30 days of delivery. The refund arrives on the card that you paid with.

## Opening hours

The shop in Graz is open from nine to six on weekdays and closed on Sundays.
"""
Frame = dict[str, Any]
PATIENCE_SECONDS = 60  # a server that says nothing for so long says nothing any more


def agent_of(workspace: Workspace, *, text: str = SHOP, **fields: Any) -> Agent:
    with in_tenant(workspace):
        agent: Agent = Agent.objects.create(**{"name": "Ada", "contact_email": "team@acme.example", **fields})
        documents.add_text(agent, title="Help of the shop", text=text)
        for document in Document.objects.filter(source__agent=agent):
            ingest.ingest(document.pk)
        return agent


class Chat:
    """A visitor's end of a socket: says frames, reads frames."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.welcome: Frame = {}
        self.seen: list[Frame] = []

    async def send(self, kind: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def next(self) -> Frame:
        async with asyncio.timeout(PATIENCE_SECONDS):
            frame: Frame = json.loads(await self.socket.recv())
        self.seen.append(frame)
        return frame

    async def until(self, kind: str) -> Frame:
        """Read on to the next frame of this type."""
        while (frame := await self.next())["type"] != kind:
            pass
        return frame

    async def hello(self, **fields: Any) -> Frame:
        await self.send("hello", **fields)
        self.welcome = await self.until("welcome")
        return self.welcome

    async def ask(self, text: str, client_id: str = "") -> None:
        await self.send("message", client_id=client_id or str(uuid4()), text=text)

    async def answer(self, text: str) -> Frame:
        """Ask and read up to the end of the answer."""
        await self.ask(text)
        return await self.until("end")

    def numbered(self) -> list[int]:
        """The numbers of the displayed frames, as they came."""
        return [frame["seq"] for frame in self.seen if "seq" in frame and frame["type"] != "welcome"]

    async def close_code(self) -> int | None:
        """Read on to the end: a client that stops reading never hears why."""
        with suppress(ConnectionClosed):
            while True:
                await self.next()
        return self.socket.close_code

    @property
    def again(self) -> dict[str, Any]:
        """What a returning client says."""
        return {"visitor": self.welcome["visitor"], "conversation": self.welcome["conversation"]}


@asynccontextmanager
async def chatting(site: Site, agent: Agent, *, slug: str = "acme", **options: Any) -> AsyncIterator[Chat]:
    """An open socket to this agent; `hello=False` leaves the first frame to the test."""
    say_hello = options.pop("hello", True)
    path = options.pop("query", "")
    address = site.socket_url(slug, agent.public_id) + path
    async with connect(address, host="127.0.0.1", port=site.port, open_timeout=20, **options) as socket:
        chat = Chat(socket)
        if say_hello:
            await chat.hello()
        yield chat
