"""The ASGI application: HTTP to Django, sockets to the chat.

Works under daphne, which knows no lifespan, and under uvicorn. What is slow to load is loaded in the
background when the process starts; when it is told to end, clients are sent elsewhere first.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "netvexa.settings")
_http = get_asgi_application()

# Only now are the apps ready to be imported.
from agents import providers  # noqa: E402
from chat.consumers import drain  # noqa: E402
from chat.feed import feed  # noqa: E402
from chat.protocol import Close  # noqa: E402
from chat.routing import websocket_urlpatterns  # noqa: E402
from knowledge import retrieval  # noqa: E402
from netvexa.body_limit import bound_daphne, bounded  # noqa: E402
from netvexa.lib.client import behind_proxies  # noqa: E402

logger = logging.getLogger(__name__)
_sockets = URLRouter(websocket_urlpatterns)
_begun = False
CLOSE_SECONDS = 10  # a client has so long to answer when it is told to go
MOST_UNSENT_BYTES = 256 * 1024  # of one socket, beside what the system's own buffers hold

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


OBJECTS_UNTIL_COLLECTION = 20_000  # Python's 700 spend a tenth of the processor time on looking for cycles


def _warm_up() -> None:
    """The embedding model and the vendors' clients, so that the first visitor does not wait for them."""
    try:
        retrieval.warm_up()
        providers.warm_up()
    except Exception:
        logger.exception("Warming up failed; the first answer will be slow, or will say what is wrong")
    gc.collect()
    gc.freeze()  # what is loaded by now stays: it need not be looked through again
    gc.set_threshold(OBJECTS_UNTIL_COLLECTION)


def _begin() -> None:
    """At the loop's first request."""
    global _begun
    if _begun:
        return
    _begun = True
    feed().lasting = True
    if "twisted.internet.reactor" in sys.modules and threading.current_thread() is threading.main_thread():
        _let_daphne_say_why_it_closes()
        _let_daphne_drop_slow_clients()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, lambda: asyncio.ensure_future(_drain_and_stop_daphne()))


def _let_daphne_say_why_it_closes() -> None:
    """Its WebSocket library takes no 1012 from an application, though it can send one, and resets after a second a
    connection whose client has not answered yet: over a slow line it would never read the code.
    """
    from daphne.ws_protocol import WebSocketProtocol

    usual = WebSocketProtocol.serverClose

    def server_close(self: Any, code: int | None = None) -> None:
        self.closeHandshakeTimeout = CLOSE_SECONDS
        if code == Close.RESTART:
            self.sendCloseFrame(code=code)
        else:
            usual(self, code)

    WebSocketProtocol.serverClose = server_close


def _let_daphne_drop_slow_clients() -> None:
    """It keeps whatever a client does not read. A client too far behind is cut off instead: it can resume. What would
    be said to one that is told to go is not sent.
    """
    from daphne.ws_protocol import WebSocketProtocol

    usual = WebSocketProtocol.serverSend

    def server_send(self: Any, content: str | bytes, binary: bool = False) -> None:
        if _unsent(self.transport) > MOST_UNSENT_BYTES:
            self.transport.abortConnection()
        elif self.state == self.STATE_OPEN:
            usual(self, content, binary)

    WebSocketProtocol.serverSend = server_send


def _unsent(transport: Any) -> int:
    """Bytes that a twisted transport holds back."""
    return int(len(transport.dataBuffer) - transport.offset + transport._tempDataLen)


async def _drain_and_stop_daphne() -> None:
    from twisted.internet import reactor

    try:
        await drain()
    finally:
        if reactor.running:
            reactor.stop()  # type: ignore[misc]  # twisted's reactor is a module to mypy


async def _http_begun(scope: Scope, receive: Receive, send: Send) -> None:
    _begin()
    await _http(scope, receive, send)  # type: ignore[arg-type]  # the same shapes by other names


async def _sockets_begun(scope: Scope, receive: Receive, send: Send) -> None:
    _begin()
    await _sockets(scope, receive, send)


async def _lifespan(_scope: Scope, receive: Receive, send: Send) -> None:
    """Start and end, where the server tells."""
    while True:
        told = await receive()
        if told["type"] == "lifespan.startup":
            _begin()
            await send({"type": "lifespan.startup.complete"})
        else:
            await drain()
            await send({"type": "lifespan.shutdown.complete"})
            return


bound_daphne()
application = behind_proxies(
    ProtocolTypeRouter({"http": bounded(_http_begun), "websocket": _sockets_begun, "lifespan": _lifespan})
)
threading.Thread(
    target=_warm_up, name="warm-up"
).start()  # not a daemon: ended half-way it aborts the process
