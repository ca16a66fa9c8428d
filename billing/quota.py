"""The month's quota as a count in Redis: whether one more may be admitted, decided in well under a millisecond.

The count is seeded from the ledger's bucket and seeded anew after Redis lost it. It may run ahead of the bucket
(a process died between the two) or behind it (another process could not reach Redis for a moment), so neither
direction is trusted to the end: what it admits, the bucket's row still has to take, and what it refuses is held
against the row once every few seconds. While Redis is away, the row decides alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum
from functools import lru_cache
from typing import Any, cast

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

from billing.models import UsageKind
from tenants.models import Workspace

KEEP = 40 * 86400  # seconds: longer than a month
RECHECK = 5  # seconds between two looks at the row while the count refuses
AWAY = 1.0  # seconds in which a process does not ask again a Redis that failed
_NO_LIMIT = -1
_TAKE = """
local used = redis.call('GET', KEYS[1])
if not used then return {2, 0} end
local limit = tonumber(ARGV[1])
if limit >= 0 and tonumber(used) >= limit then
  if redis.call('SET', KEYS[2], '1', 'NX', 'EX', ARGV[2]) then return {2, tonumber(used)} end
  return {0, tonumber(used)}
end
return {1, redis.call('INCR', KEYS[1])}
"""
_GIVE_BACK = "if redis.call('EXISTS', KEYS[1]) == 1 then return redis.call('DECR', KEYS[1]) end"


class Verdict(IntEnum):
    """What the count says. ASK: it does not know, so the bucket's row decides."""

    REFUSED = 0
    ADMITTED = 1
    ASK = 2


@dataclass(frozen=True)
class Ruling:
    """A verdict, and how much is used with this one."""

    verdict: Verdict
    used: int


@dataclass
class _Line:
    """This process' way to Redis, left alone for a moment after it failed."""

    redis: Redis
    take: Any = field(init=False)
    give_back: Any = field(init=False)
    silent_until: float = 0.0

    def __post_init__(self) -> None:
        self.take = self.redis.register_script(_TAKE)
        self.give_back = self.redis.register_script(_GIVE_BACK)

    def ask(self, question: Callable[[], object]) -> object | None:
        """The answer, or None while Redis is away."""
        if time.monotonic() < self.silent_until:
            return None
        try:
            return question()
        except (RedisError, OSError):
            self.silent_until = time.monotonic() + AWAY
            return None


@lru_cache(maxsize=1)
def line() -> _Line:
    """The line of this process."""
    return _Line(Redis.from_url(settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5))


@dataclass(frozen=True)
class Count:
    """The count of one workspace, kind and month."""

    workspace: Workspace
    kind: UsageKind
    period: date

    @property
    def key(self) -> str:
        return f"nv:quota:{self.workspace.key}:{self.kind.value}:{self.period:%Y-%m}"

    def take(self, limit: int | None, *, booked: Callable[[], int]) -> Ruling:
        """Take one place; `booked` reads the bucket, and is called only where Redis has no count."""
        ruling = self._ask(limit)
        if ruling is not None and ruling.verdict is Verdict.ASK and not ruling.used:
            seed = booked()
            line().ask(lambda: line().redis.set(self.key, seed, nx=True, ex=KEEP))
            ruling = self._ask(limit)
        return ruling or Ruling(Verdict.ASK, 0)

    def _ask(self, limit: int | None) -> Ruling | None:
        keys = [self.key, f"{self.key}:checked"]
        given = [_NO_LIMIT if limit is None else limit, RECHECK]
        answer = line().ask(lambda: line().take(keys=keys, args=given))
        if answer is None:
            return None
        verdict, used = cast("list[int]", answer)
        return Ruling(Verdict(verdict), used)

    def give_back(self) -> None:
        """One place is free again."""
        line().ask(lambda: line().give_back(keys=[self.key]))

    def forget(self) -> None:
        """The bucket said otherwise: count from it again."""
        line().ask(lambda: line().redis.delete(self.key))
