"""The circuit breaker opens, probes and closes."""

from __future__ import annotations

import pytest

from agents.providers.breaker import FAILURES, OPEN_SECONDS, WINDOW_SECONDS, LocalBreaker


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def opened(clock: Clock) -> LocalBreaker:
    breaker = LocalBreaker(clock=clock)
    for _ in range(FAILURES):
        assert await breaker.allows("m")
        await breaker.failed("m")
    return breaker


async def test_it_opens_for_one_model_only(opened: LocalBreaker) -> None:
    assert not await opened.allows("m")
    assert await opened.allows("other")


async def test_failures_far_apart_do_not_open_it(clock: Clock) -> None:
    breaker = LocalBreaker(clock=clock)
    for _ in range(FAILURES * 2):
        await breaker.failed("m")
        clock.now += WINDOW_SECONDS / (FAILURES - 2)
    assert await breaker.allows("m")


async def test_after_a_while_one_probe_goes_through(opened: LocalBreaker, clock: Clock) -> None:
    clock.now += OPEN_SECONDS
    assert await opened.allows("m")
    assert not await opened.allows("m")


async def test_a_good_probe_closes_it(opened: LocalBreaker, clock: Clock) -> None:
    clock.now += OPEN_SECONDS
    await opened.allows("m")
    await opened.succeeded("m")
    assert await opened.allows("m")
    assert await opened.allows("m")


async def test_a_bad_probe_opens_it_anew(opened: LocalBreaker, clock: Clock) -> None:
    clock.now += OPEN_SECONDS
    await opened.allows("m")
    await opened.failed("m")
    assert not await opened.allows("m")
    clock.now += OPEN_SECONDS
    assert await opened.allows("m")


async def test_a_cancelled_probe_makes_room_for_the_next(opened: LocalBreaker, clock: Clock) -> None:
    clock.now += OPEN_SECONDS
    await opened.allows("m")
    await opened.left("m")
    assert await opened.allows("m")
