"""One socket of one visitor: reads a frame, calls one function, sends frames."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from http.cookies import CookieError, SimpleCookie
from typing import Any
from uuid import UUID

from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from chat import answering, contact, conversations, protocol, tokens, turns, wording
from chat.conversations import Door, Opened
from chat.doors import Entry, Knock, OriginRefused, enter
from chat.feed import Line, Watcher, feed
from chat.protocol import Close, Frame, dump
from chat.runs import runs
from netvexa.lib.errors import AppError, Invalid, NotAllowed, NotFound, Unavailable
from netvexa.lib.outage import OUTAGES
from netvexa.lib.ratelimit import Bucket, take
from tenants.context import run_in_tenant

logger = logging.getLogger(__name__)

MISTAKES_ALLOWED = 10
open_sockets: set[ChatConsumer] = set()
_sockets_of: Counter[str] = Counter()


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
        self.address = str((self.scope.get("client") or ["-"])[0])
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
        except (AppError, *OUTAGES):
            await self.close(Close.RESTART)  # comes again, with jitter

    async def disconnect(self, code: int) -> None:
        open_sockets.discard(self)
        _sockets_of[self.address] -= 1
        if not _sockets_of[self.address]:
            del _sockets_of[self.address]
        self._stop_clock()
        if self.sender is not None:
            self.sender.cancel()
        if self.watcher is not None:
            await feed().leave(self.watcher)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.entry is None:
            return  # it is being closed
        client_id = None
        try:
            if text_data is None or len(text_data) > protocol.MAX_FRAME_BYTES:
                await self.close(Close.MALFORMED)
                return
            frame = protocol.parse(text_data)
            client_id = frame.client_id if isinstance(frame, protocol.Say) else None
            await self._handle(frame)
        except tokens.BadToken:
            await self.close(Close.BAD_TOKEN)
        except AppError as error:
            await self._refuse(error, client_id)
        except OUTAGES:
            logger.exception("A frame could not be handled")
            await self._refuse(Unavailable(retry_after=2), client_id)
        except Exception:
            logger.exception("A frame could not be handled")
            await self._refuse(Unavailable(), client_id)

    async def _refuse(self, error: AppError, client_id: UUID | None) -> None:
        """Say what went wrong; a client that goes on making mistakes is let go."""
        frame = protocol.error_frame(error, client_id=client_id)
        if frame["code"] == "quota_exceeded":
            frame["detail"] = self._no_quota()
        self.mistakes += isinstance(error, Invalid | protocol.Malformed)
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
        else:
            await _HANDLERS[type(frame)](self, frame, self.opened.door)

    # Hello

    async def _on_hello(self, hello: protocol.Hello) -> None:
        entry = self._entry
        most = 2 * settings.CHAT_SOCKETS_PER_ADDRESS
        await take(feed().redis(), Bucket(f"{entry.workspace.key}:hello:{self.address}", most, most))
        self._stop_clock()
        visitor_id = tokens.visitor_of(hello.visitor, agent=entry.agent) if hello.visitor else None
        if hello.identity is not None:
            try:
                tokens.check_identity(hello.identity, agent=entry.agent)
            except NotAllowed as error:  # goes on as who they were
                await self._refuse(error, None)
                hello = protocol.without_identity(hello)
        opened = await run_in_tenant(
            entry.workspace,
            conversations.open_for,
            entry.agent,
            hello,
            visitor_id=visitor_id,
            channel=entry.channel,
        )
        await self._watch(opened)
        await self._resume(opened, hello)

    @property
    def _entry(self) -> Entry:
        if self.entry is None:
            raise NotFound
        return self.entry

    async def _watch(self, opened: Opened) -> None:
        if self.watcher is not None:
            await feed().leave(self.watcher)
        if self.sender is not None:
            self.sender.cancel()
        self.opened = opened
        line = Line(self._entry.workspace, opened.door.conversation_id)
        self.watcher = Watcher(line, self._show_again, self._begin_sending)
        await feed().watch(self.watcher)

    def _begin_sending(self) -> None:
        if self.watcher is not None and (self.sender is None or self.sender.done()):
            self.sender = asyncio.create_task(self._send_all(self.watcher))

    async def _send_all(self, watcher: Watcher) -> None:
        """Send what there is; a client that cannot keep up is dropped, and can resume."""
        while (text := watcher.next()) is not None:
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
        if missing is None or last is None:
            await self._snapshot(opened, watcher)
            return
        watcher.say(dump(self._welcome(opened, seq=last, history=[])))
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
        history: list[Frame] = []
        if opened.exists:
            history = await run_in_tenant(
                line.workspace, conversations.history_of, line.conversation, until=seq, written=written
            )
        watcher.say(dump(self._welcome(opened, seq=seq, history=history)))
        watcher.start(seq)

    def _welcome(self, opened: Opened, *, seq: int, history: list[Frame]) -> Frame:
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
            "history": history,
            "state": opened.state,
            "agent": face,
        }

    def _close_without_hello(self) -> None:
        self.sender = asyncio.create_task(self.close(Close.NO_HELLO))

    def _stop_clock(self) -> None:
        if self.clock is not None:
            self.clock.cancel()
            self.clock = None

    # What a visitor does

    async def _on_message(self, frame: protocol.Say, door: Door) -> None:
        await self._take_message(door)
        workspace = self._entry.workspace
        accepted = await answering.take_in(workspace, door, client_id=frame.client_id, text=frame.text)
        if accepted.turn is not None:
            runs().start(accepted.turn, question_seq=accepted.seq)
        if accepted.known:
            again = protocol.ack_frame(
                client_id=frame.client_id, message=accepted.message_id, text=accepted.text
            )
            await self._say(dump({**again, "seq": accepted.seq}))

    async def _take_message(self, door: Door) -> None:
        key, rate = self._entry.workspace.key, settings.CHAT_MESSAGES_PER_MINUTE
        await take(
            feed().redis(),
            Bucket(f"{key}:visitor:{door.visitor_id}", rate, rate),
            Bucket(f"{key}:address:{self.address}", rate * 5, rate * 5),
            Bucket(f"{key}:agent:{door.agent.pk}", rate * 100, rate * 100),
        )

    async def _take_action(self, door: Door) -> None:
        await take(None, Bucket(f"action:{door.visitor_id}", 60, 30))

    async def _on_stop(self, frame: protocol.Stop, door: Door) -> None:
        writer = await run_in_tenant(
            self._entry.workspace, turns.writer_of, frame.message, door.conversation_id
        )
        if writer is not None:
            await feed().command(writer.partition(".")[0], "stop", str(frame.message))

    async def _on_typing(self, frame: protocol.Typing, door: Door) -> None:
        """Nobody of the team watches over this socket's server yet."""

    async def _on_feedback(self, frame: protocol.Feedback, door: Door) -> None:
        await self._take_action(door)
        await run_in_tenant(
            self._entry.workspace,
            conversations.give_feedback,
            door.conversation_id,
            frame.message,
            value=frame.value,
            comment=frame.comment,
        )

    async def _on_rating(self, frame: protocol.Rating, door: Door) -> None:
        await self._take_action(door)
        await run_in_tenant(
            self._entry.workspace,
            conversations.rate,
            door.conversation_id,
            score=frame.score,
            comment=frame.comment,
        )

    async def _on_lead(self, frame: protocol.LeaveContact, door: Door) -> None:
        await self._take_contact(door)
        await run_in_tenant(self._entry.workspace, contact.leave, door, frame.fields)

    async def _on_handoff(self, frame: protocol.AskForPerson, door: Door) -> None:
        await self._take_contact(door)
        frames = await run_in_tenant(self._entry.workspace, contact.ask_for_person, door, reason=frame.reason)
        await self._publish(frames, door)

    async def _take_contact(self, door: Door) -> None:
        """Each of these sends an e-mail."""
        key = self._entry.workspace.key
        await take(
            feed().redis(),
            Bucket(f"{key}:contact:{door.visitor_id}", 2, 6),
            Bucket(f"{key}:contact:{self.address}", 10, 30),
        )

    async def _on_end(self, frame: protocol.End, door: Door) -> None:
        await self._take_action(door)
        frames = await run_in_tenant(
            self._entry.workspace, conversations.end_by_visitor, door.conversation_id
        )
        await self._publish(frames, door)

    async def _publish(self, frames: list[Frame], door: Door) -> None:
        line = Line(self._entry.workspace, door.conversation_id)
        least = await run_in_tenant(line.workspace, conversations.last_seq, door.conversation_id)
        for frame in frames:
            least = await feed().publish(line, frame, least=least)
        await run_in_tenant(line.workspace, conversations.keep_seq, door.conversation_id, seq=least, shown={})


_HANDLERS: dict[type, Any] = {
    protocol.Say: ChatConsumer._on_message,
    protocol.Stop: ChatConsumer._on_stop,
    protocol.Typing: ChatConsumer._on_typing,
    protocol.Feedback: ChatConsumer._on_feedback,
    protocol.Rating: ChatConsumer._on_rating,
    protocol.LeaveContact: ChatConsumer._on_lead,
    protocol.AskForPerson: ChatConsumer._on_handoff,
    protocol.End: ChatConsumer._on_end,
}


class NoSuchSocket(AsyncWebsocketConsumer):
    """Any other address: nothing is there."""

    channel_layer_alias = "none"

    async def connect(self) -> None:
        await self.accept()
        await self.close(Close.NO_AGENT)


def _knock(scope: dict[str, Any]) -> Knock:
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    cookies: SimpleCookie = SimpleCookie()
    with contextlib.suppress(CookieError):
        cookies.load(headers.get(b"cookie", ""))
    session = cookies.get(settings.SESSION_COOKIE_NAME)
    return Knock(
        host=headers.get(b"host", ""),
        public_id=scope["url_route"]["kwargs"]["public_id"],
        origin=headers.get(b"origin", ""),
        session_key=session.value if session else "",
        preview=scope.get("query_string", b"") == b"preview=1",
    )


async def drain() -> None:
    """The process ends: send every client elsewhere, and finish or hand over what is being written."""
    for socket in list(open_sockets):
        with contextlib.suppress(Exception):
            await socket.close(Close.RESTART)
    await runs().drain()
