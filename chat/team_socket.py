"""A member's socket on a conversation's page: the visitor's frames as they come, and who types and reads.

What is shown is rendered by the page's own views; the frames tell when to look again. Replies are posted, not
sent here: a post works without a socket, takes files, and is audited.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer

from chat import conversations, history, protocol
from chat.consumers import headers_of, on_closing, open_sockets
from chat.doors import OriginRefused, TeamEntry, TeamKnock, enter_as_member
from chat.feed import Line, Watcher, feed
from chat.protocol import Close, dump
from netvexa.lib.errors import AppError, NotFound
from netvexa.lib.outage import OUTAGES
from tenants.context import WorkspaceClosed, run_in_tenant

logger = logging.getLogger(__name__)

CHECK_SECONDS = 20.0  # whoever was removed, or whose log-in was ended, watches no longer than this
TYPING_SECONDS = 1.0
READY = dump({"type": "ready"})
BEHIND = dump({"type": "behind"})


class TeamConsumer(AsyncWebsocketConsumer):
    """Watches one conversation for one member."""

    channel_layer_alias = "none"

    async def connect(self) -> None:
        await self.accept()
        self.entry: TeamEntry | None = None
        self.watcher: Watcher | None = None
        self.tasks: list[asyncio.Task[None]] = []
        self.typed = 0.0
        open_sockets.add(self)
        feed().on_command("close", on_closing)
        said = headers_of(self.scope)
        self.knock = TeamKnock(
            host=said.host,
            origin=said.origin,
            session_key=said.session_key,
            conversation_id=self.scope["url_route"]["kwargs"]["conversation_id"],
        )
        if await self._enter():
            await self._watch()

    async def _enter(self) -> bool:
        try:
            self.entry = await enter_as_member(self.knock)
        except OriginRefused:
            await self.close(Close.ORIGIN)
        except NotFound:
            await self.close(Close.NO_AGENT)
        except WorkspaceClosed:
            await self.close(Close.NO_AGENT)
        except (AppError, *OUTAGES):
            await self.close(Close.RESTART)
        else:
            return True
        return False

    async def disconnect(self, code: int) -> None:
        open_sockets.discard(self)
        for task in self.tasks:
            task.cancel()
        if self.watcher is not None:
            await feed().leave(self.watcher)

    @property
    def _line(self) -> Line:
        if self.entry is None:
            raise NotFound
        return Line(self.entry.workspace, self.knock.conversation_id)

    async def _watch(self) -> None:
        line = self._line
        self.watcher = watcher = Watcher(line, self._show_again, side="team")
        await feed().watch(watcher)
        await self._start(watcher)
        watcher.say(READY)  # the page looks again: something may have happened since it was made
        self.tasks = [asyncio.create_task(self._send_all(watcher)), asyncio.create_task(self._check())]

    @staticmethod
    async def _start(watcher: Watcher) -> None:
        line, kept = watcher.line, await feed().kept(watcher.line)
        stored = await run_in_tenant(line.workspace, conversations.last_seq, line.conversation)
        watcher.start(max(kept.seq if kept else 0, stored, feed().reached(line)))

    async def _show_again(self) -> None:
        """Frames were lost on the way: the page looks again."""
        if self.watcher is not None:
            self.watcher.pause()
            await self._start(self.watcher)
            self.watcher.say(BEHIND)

    async def _send_all(self, watcher: Watcher) -> None:
        while (text := await watcher.take()) is not None:
            await self.send(text)
        await self.close(Close.RESTART)

    async def _check(self) -> None:
        """Let go of a member who has logged out or was removed."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            if not await self._enter():
                return

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.entry is None or text_data is None or len(text_data) > 1000:
            return
        try:
            frame = json.loads(text_data)
            await self._handle(frame if isinstance(frame, dict) else {}, self.entry)
        except (ValueError, RecursionError):
            await self.close(Close.MALFORMED)
        except OUTAGES:
            logger.exception("A frame of a member could not be handled")

    async def _handle(self, frame: dict[str, Any], entry: TeamEntry) -> None:
        kind, seq = frame.get("type"), frame.get("seq")
        if kind == "ping" and self.watcher is not None:
            self.watcher.say(protocol.PONG)
        elif not entry.may_reply:
            return
        elif kind == "typing" and time.monotonic() - self.typed >= TYPING_SECONDS:
            self.typed = time.monotonic()
            await feed().tell(self._line, protocol.typing_frame(entry.author), to="visitor")
        elif kind == "read" and isinstance(seq, int) and 0 < seq < 2**53:
            await self._read(seq)

    async def _read(self, seq: int) -> None:
        line = self._line
        seen = await run_in_tenant(
            line.workspace, history.read_by_team, line.conversation, seq=seq, newest=feed().reached(line)
        )
        if seen is not None:
            await feed().tell(line, protocol.read_frame(seen), to="visitor")
