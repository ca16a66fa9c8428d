"""The frames of a conversation, numbered, kept for a while, and handed to the sockets that show it.

One counter a conversation (`seq`) grows by one with every displayed frame. Numbering a frame, keeping it in a
bounded Redis stream and telling the other servers whose sockets show this conversation is one call of Redis;
where no other server watches, that is all a token costs. Sockets of this process get the frame directly.

PostgreSQL stays the truth: the counter is seeded from `Conversation.last_seq`, and never runs behind what
this process has seen, so that a Redis that lost everything makes no number twice. While Redis is away, the
database gives the numbers and only this process' sockets get frames at once; the others catch up later.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from django.conf import settings
from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from agents.providers import Breaker, RedisBreaker
from chat import conversations
from chat.outbox import Outbox
from chat.protocol import Frame, dump, load
from netvexa.lib.ids import short_id
from tenants import closing
from tenants.context import run_in_tenant
from tenants.models import Workspace

logger = logging.getLogger(__name__)

KEPT_FRAMES = 2_000
KEPT_SECONDS = 3_600
WATCH_SECONDS = 86_400
QUEUE_FRAMES = 500  # a socket this far behind is dropped; it can resume
GAP_SECONDS = 0.15
EPOCH_CHECK_SECONDS = 2.0
CONNECTIONS = 16  # of one event loop to Redis; more commands at once wait for one of them
CONNECTION_WAIT_SECONDS = 5.0
# Messages taken in at the same time: of fifty that come together, answers to the first begin before the last is stored.
ACCEPTED_AT_ONCE = 4
REST_SECONDS = 1.0  # after a failure Redis is left alone for this long

# KEYS: watchers. ARGV: this process, what to tell the others.
TELL = """
for _, process in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  if process ~= ARGV[1] then redis.call('PUBLISH', 'nv:chat:process:' .. process, ARGV[2]) end
end
"""
Side = Literal["visitor", "team"]
_OUTAGES = (RedisError, OSError, asyncio.TimeoutError)


@dataclass(frozen=True, slots=True)
class Line:
    """The line a conversation's frames go through."""

    workspace: Workspace
    conversation: UUID

    def key(self, what: str) -> str:
        return f"nv:chat:{{{self.workspace.key}:{self.conversation}}}:{what}"

    def keys(self) -> list[str]:
        """All that Redis holds of it."""
        return [self.key(what) for what in ("seq", "frames", "watch")]


def told(line: Line, frame: Frame, *, to: Side) -> str:
    """A frame beside the numbered ones, as processes pass it on: it has the number 0, and a side."""
    return f"{line.conversation}\n0\n{to}\n{dump(frame)}"


class Watcher:
    """One socket's place in a line: hands on each frame once and in order.

    `behind` is called when frames are missing that are kept nowhere: the socket then needs a fresh snapshot.
    `ready` is called when there is something to send and nobody is at it. An idle one holds no task and no
    queue: there are thousands of them.
    """

    __slots__ = (
        "_gap",
        "_held",
        "_queue",
        "_waiting",
        "behind",
        "last",
        "line",
        "overflown",
        "ready",
        "side",
    )

    def __init__(
        self,
        line: Line,
        behind: Callable[[], Awaitable[None]],
        *,
        ready: Callable[[], None] | None = None,
        side: Side = "visitor",
    ) -> None:
        self.line = line
        self.side = side
        self.behind = behind
        self.ready = ready
        self.last: int | None = None  # None until `start`: what arrives is held
        self.overflown = False
        self._waiting: asyncio.Event | None = None
        self._queue: deque[str] | None = None
        self._held: dict[int, Frame] = {}
        self._gap: asyncio.Task[None] | None = None

    def start(self, last: int) -> None:
        """Everything up to `last` is shown; go on from there."""
        self.last = last
        self._drain()

    def pause(self) -> None:
        """Hold what arrives until `start`."""
        self.last = None
        self._held.clear()

    def offer(self, seq: int, frame: Frame) -> None:
        """A frame that was published, in whatever order."""
        if self.last is not None and seq <= self.last:
            return
        self._held[seq] = frame
        if len(self._held) > QUEUE_FRAMES:
            self.overflow()
        self._drain()

    def say(self, text: str) -> None:
        """Something beside the numbered frames: an error, a pong."""
        if self._queue is None:
            self._queue = deque()
        if len(self._queue) >= QUEUE_FRAMES:
            self.overflow()
            return
        self._queue.append(text)
        self._wake()

    def overflow(self) -> None:
        self.overflown = True
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None:
            self._waiting.set()
        elif self.ready is not None:
            self.ready()

    def next(self) -> str | None:
        """The next text to send; None when there is none, or the socket is too far behind."""
        if self.overflown or not self._queue:
            self._queue = None
            return None
        return self._queue.popleft()

    async def take(self) -> str | None:
        """The next text to send, waited for; None when the socket is too far behind."""
        while (text := self.next()) is None and not self.overflown:
            self._waiting = asyncio.Event()
            try:
                await self._waiting.wait()
            finally:
                self._waiting = None
        return text

    def close(self) -> None:
        if self._gap is not None:
            self._gap.cancel()

    def _drain(self) -> None:
        if self.last is None:
            return
        while (frame := self._held.pop(self.last + 1, None)) is not None:
            self.last += 1
            self.say(dump({**frame, "seq": self.last}))
        for seq in [seq for seq in self._held if seq <= self.last]:
            del self._held[seq]
        if self._held and (self._gap is None or self._gap.done()):
            self._gap = asyncio.create_task(self._fill_gap())

    async def _fill_gap(self) -> None:
        """Frames of two writers cross within milliseconds; what is still missing then is read or given up."""
        await asyncio.sleep(GAP_SECONDS)
        if not self._held or self.last is None:
            return
        missing = await feed().since(self.line, self.last)
        if missing is None:
            await self.behind()
            return
        for seq, frame in missing:
            self.offer(seq, frame)


@dataclass
class _Process:
    """What this process knows of lines: who watches, and how far each has come."""

    watchers: dict[UUID, tuple[Watcher, ...]] = field(default_factory=dict)
    reached: dict[UUID, int] = field(default_factory=dict)


class Feed:
    """The lines of one event loop."""

    def __init__(self) -> None:
        self.process = short_id(12)
        self.answers = 0  # that are being written here now
        self.accepting = asyncio.Semaphore(ACCEPTED_AT_ONCE)
        self.lasting = False  # set where the loop serves; elsewhere whoever made the loop closes the feed
        self._state = _Process()
        self._redis: Redis | None = None
        self._outbox = Outbox(self.redis)
        self._breaker: RedisBreaker | None = None
        self._resting_until = 0.0
        self._listener: asyncio.Task[None] | None = None
        self._commands: dict[str, Callable[[str], None]] = {}

    def redis(self) -> Redis | None:
        """Redis, or None while it is left alone after a failure."""
        if time.monotonic() < self._resting_until:
            return None
        if self._redis is None:
            pool = BlockingConnectionPool.from_url(
                settings.REDIS_URL,
                max_connections=CONNECTIONS,
                timeout=CONNECTION_WAIT_SECONDS,
                socket_timeout=2.0,
                socket_connect_timeout=0.5,
                decode_responses=True,
            )
            self._redis = Redis.from_pool(pool)
        return self._redis

    def rest(self, error: Exception) -> None:
        """Redis failed: go on without it for a moment."""
        if time.monotonic() >= self._resting_until:
            logger.warning("Redis cannot be reached, the database takes over: %s", error)
        self._resting_until = time.monotonic() + REST_SECONDS

    def breaker(self) -> Breaker | None:
        """The circuit breaker that all processes share; None while Redis is left alone."""
        redis = self.redis()
        if redis is not None and self._breaker is None:
            self._breaker = RedisBreaker(redis, prefix="nv:breaker:")
        return self._breaker if redis is not None else None

    # Publishing

    async def publish(self, line: Line, frame: Frame, *, least: int = 0) -> int:
        """Number a frame, keep it, and hand it to everybody who watches. Returns its seq.

        `least` is a seq the caller knows to be used, such as the database's `last_seq`.
        """
        least = max(least, self._state.reached.get(line.conversation, 0))
        seq = await self._publish_in_redis(line, frame, least)
        if seq is None:
            seq = await run_in_tenant(line.workspace, conversations.next_seq, line.conversation, least=least)
        self._reach(line, seq)
        for watcher in self._state.watchers.get(line.conversation, ()):
            watcher.offer(seq, frame)
        return seq

    async def _publish_in_redis(self, line: Line, frame: Frame, least: int) -> int | None:
        if self.redis() is None:
            return None
        keys = (line.key("seq"), line.key("frames"), line.key("watch"))
        try:
            given = (least, dump(frame), self.process, str(line.conversation))
            return await self._outbox.number(keys, given)
        except _OUTAGES as error:
            self.rest(error)
            return None

    async def tell(self, line: Line, frame: Frame, *, to: Side) -> None:
        """Hand a frame beside the numbered ones to all sockets of one side; nothing is kept of it."""
        self._hand_on(line.conversation, to, dump(frame))
        redis = self.redis()
        if redis is None:
            return
        try:
            await redis.eval(TELL, 1, line.key("watch"), self.process, told(line, frame, to=to))
        except _OUTAGES as error:
            self.rest(error)

    def _hand_on(self, conversation: UUID, side: str, text: str) -> None:
        for watcher in tuple(self._state.watchers.get(conversation, ())):
            if watcher.side == side:
                watcher.say(text)

    async def forget(self, line: Line) -> None:
        """Drop what is kept of a conversation that was deleted; what is left goes by itself in an hour."""
        self._state.reached.pop(line.conversation, None)
        redis = self.redis()
        if redis is None:
            return
        try:
            await redis.delete(*line.keys())
        except _OUTAGES as error:
            self.rest(error)

    def _reach(self, line: Line, seq: int) -> None:
        reached = self._state.reached
        reached[line.conversation] = max(seq, reached.pop(line.conversation, 0))
        if len(reached) > 50_000:
            reached.pop(next(iter(reached)))

    async def command(self, process: str, name: str, argument: str) -> None:
        """Ask another process to do something, such as to stop an answer it writes."""
        if process == self.process:
            self._commands[name](argument)
        elif (redis := self.redis()) is not None:
            try:
                await self._send(redis, process, f"!{name}\n0\n{argument}")
            except _OUTAGES as error:
                self.rest(error)

    def on_command(self, name: str, handler: Callable[[str], None]) -> None:
        self._commands[name] = handler

    @staticmethod
    async def _send(redis: Redis, process: str, text: str) -> None:
        await redis.publish(f"nv:chat:process:{process}", text)

    # Reading

    def reached(self, line: Line) -> int:
        """The newest seq that this process knows to be used."""
        return self._state.reached.get(line.conversation, 0)

    async def since(self, line: Line, last: int) -> list[tuple[int, Frame]] | None:
        """Exactly the frames after `last`; None when they are not all kept any more."""
        kept = await self.kept(line, last)
        if kept is None:
            return None
        seqs = [seq for seq, _ in kept.frames]
        return kept.frames if seqs == list(range(last + 1, kept.seq + 1)) else None

    async def kept(self, line: Line, last: int = 0) -> Kept | None:
        """The frames after `last` that are kept, and the newest seq; None while Redis is away or has none."""
        redis = self.redis()
        if redis is None:
            return None
        try:
            async with redis.pipeline(transaction=True) as pipe:
                pipe.get(line.key("seq"))
                pipe.xrange(line.key("frames"), f"({last}-0" if last else "-", "+")
                newest, entries = await pipe.execute()
        except _OUTAGES as error:
            self.rest(error)
            return None
        if newest is None or int(newest) < self._state.reached.get(line.conversation, 0):
            return None
        frames = [(int(entry.partition("-")[0]), load(data["f"])) for entry, data in entries]
        return Kept(int(newest), frames)

    # Watching

    async def watch(self, watcher: Watcher) -> None:
        """Hand this watcher what is published from now on."""
        line = watcher.line
        watchers = self._state.watchers
        watchers[line.conversation] = (*watchers.get(line.conversation, ()), watcher)
        self.listen()
        await self._register([line])

    async def leave(self, watcher: Watcher) -> None:
        line = watcher.line
        watcher.close()
        watchers = self._state.watchers
        others = tuple(other for other in watchers.get(line.conversation, ()) if other is not watcher)
        if others:
            watchers[line.conversation] = others
            return
        watchers.pop(line.conversation, None)
        if (redis := self.redis()) is not None:
            with contextlib.suppress(*_OUTAGES):
                await redis.srem(line.key("watch"), self.process)

    async def _register(self, lines: list[Line]) -> None:
        redis = self.redis()
        if redis is None or not lines:
            return
        try:
            async with redis.pipeline(transaction=False) as pipe:
                for line in lines:
                    pipe.sadd(line.key("watch"), self.process)
                    pipe.expire(line.key("watch"), WATCH_SECONDS)
                await pipe.execute()
        except _OUTAGES as error:
            self.rest(error)

    def listen(self) -> None:
        """Hear what other processes publish, and what they ask of this one."""
        if self._listener is None or self._listener.done():
            self._listener = asyncio.create_task(self._hear())

    async def _hear(self) -> None:
        """Hear what other processes publish, for as long as this process lives."""
        while True:
            try:
                await self._hear_until_it_breaks()
            except _OUTAGES as error:
                self.rest(error)
                await asyncio.sleep(REST_SECONDS)

    async def _hear_until_it_breaks(self) -> None:
        redis = Redis.from_url(settings.REDIS_URL, socket_connect_timeout=0.5, decode_responses=True)
        epoch, checked = await redis.get("nv:chat:epoch"), time.monotonic()
        async with redis, redis.pubsub() as channel:
            await channel.subscribe(f"nv:chat:process:{self.process}", closing.CHANNEL)
            await self._catch_up(redis)
            while True:
                heard = await channel.get_message(ignore_subscribe_messages=True, timeout=EPOCH_CHECK_SECONDS)
                if heard is not None:
                    self._heard(heard["data"])
                if time.monotonic() - checked >= EPOCH_CHECK_SECONDS:
                    now, checked = await redis.get("nv:chat:epoch"), time.monotonic()
                    if now is None or now != epoch:
                        epoch = await self._catch_up(redis)

    async def _catch_up(self, redis: Redis) -> str:
        """Redis was restarted or emptied: say again who watches what, and see what was missed."""
        await redis.set("nv:chat:epoch", short_id(), nx=True)
        epoch = str(await redis.get("nv:chat:epoch"))
        watchers = [watcher for group in self._state.watchers.values() for watcher in group]
        await self._register([watcher.line for watcher in watchers])
        for watcher in watchers:
            await self._check(watcher)
        return epoch

    async def _check(self, watcher: Watcher) -> None:
        """Bring a watcher up to date that may have missed frames."""
        if watcher.last is None:
            return
        kept = await self.since(watcher.line, watcher.last)
        for seq, frame in kept or ():
            watcher.offer(seq, frame)
        if kept is None:
            line = watcher.line
            stored = await run_in_tenant(line.workspace, conversations.last_seq, line.conversation)
            if watcher.last is not None and stored > watcher.last:
                await watcher.behind()

    def _heard(self, data: str) -> None:
        name, seq, text = data.split("\n", 2)
        if name.startswith("!"):
            if (handler := self._commands.get(name[1:])) is not None:
                handler(text)
            return
        if not int(seq):
            side, _, text = text.partition("\n")
            self._hand_on(UUID(name), side, text)
            return
        for watcher in self._state.watchers.get(UUID(name), ()):
            self._reach(watcher.line, int(seq))
            watcher.offer(int(seq), load(text))

    def all_watchers(self) -> list[Watcher]:
        return [watcher for group in self._state.watchers.values() for watcher in group]

    async def close(self) -> None:
        """Let go of Redis; for a loop that ends."""
        while self._listener is not None and not self._listener.done():
            self._listener.cancel()  # while it connects, redis-py may take this for a failure to connect
            await asyncio.wait([self._listener], timeout=0.2)
        if self._redis is not None:
            await self._redis.aclose()


@dataclass(frozen=True)
class Kept:
    """What the stream of a line holds, and the newest seq."""

    seq: int
    frames: list[tuple[int, Frame]]


_feeds: dict[asyncio.AbstractEventLoop, Feed] = {}


def feed() -> Feed:
    """The feed of the running event loop: a web process has one, a task's loop another."""
    loop = asyncio.get_running_loop()
    if loop not in _feeds:
        for other in [other for other in _feeds if other.is_closed()]:
            del _feeds[other]
        _feeds[loop] = Feed()
    return _feeds[loop]
