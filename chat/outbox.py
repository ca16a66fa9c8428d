"""Numbering frames in Redis, many in one go.

While one round trip is under way, the frames of all conversations of this process gather; the next round trip
takes them together. Alone a frame goes out at once; under load a token costs a small part of a round trip.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from redis.asyncio import Redis
from redis.exceptions import NoScriptError, ResponseError

MOST_AT_ONCE = 100

# KEYS: counter, stream, watchers. ARGV: least seq so far, frame, this process, conversation.
# The least seq is the database's or this process' own; whichever is highest wins.
PUBLISH = """
local seq = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), tonumber(ARGV[1])) + 1
redis.call('SET', KEYS[1], seq, 'EX', 3600)
local kept = redis.pcall('XADD', KEYS[2], 'MAXLEN', '~', 2000, seq .. '-0', 'f', ARGV[2])
if type(kept) == 'table' and kept.err then
  redis.call('DEL', KEYS[2])
  redis.call('XADD', KEYS[2], seq .. '-0', 'f', ARGV[2])
end
redis.call('EXPIRE', KEYS[2], 3600)
for _, process in ipairs(redis.call('SMEMBERS', KEYS[3])) do
  if process ~= ARGV[3] then
    local heard = redis.call('PUBLISH', 'nv:chat:process:' .. process, ARGV[4] .. '\\n' .. seq .. '\\n' .. ARGV[2])
    if heard == 0 then redis.call('SREM', KEYS[3], process) end
  end
end
return seq
"""


@dataclass(frozen=True, slots=True)
class Posting:
    """One frame on its way to its number."""

    keys: tuple[str, str, str]
    given: tuple[int, str, str, str]
    number: asyncio.Future[int]


@dataclass
class Outbox:
    """The frames of one event loop that wait for their numbers, in order."""

    redis: Callable[[], Redis | None]
    _waiting: deque[Posting] = field(default_factory=deque)
    _sender: asyncio.Task[None] | None = None
    _sha: str = ""

    async def number(self, keys: tuple[str, str, str], given: tuple[int, str, str, str]) -> int:
        """The frame's number. Raises RedisError or OSError where Redis cannot give one."""
        posting = Posting(keys, given, asyncio.get_running_loop().create_future())
        self._waiting.append(posting)
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send_all())
        return await posting.number

    async def _send_all(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_AT_ONCE))]
            try:
                numbers = await self._send(batch)
            except BaseException as error:
                _fail(batch, error)
                if not isinstance(error, Exception):
                    raise
            else:
                for posting, number in zip(batch, numbers, strict=True):
                    _tell(posting, number)

    async def _send(self, batch: list[Posting]) -> list[int | Exception]:
        redis = self.redis()
        if redis is None:
            raise ConnectionError("Redis is left alone for a moment")
        if not self._sha:
            self._sha = str(await redis.script_load(PUBLISH))
        numbers = await self._evaluate(redis, batch)
        if any(isinstance(number, NoScriptError) for number in numbers):  # Redis was restarted: nothing ran
            self._sha = str(await redis.script_load(PUBLISH))
            numbers = await self._evaluate(redis, batch)
        return numbers

    async def _evaluate(self, redis: Redis, batch: list[Posting]) -> list[int | Exception]:
        async with redis.pipeline(transaction=False) as pipe:
            for posting in batch:
                pipe.evalsha(self._sha, len(posting.keys), *posting.keys, *posting.given)
            return list(await pipe.execute(raise_on_error=False))


def _tell(posting: Posting, number: int | Exception) -> None:
    if posting.number.done():  # its caller was cancelled
        return
    if isinstance(number, Exception):
        posting.number.set_exception(number if isinstance(number, ResponseError) else OSError(str(number)))
    else:
        posting.number.set_result(int(number))


def _fail(batch: list[Posting], error: BaseException) -> None:
    for posting in batch:
        if not posting.number.done():
            posting.number.set_exception(error if isinstance(error, Exception) else OSError("cancelled"))
