"""Token buckets in Redis, shared by all processes; in this process alone while Redis is away.

A bucket holds `burst` tokens and gains `per_minute` of them a minute. Taking one is one round trip.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import cast

from redis import Redis as SyncRedis
from redis.asyncio import Redis
from redis.exceptions import RedisError

from netvexa.lib.errors import AppError

_TAKE = """
local now = tonumber(ARGV[1])
for i = 1, #KEYS do
  local rate, burst = tonumber(ARGV[i * 2]), tonumber(ARGV[i * 2 + 1])
  local held = redis.call('HMGET', KEYS[i], 'tokens', 'at')
  local tokens = math.min(burst, (tonumber(held[1]) or burst) + (now - (tonumber(held[2]) or now)) * rate)
  if tokens < 1 then return tostring((1 - tokens) / rate) end
end
for i = 1, #KEYS do
  local rate, burst = tonumber(ARGV[i * 2]), tonumber(ARGV[i * 2 + 1])
  local held = redis.call('HMGET', KEYS[i], 'tokens', 'at')
  local tokens = math.min(burst, (tonumber(held[1]) or burst) + (now - (tonumber(held[2]) or now)) * rate)
  redis.call('HSET', KEYS[i], 'tokens', tokens - 1, 'at', now)
  redis.call('EXPIRE', KEYS[i], math.ceil(burst / rate) + 1)
end
return '0'
"""


class RateLimited(AppError):
    """Too many of these in a short time; `retry_after` says when the next one goes through."""

    code = "rate_limited"
    status = 429
    default_detail = "That was a lot at once. Please wait a moment and try again."


@dataclass(frozen=True)
class Bucket:
    """One limit: its name carries the workspace and whom it is for."""

    name: str
    per_minute: float
    burst: int

    @property
    def per_second(self) -> float:
        return self.per_minute / 60


_local: dict[str, tuple[float, float]] = {}
_LOCAL_MOST = 10_000


async def take(redis: Redis | None, *buckets: Bucket) -> None:
    """Take one token out of each bucket, or none at all. Raises RateLimited.

    `redis` None means that Redis is known to be away.
    """
    wait = await _take_shared(redis, buckets) if redis is not None else None
    if wait is None:
        wait = _take_local(buckets)
    if wait > 0:
        raise RateLimited(retry_after=wait)


async def _take_shared(redis: Redis, buckets: tuple[Bucket, ...]) -> float | None:
    arguments = [value for bucket in buckets for value in (bucket.per_second, bucket.burst)]
    keys = [f"nv:rate:{bucket.name}" for bucket in buckets]
    try:
        return float(await redis.eval(_TAKE, len(keys), *keys, time.time(), *arguments))
    except (RedisError, OSError):
        return None


def _take_local(buckets: tuple[Bucket, ...]) -> float:
    now = time.time()
    if len(_local) > _LOCAL_MOST:
        _local.clear()
    held = {}
    for bucket in buckets:
        tokens, at = _local.get(bucket.name, (float(bucket.burst), now))
        held[bucket.name] = min(bucket.burst, tokens + (now - at) * bucket.per_second)
        if held[bucket.name] < 1:
            return (1 - held[bucket.name]) / bucket.per_second
    _local.update({name: (tokens - 1, now) for name, tokens in held.items()})
    return 0.0


@dataclass(frozen=True)
class Left:
    """What a bucket holds after one was taken, or how long to wait where none could be."""

    tokens: int
    wait: float


_TAKE_AND_TELL = """
local now, rate, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local held = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = math.min(burst, (tonumber(held[1]) or burst) + (now - (tonumber(held[2]) or now)) * rate)
if tokens < cost then return {tostring(tokens), tostring((cost - tokens) / rate)} end
redis.call('HSET', KEYS[1], 'tokens', tokens - cost, 'at', now)
redis.call('EXPIRE', KEYS[1], math.ceil(burst / rate) + 1)
return {tostring(tokens - cost), '0'}
"""


def spend(redis: SyncRedis, bucket: Bucket, *, cost: int = 1) -> Left:
    """Take `cost` tokens from synchronous code and say what is left; in this process while Redis is away."""
    try:
        tokens, wait = cast(
            "tuple[bytes, bytes]",
            redis.eval(
                _TAKE_AND_TELL,
                1,
                f"nv:rate:{bucket.name}",
                str(time.time()),
                str(bucket.per_second),
                str(bucket.burst),
                str(cost),
            ),
        )
    except (RedisError, OSError):
        waiting = _take_local((bucket,))
        return Left(int(_local.get(bucket.name, (0.0, 0.0))[0]), waiting)
    return Left(int(float(tokens)), float(wait))
