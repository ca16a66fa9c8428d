"""The floor that `make bench-chat` compares with: Channels under the same server, relaying and nothing else.

No database, no Redis, no retrieval, no protocol: each token of the provider is sent on as it comes.
`python -m daphne benchmarks.floor:application` with UPSTREAM set.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import django
from django.conf import settings

settings.configure(
    SECRET_KEY="floor",
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["channels"],
    CHANNEL_LAYERS={},
    DATABASES={},
    ROOT_URLCONF="benchmarks.floor",
)
django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402  after setup
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402


def healthy(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [path("healthz", healthy)]
PROMPT = {"role": "system", "content": "x" * 2000}
_sessions: list[aiohttp.ClientSession] = []


def _session() -> aiohttp.ClientSession:
    if not _sessions:
        _sessions.append(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
    return _sessions[0]


async def tokens(question: str) -> AsyncIterator[str]:
    """The provider's answer, token by token."""
    body = {"model": "fake", "stream": True, "messages": [PROMPT, {"role": "user", "content": question}]}
    async with _session().post(f"{os.environ['UPSTREAM']}/chat/completions", json=body) as response:
        async for line in response.content:
            if line.startswith(b"data: {"):
                choices = json.loads(line[6:])["choices"]
                if choices and choices[0]["delta"].get("content"):
                    yield choices[0]["delta"]["content"]


class Relay(AsyncWebsocketConsumer):
    """Sends every token as a frame of its own."""

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        frame: dict[str, Any] = json.loads(text_data or "{}")
        if frame["type"] == "hello":
            await self.send('{"type":"welcome","seq":0}')
            return
        async for token in tokens(frame["text"]):
            await self.send(json.dumps({"type": "token", "text": token}))
        await self.send('{"type":"end"}')


application = ProtocolTypeRouter(
    {
        "http": get_asgi_application(),
        "websocket": URLRouter([path("ws/<str:slug>/", Relay.as_asgi())]),
    }
)
