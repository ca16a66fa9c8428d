"""Questions that come at the same time share a forward pass.

Nobody waits for company: a question that finds a core free runs at once and alone. Those that come while all are
at work are taken together as soon as one is free, at most MOST of them, so that the wait is never longer than the
pass that is under way (5 to 25 ms). benchmarks/embed.py measures what that gains.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from knowledge.embedding.encoders import Encoder
from knowledge.embedding.pooling import Embedded, EmbeddingInput

MOST = 10  # questions of one pass


@dataclass(slots=True, eq=False)
class _Ticket:
    """A caller's question; `turn` is set when it is answered, or when its caller is to run the pass of `led`."""

    asked: EmbeddingInput
    turn: threading.Event = field(default_factory=threading.Event)
    led: list[_Ticket] = field(default_factory=list)
    answer: Embedded | None = None
    error: BaseException | None = None


class Batcher:
    """An encoder for single questions, shared by all threads of a process; `cores` passes run at once, one on each."""

    def __init__(self, encoder: Encoder, *, cores: int, most: int = MOST) -> None:
        self._encoder = encoder
        self._most = most
        self._free = cores
        self._lock = threading.Lock()
        self._waiting: deque[_Ticket] = deque()

    def embed(self, asked: EmbeddingInput) -> Embedded:
        ticket = _Ticket(asked)
        with self._lock:
            if self._free:
                self._free -= 1
                ticket.led = [ticket]
            else:
                self._waiting.append(ticket)
        if not ticket.led:
            ticket.turn.wait()
        if ticket.led:
            self._lead(ticket.led)
        if ticket.error is not None:
            raise ticket.error
        if ticket.answer is None:
            raise RuntimeError("a pass ended without this question's vector")
        return ticket.answer

    def _lead(self, batch: Sequence[_Ticket]) -> None:
        """One pass; then the first of those who wait leads the next."""
        try:
            self._answer(batch)
        finally:
            with self._lock:
                following = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
                if following:
                    following[0].led = following
                else:
                    self._free += 1
            for ticket in (*batch, *following[:1]):
                ticket.turn.set()

    def _answer(self, batch: Sequence[_Ticket]) -> None:
        try:
            answers = self._encoder.embed([ticket.asked for ticket in batch])
        except Exception as error:
            for ticket in batch:
                ticket.error = error
            return
        for ticket, answer in zip(batch, answers, strict=True):
            ticket.answer = answer
