"""The circuit breaker opens, probes and closes, in one process and shared through Redis alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from django.conf import settings
from redis.asyncio import Redis

from agents.providers import Breaker, LocalBreaker, RedisBreaker, breaker
from agents.providers.breaker import FAILURES

OPEN, WINDOW = 0.3, 0.6


@pytest.fixture(params=["local", "redis"])
async def closed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Breaker]:
    monkeypatch.setattr(breaker, "OPEN_SECONDS", OPEN)
    monkeypatch.setattr(breaker, "WINDOW_SECONDS", WINDOW)
    if request.param == "local":
        yield LocalBreaker()
        return
    async with Redis.from_url(settings.REDIS_URL) as redis:
        yield RedisBreaker(redis, prefix=f"test:{uuid4()}:")


@pytest.fixture
async def opened(closed: Breaker) -> Breaker:
    for _ in range(FAILURES):
        assert await closed.allows("m")
        await closed.failed("m")
    return closed


async def test_it_opens_for_one_model_only(opened: Breaker) -> None:
    assert not await opened.allows("m")
    assert await opened.allows("other")


async def test_failures_far_apart_do_not_open_it(closed: Breaker) -> None:
    for _ in range(FAILURES + 1):
        await closed.failed("m")
        await asyncio.sleep(WINDOW / (FAILURES - 2))
    assert await closed.allows("m")


async def test_one_failure_among_successes_does_not_open_it(closed: Breaker) -> None:
    for _ in range(FAILURES):
        await closed.succeeded("m")
    await closed.failed("m")
    assert await closed.allows("m")


async def test_after_a_while_one_probe_goes_through(opened: Breaker) -> None:
    await asyncio.sleep(OPEN)
    assert await opened.allows("m")
    assert not await opened.allows("m")


async def test_a_good_probe_closes_it(opened: Breaker) -> None:
    await asyncio.sleep(OPEN)
    await opened.allows("m")
    await opened.succeeded("m")
    assert await opened.allows("m")
    assert await opened.allows("m")


async def test_a_bad_probe_opens_it_anew(opened: Breaker) -> None:
    await asyncio.sleep(OPEN)
    await opened.allows("m")
    await opened.failed("m")
    assert not await opened.allows("m")
    await asyncio.sleep(OPEN)
    assert await opened.allows("m")


async def test_a_cancelled_probe_makes_room_for_the_next(opened: Breaker) -> None:
    await asyncio.sleep(OPEN)
    await opened.allows("m")
    await opened.left("m")
    assert await opened.allows("m")


async def test_what_one_process_learns_all_know() -> None:
    prefix = f"test:{uuid4()}:"
    async with Redis.from_url(settings.REDIS_URL) as redis, Redis.from_url(settings.REDIS_URL) as other:
        for _ in range(FAILURES):
            await RedisBreaker(redis, prefix=prefix).failed("m")
        assert not await RedisBreaker(other, prefix=prefix).allows("m")


async def test_a_process_goes_by_what_it_knows_itself_while_redis_is_away() -> None:
    async with Redis.from_url("redis://127.0.0.1:9", retry=None) as redis:
        alone = RedisBreaker(redis)
        for _ in range(FAILURES):
            assert await alone.allows("m")
            await alone.failed("m")
        assert not await alone.allows("m")


async def test_without_redis_as_well_one_probe_goes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaker, "OPEN_SECONDS", OPEN)
    async with Redis.from_url("redis://127.0.0.1:9", retry=None) as redis:
        alone = RedisBreaker(redis)
        for _ in range(FAILURES):
            await alone.failed("m")
        await asyncio.sleep(OPEN)
        assert await alone.allows("m")
        assert not await alone.allows("m")
