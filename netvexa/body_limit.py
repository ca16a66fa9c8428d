"""How large the body of a request may be; more is refused before it is kept anywhere.

Three places, since no one of them sees enough: daphne collects a body in a file before it calls us, so there
the excess is thrown away as it arrives; any other server's stream is cut here; and the refusal itself, with a
page or JSON, is `netvexa.middleware.BodyLimitMiddleware`'s.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings

FORM_OVERHEAD = 1024 * 1024  # what may stand around a file: field names, boundaries, other fields

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def most_bytes() -> int:
    """The largest body that any request may have, in bytes."""
    return int(settings.MAX_UPLOAD_BYTES) + FORM_OVERHEAD


def bounded(application: Application) -> Application:
    """The same application, which is handed no more than `most_bytes` of a body."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        is_too_long = _declared(scope) > most_bytes()
        await application(scope, _no_body if is_too_long else _cut(receive), send)

    return guarded


def _declared(scope: Scope) -> int:
    value = dict(scope["headers"]).get(b"content-length", b"")
    return int(value) if value.isdigit() else 0


async def _no_body() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


def _cut(receive: Receive) -> Receive:
    """A body of undeclared length ends the request when it goes on too long, as a client's leaving does."""
    received = 0

    async def counted() -> dict[str, Any]:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        return message if received <= most_bytes() else {"type": "http.disconnect"}

    return counted


def bound_daphne() -> None:
    """Let daphne throw away what is too much, instead of filling the disk with it. Does nothing elsewhere."""
    if "daphne.http_protocol" not in sys.modules:
        return
    from daphne.http_protocol import WebRequest

    keep = WebRequest.handleContentChunk

    def handle_content_chunk(self: Any, data: bytes) -> None:
        self.body_bytes = getattr(self, "body_bytes", 0) + len(data)
        if self.body_bytes <= most_bytes():
            keep(self, data)
        else:  # a body that came in chunks declared no length: the middleware reads this one
            self.requestHeaders.setRawHeaders(b"content-length", [str(self.body_bytes).encode()])

    WebRequest.handleContentChunk = handle_content_chunk
