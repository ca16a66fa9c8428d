"""Which workspaces may have answers under way: where to look for those whose writer died.

A sorted set in Redis holds the workspaces by the time of their last sign of life; a process notes one at most
every few seconds, before it takes a message in, so nothing can slip between. The database is the truth: when
Redis was emptied, and every few minutes, all workspaces are asked once.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import cast
from uuid import UUID

from redis import Redis as SyncRedis
from redis.exceptions import RedisError

from chat.feed import Feed

BUSY = "nv:chat:busy"
TALKED = "nv:chat:talked"
ALL_DIGESTS = "nv:chat:talked:complete"
COMPLETE = "nv:chat:busy:complete"
NOTE_SECONDS = 5.0
FORGET_SECONDS = 60.0
ASK_ALL_SECONDS = 600
TALK_SECONDS = 900.0  # well beyond `chat.digests.QUIET`
ALL_DIGESTS_SECONDS = 3600

_noted: dict[UUID, float] = {}


async def note(lines: Feed, workspace_id: UUID, *, again: bool = False) -> None:
    """Say that answers may be under way in this workspace."""
    now = time.monotonic()
    if not again and now - _noted.get(workspace_id, -NOTE_SECONDS) < NOTE_SECONDS:
        return
    redis = lines.redis()
    if redis is None:
        return
    try:
        await redis.zadd(BUSY, {str(workspace_id): time.time()})
    except (RedisError, OSError) as error:
        lines.rest(error)
        return
    _noted[workspace_id] = now


def claim_full_round(redis: SyncRedis) -> bool:
    """Say whether all workspaces are to be asked now; only one asker in ten minutes is told so."""
    return bool(redis.set(COMPLETE, "1", nx=True, ex=ASK_ALL_SECONDS))


def keep_talked(redis: SyncRedis, workspace_ids: Iterable[UUID]) -> None:
    """Say that there was talk in these workspaces, whose conversations are digested when they are quiet."""
    if members := {str(workspace_id): time.time() for workspace_id in workspace_ids}:
        redis.zadd(TALKED, members)


def talked(redis: SyncRedis) -> set[UUID]:
    """The workspaces with talk in the last minutes; what is older is forgotten."""
    redis.zremrangebyscore(TALKED, "-inf", time.time() - TALK_SECONDS)
    return {UUID(member.decode()) for member in cast("list[bytes]", redis.zrange(TALKED, 0, -1))}


def claim_all_digests(redis: SyncRedis) -> bool:
    """Say whether the conversations of all workspaces are to be looked at now: once an hour."""
    return bool(redis.set(ALL_DIGESTS, "1", nx=True, ex=ALL_DIGESTS_SECONDS))


def noted(redis: SyncRedis) -> dict[UUID, float]:
    """The workspaces to look into, and when each gave its last sign of life."""
    rows = cast("list[tuple[bytes, float]]", redis.zrange(BUSY, 0, -1, withscores=True))
    return {UUID(member.decode()): at for member, at in rows}


def forget(redis: SyncRedis, workspace_id: UUID, *, seen: float) -> None:
    """Nothing is under way there any more, unless it was noted again meanwhile."""
    if time.time() - seen > FORGET_SECONDS:
        redis.eval(
            "if redis.call('ZSCORE', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('ZREM', KEYS[1], ARGV[1]) end",
            1,
            BUSY,
            str(workspace_id),
            repr(seen),
        )
