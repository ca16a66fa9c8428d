"""One socket of one visitor: reads a frame, calls one function, sends frames."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from dataclasses import dataclass, replace
from http.cookies import CookieError, SimpleCookie
from typing import Any
from uuid import UUID

from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.http import QueryDict

from chat import actions, conversations, history, persons, protocol, tokens, wording
from chat.actions import Caller
from chat.conversations import Opened
from chat.doors import Entry, Knock, OriginRefused, enter
from chat.feed import Line, Watcher, feed
from chat.protocol import Close, Frame, dump
from chat.runs import runs
from netvexa.lib.client import counted_as
from netvexa.lib.errors import AppError, Invalid, NotAllowed, NotFound, Unavailable
from netvexa.lib.outage import OUTAGES
from netvexa.lib.ratelimit import Bucket, Held, RateLimited, take, take_held
from tenants.context import WorkspaceClosed, run_in_tenant

logger = logging.getLogger(__name__)

MISTAKES_ALLOWED = 10
FRAMES_A_MESSAGE = 10  # of any type, that a socket may send for each message that a visitor may
_GONE = dump(protocol.gone_frame())
open_sockets: set[AsyncWebsocketConsumer] = set()
_sockets_of: Counter[str] = Counter()
_ending: set[asyncio.Task[None]] = set()


class Flood(RateLimited):
    """More frames than a person's client has reason to send; one that goes on is let go."""


class ChatConsumer(AsyncWebsocketConsumer):
    """A visitor's socket. It holds no answer: those are runs, and go on without it."""

    channel_layer_alias = "none"  # a channel a socket would cost a subscription in Redis each

    async def dispatch(self, message: dict[str, Any]) -> None:
        """As Channels does it, but without a thread that closes old database connections at every frame: a
        consumer has none, and `tenants.context` looks after those of its own threads.
        """
        await getattr(self, get_handler_name(message))(message)

    async def connect(self) -> None:
        await self.accept()
        self.entry: Entry | None = None
        self.opened: Opened | None = None
        self.watcher: Watcher | None = None
        self.sender: asyncio.Task[None] | None = None
        self.mistakes = 0
        self.frames: Held = {}
        self.address = counted_as(str((self.scope.get("client") or ["-"])[0]))
        self.clock: asyncio.TimerHandle | None = asyncio.get_running_loop().call_later(
            protocol.HELLO_SECONDS, self._close_without_hello
        )
        open_sockets.add(self)
        _sockets_of[self.address] += 1
        if _sockets_of[self.address] > settings.CHAT_SOCKETS_PER_ADDRESS:
            await self.close(Close.TOO_MANY)
            return
        try:
            self.entry = await enter(_knock(self.scope))
        except OriginRefused:
            await self.close(Close.ORIGIN)
        except NotFound:
            await self.close(Close.NO_AGENT)
        except WorkspaceClosed as error:
            await self.end(error)
        except (AppError, *OUTAGES):
            await self.close(Close.RESTART)  # comes again, with jitter
        feed().on_command("close", on_closing)

    async def end(self, error: WorkspaceClosed) -> None:
        """Say why there is no chat any more, and let the client go for good."""
        await self.send(dump(protocol.error_frame(error, client_id=None)))
        await self.close(Close.NO_AGENT)

    async def disconnect(self, code: int) -> None:
        open_sockets.discard(self)
        _sockets_of[self.address] -= 1
        if not _sockets_of[self.address]:
            del _sockets_of[self.address]
        self._stop_clock()
        await self._leave_line()

    async def _leave_line(self) -> None:
        """Show nothing more of the conversation that was open."""
        sender, watcher, self.sender, self.watcher, self.opened = self.sender, self.watcher, None, None, None
        if sender is not None:
            sender.cancel()
        if watcher is not None:
            await feed().leave(watcher)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.entry is None:
            return  # it is being closed
        client_id = None
        try:
            if text_data is None or len(text_data) > protocol.MAX_FRAME_BYTES:
                await self.close(Close.MALFORMED)
                return
            self._count_frame()
            frame = protocol.parse(text_data)
            client_id = frame.client_id if isinstance(frame, protocol.Say) else None
            await self._handle(frame)
        except tokens.BadToken:
            await self.close(Close.BAD_TOKEN)
        except WorkspaceClosed as error:
            await self.end(error)
        except AppError as error:
            await self._refuse(error, client_id)
        except OUTAGES:
            logger.exception("A frame could not be handled")
            await self._refuse(Unavailable(retry_after=2), client_id)
        except Exception:
            logger.exception("A frame could not be handled")
            await self._refuse(Unavailable(), client_id)

    def _count_frame(self) -> None:
        """Whatever their type: some cost a look into the database, and none is worth so many."""
        most = FRAMES_A_MESSAGE * settings.CHAT_MESSAGES_PER_MINUTE
        try:
            take_held(self.frames, Bucket("frames", most, most))
        except RateLimited as error:
            raise Flood(retry_after=error.retry_after) from None

    async def _refuse(self, error: AppError, client_id: UUID | None) -> None:
        """Say what went wrong; a client that goes on making mistakes is let go."""
        frame = protocol.error_frame(error, client_id=client_id)
        if frame["code"] == "quota_exceeded":
            frame["detail"] = self._no_quota()
        self.mistakes += isinstance(error, Invalid | protocol.Malformed | Flood)
        await self._say(dump(frame))
        if self.mistakes > MISTAKES_ALLOWED:
            await self.close(Close.MALFORMED)

    def _no_quota(self) -> str:
        """What a visitor may know of the workspace's quota."""
        assert self.entry is not None  # noqa: S101  narrows the type: nothing is refused before
        language = self.entry.agent.language or (self.opened.door.locale if self.opened else "")
        return wording.said(wording.Say.QUOTA, language=language)

    async def _say(self, text: str) -> None:
        if self.watcher is not None:
            self.watcher.say(text)
        else:
            await self.send(text)

    async def _handle(self, frame: protocol.ClientFrame) -> None:
        if isinstance(frame, protocol.Ping):
            await self._say(protocol.PONG)
        elif isinstance(frame, protocol.Hello):
            await self._on_hello(frame)
        elif self.opened is None:
            raise NotAllowed("Say hello first.")
        elif isinstance(frame, protocol.Forget):
            await self._on_forget(self.opened)
        else:
            caller = Caller(
                workspace=self._entry.workspace, door=self.opened.door, address=self.address, say=self._say
            )
            await actions.handle(caller, frame)

    # Hello

    async def _on_hello(self, hello: protocol.Hello) -> None:
        entry = self._entry
        most = 2 * settings.CHAT_SOCKETS_PER_ADDRESS
        await take(feed().redis(), Bucket(f"{entry.workspace.key}:hello:{self.address}", most, most))
        self._stop_clock()
        visitor_id = tokens.visitor_of(hello.visitor, agent=entry.agent) if hello.visitor else None
        if hello.identity is not None:
            try:
                hello = replace(hello, identity=tokens.proven(hello.identity, agent=entry.agent))
            except NotAllowed as error:  # goes on as who they were
                await self._refuse(error, None)
                hello = replace(hello, identity=None)
        opened = await run_in_tenant(
            entry.workspace,
            conversations.open_for,
            entry.agent,
            hello,
            visitor_id=visitor_id,
            channel=entry.channel,
            belonging=entry.belonging,
        )
        await self._watch(opened)
        await self._resume(opened, hello)

    @property
    def _entry(self) -> Entry:
        if self.entry is None:
            raise NotFound
        return self.entry

    async def _watch(self, opened: Opened) -> None:
        await self._leave_line()
        self.opened = opened
        line = Line(self._entry.workspace, opened.door.conversation_id)
        self.watcher = Watcher(line, self._show_again, ready=self._begin_sending)
        await feed().watch(self.watcher)

    def _begin_sending(self) -> None:
        if self.watcher is not None and (self.sender is None or self.sender.done()):
            self.sender = asyncio.create_task(self._send_all(self.watcher))

    async def _send_all(self, watcher: Watcher) -> None:
        """Send what there is; a client that cannot keep up is dropped, and can resume."""
        while (text := watcher.next()) is not None:
            if text == _GONE:
                await self.close(Close.BAD_TOKEN)
                return
            await self.send(text)
        if watcher.overflown:
            await self.close(Close.RESTART)
        else:
            self.sender = None

    async def _resume(self, opened: Opened, hello: protocol.Hello) -> None:
        """Only what came after `last_seq`, as the frames it was; or everything, where those are gone."""
        watcher, last = self.watcher, hello.last_seq
        if watcher is None:
            return
        same = opened.exists and hello.conversation == opened.door.conversation_id
        missing = None
        if last is not None and same:
            missing = await feed().since(watcher.line, last)
            if missing is None and opened.last_seq == last >= feed().reached(watcher.line):
                missing = []
            if missing is not None and (missing[-1][0] if missing else last) < opened.last_seq:
                missing = None  # a writer died between storing an answer and showing that it ended
        if missing is None or last is None:
            await self._snapshot(opened, watcher)
            return
        watcher.say(dump(self._welcome(opened, seq=last, entries=[])))
        watcher.start(last)
        for seq, frame in missing:
            watcher.offer(seq, frame)

    async def _show_again(self) -> None:
        """Frames were lost on the way to this socket: show everything anew."""
        if self.watcher is None or self.opened is None:
            return
        door = self.opened.door
        hello = protocol.Hello(conversation=door.conversation_id)
        opened = await run_in_tenant(
            self._entry.workspace,
            conversations.open_for,
            door.agent,
            hello,
            visitor_id=door.visitor_id,
            channel=door.channel,
            belonging=door.belonging,
        )
        if opened.exists:
            self.watcher.pause()
            self.opened = opened
            await self._snapshot(opened, self.watcher)

    async def _snapshot(self, opened: Opened, watcher: Watcher) -> None:
        line, written = watcher.line, {}
        kept = await feed().kept(line) if opened.exists else None
        if kept is not None:
            seq = max(kept.seq, opened.last_seq)
            written = protocol.written_in(frame for _, frame in kept.frames)
        else:
            seq = max(opened.last_seq, feed().reached(line))
            written = {
                str(run.turn.answer_id): run.writing.sent
                for run in runs().open.values()
                if run.turn.conversation_id == line.conversation
            }
        entries: list[Frame] = []
        if opened.exists:
            entries = await run_in_tenant(
                line.workspace, history.history_of, line.conversation, until=seq, written=written
            )
        watcher.say(dump(self._welcome(opened, seq=seq, entries=entries)))
        watcher.start(seq)

    def _welcome(self, opened: Opened, *, seq: int, entries: list[Frame]) -> Frame:
        agent = opened.door.agent
        face: Frame = {
            "name": agent.name,
            "greeting": agent.greeting,
            "suggestions": list(agent.suggestions)[:6],
        }
        return {
            "type": "welcome",
            "visitor": tokens.visitor_token(opened.door.visitor_id, agent=agent),
            "conversation": str(opened.door.conversation_id),
            "seq": seq,
            "history": entries,
            "state": opened.state,
            "agent": face,
            "unread": opened.unread,
            "identified": opened.identified,
            "read": opened.team_read_seq,
        }

    def _close_without_hello(self) -> None:
        self.sender = asyncio.create_task(self.close(Close.NO_HELLO))

    def _stop_clock(self) -> None:
        if self.clock is not None:
            self.clock.cancel()
            self.clock = None

    # The end of everything

    async def _on_forget(self, opened: Opened) -> None:
        """Delete the visitor's data. The socket leaves its line first: it is about to be told, like all others."""
        key = self._entry.workspace.key
        await take(feed().redis(), Bucket(f"{key}:forget:{self.address}", 6, 6))
        await self._leave_line()
        receipt = await run_in_tenant(self._entry.workspace, persons.forget_visitor, opened.door.visitor_id)
        await self.send(dump(protocol.done_frame("forget", receipt=str(receipt))))
        await self.close(Close.BAD_TOKEN)


class NoSuchSocket(AsyncWebsocketConsumer):
    """Any other address: nothing is there."""

    channel_layer_alias = "none"

    async def connect(self) -> None:
        await self.accept()
        await self.close(Close.NO_AGENT)


@dataclass(frozen=True)
class SaidOfItself:
    """What the headers of a socket say."""

    host: str
    origin: str
    session_key: str


def headers_of(scope: dict[str, Any]) -> SaidOfItself:
    """Host, origin and session of a socket; empty where it names none."""
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    cookies: SimpleCookie = SimpleCookie()
    with contextlib.suppress(CookieError):
        cookies.load(headers.get(b"cookie", ""))
    session = cookies.get(settings.SESSION_COOKIE_NAME)
    return SaidOfItself(
        headers.get(b"host", ""), headers.get(b"origin", ""), session.value if session else ""
    )


def _knock(scope: dict[str, Any]) -> Knock:
    said, query = headers_of(scope), QueryDict(scope.get("query_string", b""))
    return Knock(
        host=said.host,
        public_id=scope["url_route"]["kwargs"]["public_id"],
        origin=said.origin,
        session_key=said.session_key,
        preview=query.get("preview") == "1",
        audience=query.get("audience", ""),
    )


def on_closing(workspace_id: str) -> None:
    """A workspace was closed: nothing is written for it any more, and its sockets are let go."""
    runs().drop_all_of(UUID(workspace_id))
    for socket in list(open_sockets):
        entry = getattr(socket, "entry", None)
        if entry is not None and str(entry.workspace.pk) == workspace_id:
            _ending.add(task := asyncio.create_task(_end(socket)))
            task.add_done_callback(_ending.discard)


async def _end(socket: AsyncWebsocketConsumer) -> None:
    with contextlib.suppress(Exception):  # it may be gone already
        if isinstance(socket, ChatConsumer):
            await socket.end(WorkspaceClosed())
        else:
            await socket.close(Close.NO_AGENT)


async def drain() -> None:
    """The process ends: send every client elsewhere, and finish or hand over what is being written."""
    for socket in list(open_sockets):
        with contextlib.suppress(Exception):
            await socket.close(Close.RESTART)
    await runs().drain()
