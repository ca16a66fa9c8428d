"""The circuit breaker: a model that keeps failing is left alone for a while, then tried with one call.

Five failures within 30 s open the circuit for 20 s. After that one call at a time is let through as a probe:
its success closes the circuit, its failure opens it anew, its cancellation makes room for the next.

`LocalBreaker` is one process's, `RedisBreaker` is shared by all that use the same Redis.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from redis import RedisError
from redis.asyncio import Redis

logger = logging.getLogger(__name__)

FAILURES = 5
WINDOW_SECONDS = 30.0
OPEN_SECONDS = 20.0
PROBE_SECONDS = 120.0  # a probe that never reported is given up after this


class Breaker(Protocol):
    """Keys name a model as one set of credentials sees it."""

    async def allows(self, key: str) -> bool:
        """Say whether a call may go out. Whoever got True reports once, by one of the three below."""
        ...

    async def succeeded(self, key: str) -> None: ...

    async def failed(self, key: str) -> None: ...

    async def left(self, key: str) -> None:
        """Report a call that says nothing about the model's health: cancelled, refused, over budget."""
        ...


@dataclass
class _Circuit:
    failures: deque[float] = field(default_factory=lambda: deque(maxlen=FAILURES))
    opened_at: float | None = None
    probing_since: float | None = None


class LocalBreaker:
    """A breaker of one process."""

    def __init__(self) -> None:
        self._circuits: dict[str, _Circuit] = {}

    async def allows(self, key: str) -> bool:
        circuit, now = self._circuits.get(key), time.monotonic()
        if circuit is None or circuit.opened_at is None:
            return True
        if now - circuit.opened_at < OPEN_SECONDS:
            return False
        if circuit.probing_since is not None and now - circuit.probing_since < PROBE_SECONDS:
            return False
        circuit.probing_since = now
        return True

    def forget(self, key: str) -> None:
        """What was known of it is out of date."""
        self._circuits.pop(key, None)

    def is_open(self, key: str) -> bool:
        """Whether calls are held back, or a probe is on its way."""
        circuit = self._circuits.get(key)
        return circuit is not None and circuit.opened_at is not None

    async def succeeded(self, key: str) -> None:
        circuit = self._circuits.get(key)
        if circuit is not None and circuit.probing_since is not None:
            del self._circuits[key]

    async def failed(self, key: str) -> None:
        circuit, now = self._circuits.setdefault(key, _Circuit()), time.monotonic()
        circuit.failures.append(now)
        full = len(circuit.failures) == FAILURES and now - circuit.failures[0] <= WINDOW_SECONDS
        if full or circuit.probing_since is not None:
            circuit.opened_at, circuit.probing_since = now, None

    async def left(self, key: str) -> None:
        if circuit := self._circuits.get(key):
            circuit.probing_since = None


# One hash a circuit: opened and probing hold times in seconds, f0..f4 the latest failures in a ring, n its place.
# KEYS[1] the circuit. ARGV: what happened, failures, window, open and probe seconds, life of the key.
_SCRIPT = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
local event, most = ARGV[1], tonumber(ARGV[2])
local opened = tonumber(redis.call('HGET', KEYS[1], 'opened') or '')
local probing = tonumber(redis.call('HGET', KEYS[1], 'probing') or '')
if event == 'allows' then
    if not opened then return 1 end
    if now - opened < tonumber(ARGV[4]) then return 0 end
    if probing and now - probing < tonumber(ARGV[5]) then return 0 end
    redis.call('HSET', KEYS[1], 'probing', now)
    return 2
elseif event == 'succeeded' then
    if probing then redis.call('DEL', KEYS[1]) end
elseif event == 'left' then
    redis.call('HDEL', KEYS[1], 'probing')
else
    local n = redis.call('HINCRBY', KEYS[1], 'n', 1)
    redis.call('HSET', KEYS[1], 'f' .. n % most, now)
    local oldest = tonumber(redis.call('HGET', KEYS[1], 'f' .. (n + 1) % most) or '')
    if probing or (oldest and now - oldest <= tonumber(ARGV[3])) then
        redis.call('HSET', KEYS[1], 'opened', now)
        redis.call('HDEL', KEYS[1], 'probing')
    end
    redis.call('EXPIRE', KEYS[1], ARGV[6])
end
return 1
"""
_KEY_SECONDS = 600
_KEYS_REMEMBERED = 1000
_PROBE = 2  # what the script answers to the one call that is let through an open circuit
CLOSED_SECONDS = 1.0  # a closed circuit is not asked for again within this time


class RedisBreaker:
    """A breaker shared through Redis, whose clock counts. While Redis is away, this process goes by its own.

    The client is the caller's, of the running event loop. A circuit is one small key that expires.
    """

    def __init__(self, redis: Redis, *, prefix: str = "breaker:") -> None:
        self._script = redis.register_script(_SCRIPT)
        self._prefix = prefix
        self._local = LocalBreaker()
        self._closed_until: dict[str, float] = {}  # by the monotonic clock
        self._probing: set[str] = set()

    async def allows(self, key: str) -> bool:
        now = time.monotonic()
        if self._closed_until.get(key, 0.0) > now:
            return True
        found = await self._run("allows", key, instead=self._local.allows)
        if found == _PROBE:
            self._probing.add(key)
        elif found and not self._local.is_open(key):
            self._remember_closed(key, now)
        return bool(found)

    async def succeeded(self, key: str) -> None:
        if self._probe_ended(key):
            await self._run("succeeded", key, instead=self._local.succeeded)

    async def failed(self, key: str) -> None:
        self._closed_until.pop(key, None)
        self._probing.discard(key)
        await self._run("failed", key, instead=self._local.failed)

    async def left(self, key: str) -> None:
        if self._probe_ended(key):
            await self._run("left", key, instead=self._local.left)

    def _remember_closed(self, key: str, now: float) -> None:
        if len(self._closed_until) > _KEYS_REMEMBERED:
            self._closed_until.clear()
        self._closed_until[key] = now + CLOSED_SECONDS

    def _probe_ended(self, key: str) -> bool:
        """Whether a success or nothing at all is worth telling: only a probe's is, here or locally."""
        known = key in self._probing
        self._probing.discard(key)
        return known or self._local.is_open(key)

    async def _run(self, event: str, key: str, *, instead: Callable[[str], Awaitable[object]]) -> object:
        arguments = (event, FAILURES, WINDOW_SECONDS, OPEN_SECONDS, PROBE_SECONDS, _KEY_SECONDS)
        try:
            answer = await self._script(keys=[self._prefix + key], args=arguments)
        except (RedisError, OSError) as error:
            logger.warning(
                "the shared circuit breaker cannot be reached, this process's own is used: %s", error
            )
            return await instead(key)
        self._local.forget(key)
        return answer
