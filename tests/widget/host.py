"""A small host that speaks protocol v1 over real HTTP and WebSocket, and does what a test tells it to.

It runs in a thread of its own. The widget under test cannot tell it from the product: conversations have
histories and event logs, frames carry `seq`, a resume replays what was missed. What the product would do by
itself (write an answer, join as a person) the test does through `Host`, at the moment it wants it.
"""

from __future__ import annotations

import asyncio
import base64
import json
import mimetypes
import threading
import time
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

BUILT = Path(__file__).resolve().parents[2] / "static" / "widget" / "v1"
AGENT = "nv_demo_agent"
PICTURE = "/picture.png"
# A picture of 60 by 40 pixels.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAADwAAAAoCAIAAAAt2Q6oAAAAQ0lEQVR42u3OoQ0AMAgAMPzEPkVyzr6c5woESZMe0LiV64S0tLS0"
    "tLS0tLS0tLT0SPq/s460tLS0tLS0tLS0tLT0iAa8tAhlmblCNAAAAABJRU5ErkJggg=="
)
T = TypeVar("T")
Frame = dict[str, Any]

CONFIG: Frame = {
    "agent_id": AGENT,
    "name": "Ada",
    "greeting": "Hi, I am Ada. What would you like to know?",
    "suggestions": ["How do refunds work?", "Where is my parcel?"],
    "theme": {"colour": "#4f46e5", "position": "right", "radius": 18},
    "leads": {"when": "offer", "consent": "We use your details to answer you, and for nothing else."},
    "handoff": True,
}


@dataclass
class Conversation:
    id: str
    visitor: str
    state: str = "bot"
    log: list[Frame] = field(default_factory=list)
    history: list[Frame] = field(default_factory=list)
    sockets: set[ServerConnection] = field(default_factory=set)

    @property
    def seq(self) -> int:
        return len(self.log)


class Host:
    """The fake host; every public method may be called from the test's thread."""

    built = BUILT

    def __init__(self) -> None:
        self.config: Frame = json.loads(json.dumps(CONFIG))
        self.conversations: dict[str, Conversation] = {}
        self.received: list[Frame] = []
        self.requests: list[str] = []
        self.on_message: Callable[[Conversation, Frame], None] | None = None
        self.duplicate = False
        self.withhold_ack = False
        self.refuse: int | None = None
        self.error_for_next: Frame | None = None
        self.unread: int | None = None
        self.handshakes = 0
        self._loop = asyncio.new_event_loop()
        self._server: Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    # Life

    def start(self) -> None:
        self._thread.start()
        self._server = self._call(self._serve())
        self.port: int = next(iter(self._server.sockets)).getsockname()[1]
        self.origin = f"http://127.0.0.1:{self.port}"
        self.config["socket"] = f"ws://127.0.0.1:{self.port}/ws/v1/chat/{AGENT}/"

    def stop(self) -> None:
        server = self._server
        assert server is not None
        server.close(close_connections=True)
        self._call(server.wait_closed())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        self._loop.close()

    async def _serve(self) -> Server:
        return await serve(self._talk, "127.0.0.1", 0, process_request=self._respond, max_size=16 * 1024)

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)

    # What a test makes happen

    @property
    def conversation(self) -> Conversation:
        return list(self.conversations.values())[-1]

    def publish(self, frame: Frame) -> Frame:
        """Number a frame, put it in the log and send it to every socket of the latest conversation."""
        return self._call(self._publish(self.conversation, frame))

    def start_answer(self) -> str:
        message = f"a{uuid.uuid4().hex[:8]}"
        self.publish({"type": "start", "message": message})
        return message

    def token(self, message: str, text: str) -> None:
        self.publish({"type": "token", "message": message, "text": text})

    def end_answer(self, message: str, text: str, **more: Any) -> None:
        self.publish(
            {
                "type": "end",
                "message": message,
                "text": text,
                "citations": [],
                "cached": False,
                "grounded": True,
            }
            | more
        )

    def answer(self, text: str, *, size: int = 12, **more: Any) -> str:
        """A whole answer in pieces of `size` characters."""
        message = self.start_answer()
        for at in range(0, len(text), size):
            self.token(message, text[at : at + size])
        self.end_answer(message, text, **more)
        return message

    def say(self, text: str, *, name: str = "Grace", avatar: str | None = None, **more: Any) -> None:
        author = {"kind": "human", "name": name} | ({"avatar": avatar} if avatar else {})
        self.publish({"type": "message", "message": uuid.uuid4().hex, "author": author, "text": text} | more)

    def see(self) -> None:
        """Somebody of the team has seen everything."""
        self.send_raw({"type": "read", "seq": self.conversation.seq})

    def set_state(self, state: str) -> None:
        self.conversation.state = state
        self.publish({"type": "state", "state": state})

    def send_raw(self, frame: Frame) -> None:
        """A frame as it is, unnumbered and not kept, to every socket."""
        self._call(self._broadcast(self.conversation, frame))

    def drop(self) -> None:
        """Cut every connection the hard way, as a lost network does."""
        self._loop.call_soon_threadsafe(self._abort)

    def close(self, code: int) -> None:
        self._call(self._close(code))

    def wait_for(self, kind: str, *, count: int = 1, within: float = 8.0) -> Frame:
        """The `count`th frame of a type that the widget has sent, once it is there."""
        deadline = time.monotonic() + within
        while len(self.of_type(kind)) < count:
            if time.monotonic() > deadline:
                raise AssertionError(f"no {kind!r} number {count}; received: {self.received}")
            time.sleep(0.01)
        return self.of_type(kind)[count - 1]

    def of_type(self, kind: str) -> list[Frame]:
        return [frame for frame in self.received if frame["type"] == kind]

    # The socket

    async def _talk(self, socket: ServerConnection) -> None:
        self.handshakes += 1
        conversation: Conversation | None = None
        try:
            if self.refuse is not None:
                await socket.close(self.refuse)
                return
            hello = json.loads(await asyncio.wait_for(socket.recv(), 10))
            self.received.append(hello)
            conversation = await self._welcome(socket, hello)
            async for text in socket:
                frame = json.loads(text)
                self.received.append(frame)
                await self._handle(socket, conversation, frame)
        except ConnectionClosed:
            pass
        finally:
            if conversation is not None:
                conversation.sockets.discard(socket)

    async def _welcome(self, socket: ServerConnection, hello: Frame) -> Conversation:
        known = self.conversations.get(hello.get("conversation", ""))
        conversation = known if known and known.visitor == hello.get("visitor") else None
        if conversation is None:
            conversation = Conversation(
                str(uuid.uuid4()), hello.get("visitor") or f"token-{uuid.uuid4().hex}"
            )
            self.conversations[conversation.id] = conversation
        last = hello.get("last_seq") if known is conversation else None
        agent = {key: self.config[key] for key in ("name", "greeting", "suggestions")}
        welcome = {
            "type": "welcome",
            "visitor": conversation.visitor,
            "conversation": conversation.id,
            "seq": conversation.seq,
            "history": conversation.history if last is None else [],
            "state": conversation.state,
            "agent": agent,
        }
        if self.unread is not None:
            welcome["unread"] = self.unread
        await socket.send(json.dumps(welcome))
        if last is not None:
            for frame in conversation.log[last:]:
                await socket.send(json.dumps(frame))
        conversation.sockets.add(socket)
        return conversation

    async def _handle(self, socket: ServerConnection, conversation: Conversation, frame: Frame) -> None:
        if frame["type"] == "ping":
            await socket.send('{"type": "pong"}')
        elif frame["type"] == "message":
            await self._store(socket, conversation, frame)
        elif frame["type"] == "handoff":
            conversation.state = "waiting"
            await self._publish(conversation, {"type": "state", "state": "waiting"})
        elif frame["type"] == "end":
            conversation.state = "closed"
            await self._publish(conversation, {"type": "state", "state": "closed"})
        elif frame["type"] == "conversations":
            await socket.send(
                json.dumps({"type": "conversations", "items": self._past(conversation.visitor)})
            )
        elif frame["type"] == "transcript":
            await socket.send(json.dumps({"type": "done", "what": "transcript"}))
        elif frame["type"] == "forget":
            await self._forget(socket, conversation.visitor)

    def _past(self, visitor: str) -> list[Frame]:
        mine = [past for past in self.conversations.values() if past.visitor == visitor and past.history]
        return [
            {
                "conversation": past.id,
                "title": past.history[0]["text"],
                "preview": past.history[-1]["text"],
                "at": "2026-11-25T08:30:00+00:00",
                "state": past.state,
                "unread": 0,
            }
            for past in reversed(mine)
        ]

    async def _forget(self, socket: ServerConnection, visitor: str) -> None:
        self.conversations = {
            key: past for key, past in self.conversations.items() if past.visitor != visitor
        }
        await socket.send(json.dumps({"type": "done", "what": "forget", "receipt": "F-2047"}))
        await socket.close(4401)

    async def _store(self, socket: ServerConnection, conversation: Conversation, frame: Frame) -> None:
        if self.error_for_next is not None:
            error, self.error_for_next = self.error_for_next, None
            await socket.send(json.dumps({"type": "error", "client_id": frame["client_id"]} | error))
            return
        stored = next((old for old in conversation.log if old.get("client_id") == frame["client_id"]), None)
        if stored is not None:
            await socket.send(json.dumps(stored))
            return
        ack = {
            "type": "ack",
            "client_id": frame["client_id"],
            "message": f"v{uuid.uuid4().hex[:8]}",
            "seq": conversation.seq + 1,
        }
        conversation.log.append(ack)
        conversation.history.append(
            {
                "message": ack["message"],
                "author": {"kind": "visitor"},
                "text": frame["text"],
                "seq": ack["seq"],
                "client_id": frame["client_id"],
                "attachments": [_attachment(self.origin, key) for key in frame.get("attachments", [])],
            }
        )
        if self.withhold_ack:
            return
        await self._broadcast(conversation, ack)
        if self.on_message is not None:
            threading.Thread(target=self.on_message, args=(conversation, frame), daemon=True).start()

    async def _publish(self, conversation: Conversation, frame: Frame) -> Frame:
        numbered = frame | {"seq": conversation.seq + 1}
        conversation.log.append(numbered)
        _remember(conversation, numbered)
        await self._broadcast(conversation, numbered)
        return numbered

    async def _broadcast(self, conversation: Conversation, frame: Frame) -> None:
        for socket in list(conversation.sockets):
            for _ in range(2 if self.duplicate else 1):
                try:
                    await socket.send(json.dumps(frame))
                except ConnectionClosed:
                    break

    def _abort(self) -> None:
        for conversation in self.conversations.values():
            for socket in list(conversation.sockets):
                socket.transport.abort()

    async def _close(self, code: int) -> None:
        for conversation in self.conversations.values():
            for socket in list(conversation.sockets):
                await socket.close(code)

    # The files

    async def _respond(self, socket: ServerConnection, request: Request) -> Response | None:
        path = urlsplit(request.path).path
        if path.startswith("/ws/"):
            return None
        self.requests.append(path)
        if path == f"/widget/config/{AGENT}.json":
            return _file(json.dumps(self.config).encode(), "application/json")
        if path == PICTURE:
            return _file(PNG, "image/png")
        built = BUILT / path.removeprefix("/widget/v1/")
        if path.startswith("/widget/v1/") and built.is_file():
            body = built.read_bytes()
            agent = parse_qs(urlsplit(request.path).query).get("agent")
            if agent:
                given = json.dumps(self.config if agent == [AGENT] else None)
                body = b"(function(NVC){" + body + f"}})({given});".encode()
            return _file(body, mimetypes.guess_type(path)[0] or "text/plain")
        return Response(HTTPStatus.NOT_FOUND, "Not Found", Headers({"Access-Control-Allow-Origin": "*"}), b"")


def _attachment(origin: str, key: str) -> Frame:
    return {"id": key, "name": f"{key}.png", "type": "image/png", "size": len(PNG), "url": origin + PICTURE}


def _remember(conversation: Conversation, frame: Frame) -> None:
    """Keep the history that a reload shows: answers with their text so far."""
    kind, message = frame["type"], frame.get("message")
    if kind == "start":
        entry = {
            "message": message,
            "author": {"kind": "bot"},
            "text": "",
            "seq": frame["seq"],
            "streaming": True,
        }
        conversation.history.append(entry)
    elif kind == "token":
        entry = next(old for old in conversation.history if old["message"] == message)
        entry["text"] += frame["text"]
    elif kind == "end":
        entry = next(old for old in conversation.history if old["message"] == message)
        entry.update(
            {key: value for key, value in frame.items() if key not in {"type", "seq"}}, streaming=False
        )
    elif kind == "message":
        conversation.history.append({key: value for key, value in frame.items() if key != "type"})


def _file(body: bytes, kind: str) -> Response:
    headers = Headers(
        {
            "Content-Type": f"{kind}; charset=utf-8",
            "Content-Length": str(len(body)),
            "Access-Control-Allow-Origin": "*",
            "Cache-Control": "no-store",
        }
    )
    return Response(HTTPStatus.OK, "OK", headers, body)
