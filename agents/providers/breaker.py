"""The circuit breaker: a model that keeps failing is left alone for a while, then tried with one call.

Five failures within 30 s open the circuit for 20 s. After that one call at a time is let through as a probe:
its success closes the circuit, its failure opens it anew, its cancellation makes room for the next.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

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

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._circuits: dict[str, _Circuit] = {}

    async def allows(self, key: str) -> bool:
        circuit, now = self._circuits.get(key), self._clock()
        if circuit is None or circuit.opened_at is None:
            return True
        if now - circuit.opened_at < OPEN_SECONDS:
            return False
        if circuit.probing_since is not None and now - circuit.probing_since < PROBE_SECONDS:
            return False
        circuit.probing_since = now
        return True

    async def succeeded(self, key: str) -> None:
        circuit = self._circuits.get(key)
        if circuit is not None and circuit.probing_since is not None:
            del self._circuits[key]

    async def failed(self, key: str) -> None:
        circuit, now = self._circuits.setdefault(key, _Circuit()), self._clock()
        circuit.failures.append(now)
        full = len(circuit.failures) == FAILURES and now - circuit.failures[0] <= WINDOW_SECONDS
        if full or circuit.probing_since is not None:
            circuit.opened_at, circuit.probing_since = now, None

    async def left(self, key: str) -> None:
        if circuit := self._circuits.get(key):
            circuit.probing_since = None
