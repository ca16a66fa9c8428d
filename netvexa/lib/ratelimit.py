"""Token buckets in Redis, shared by all processes; in this process alone while Redis is away.

A bucket holds `burst` tokens and gains `per_minute` of them a minute. Taking from several is one round trip,
and takes from all of them or from none.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from django.conf import settings
from redis import Redis as SyncRedis
from redis.asyncio import Redis
from redis.exceptions import RedisError

from netvexa.lib.errors import AppError

# Returns how long to wait in seconds, then what each bucket holds afterwards, as text to keep the fractions.
_TAKE = """
local now, cost, wait, all = tonumber(ARGV[1]), tonumber(ARGV[2]), 0, {}
for i = 1, #KEYS do
  local rate, burst = tonumber(ARGV[i * 2 + 1]), tonumber(ARGV[i * 2 + 2])
  local held = redis.call('HMGET', KEYS[i], 'tokens', 'at')
  all[i] = math.min(burst, (tonumber(held[1]) or burst) + (now - (tonumber(held[2]) or now)) * rate)
  if all[i] < cost then wait = math.max(wait, (cost - all[i]) / rate) end
end
local answer = {tostring(wait)}
for i = 1, #KEYS do
  local rate, burst = tonumber(ARGV[i * 2 + 1]), tonumber(ARGV[i * 2 + 2])
  if wait == 0 then
    all[i] = all[i] - cost
    redis.call('HSET', KEYS[i], 'tokens', all[i], 'at', now)
    redis.call('EXPIRE', KEYS[i], math.ceil(burst / rate) + 1)
  end
  answer[i + 1] = tostring(all[i])
end
return answer
"""
_KEY = "nv:rate:{}"


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

    def headers(self, tokens: float) -> dict[str, str]:
        """What a client is told where the bucket holds so many: the three fields of the draft that clients know."""
        window = round(self.burst / self.per_second)
        return {
            "RateLimit-Limit": str(self.burst),
            "RateLimit-Remaining": str(max(0, int(tokens))),
            "RateLimit-Reset": str(round((self.burst - tokens) / self.per_second)),
            "RateLimit-Policy": f"{self.burst};w={window}",
        }


@dataclass(frozen=True)
class Left:
    """What each bucket holds afterwards, and how long to wait in seconds where nothing could be taken."""

    tokens: list[float]
    wait: float


Held = dict[str, tuple[float, float]]  # by a bucket's name: its tokens, and when they were counted
_local: Held = {}
_LOCAL_MOST = 10_000


async def take(redis: Redis | None, *buckets: Bucket) -> None:
    """Take one token out of each bucket, or none at all. Raises RateLimited.

    `redis` None means that Redis is known to be away.
    """
    left = await _take_shared(redis, buckets) if redis is not None else None
    if left is None:
        left = _take_local(buckets, 1)
    if left.wait > 0:
        raise RateLimited(retry_after=left.wait)


def take_held(held: Held, bucket: Bucket) -> None:
    """Take one token out of a bucket that its owner keeps in `held`, such as a socket's own. Raises RateLimited."""
    left = _take_local((bucket,), 1, held)
    if left.wait > 0:
        raise RateLimited(retry_after=left.wait)


def spend(*buckets: Bucket, cost: float = 1) -> Left:
    """Take `cost` tokens out of each bucket from synchronous code, or none at all, and say what is left."""
    try:
        answer = cast("list[bytes]", shared().eval(_TAKE, len(buckets), *_arguments(buckets, cost)))
    except (RedisError, OSError):
        return _take_local(buckets, cost)
    return _left(answer)


def refill(bucket: Bucket) -> None:
    """Forget what was taken out of the bucket."""
    _local.pop(bucket.name, None)
    try:
        shared().delete(_KEY.format(bucket.name))
    except (RedisError, OSError):
        return  # it fills by itself


@lru_cache(maxsize=1)
def shared() -> SyncRedis:
    """The Redis of limits, for synchronous code; it gives up soon, because a limiter must not be what is slow."""
    return SyncRedis.from_url(settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5)


async def _take_shared(redis: Redis, buckets: tuple[Bucket, ...]) -> Left | None:
    try:
        return _left(await redis.eval(_TAKE, len(buckets), *_arguments(buckets, 1)))
    except (RedisError, OSError):
        return None


def _arguments(buckets: tuple[Bucket, ...], cost: float) -> list[Any]:
    keys = [_KEY.format(bucket.name) for bucket in buckets]
    limits = [str(value) for bucket in buckets for value in (bucket.per_second, bucket.burst)]
    return [*keys, str(time.time()), str(cost), *limits]


def _left(answer: list[bytes]) -> Left:
    wait, *tokens = (float(value) for value in answer)
    return Left(tokens, wait)


def _take_local(buckets: tuple[Bucket, ...], cost: float, kept: Held = _local) -> Left:
    now = time.time()
    if len(kept) > _LOCAL_MOST:
        kept.clear()
    held = []
    for bucket in buckets:
        tokens, at = kept.get(bucket.name, (float(bucket.burst), now))
        held.append(min(bucket.burst, tokens + (now - at) * bucket.per_second))
    wait = max((cost - tokens) / bucket.per_second for bucket, tokens in zip(buckets, held, strict=True))
    if wait > 0:
        return Left(held, wait)
    left = [tokens - cost for tokens in held]
    kept.update({bucket.name: (tokens, now) for bucket, tokens in zip(buckets, left, strict=True)})
    return Left(left, 0.0)
