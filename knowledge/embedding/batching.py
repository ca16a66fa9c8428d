"""Questions that come at the same time share a forward pass.

Nobody waits for company: a question that finds the model free runs at once and alone. Those that come while it
works are taken together as soon as it is free, at most MOST of them, so that the wait is never longer than the pass
that is under way (5 to 25 ms). benchmarks/embed.py measures what that gains.
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
    """A caller's question; `turn` is set when it is answered, or when its caller is to lead the next pass."""

    asked: EmbeddingInput
    turn: threading.Event = field(default_factory=threading.Event)
    answer: Embedded | None = None
    error: BaseException | None = None


class Batcher:
    """An encoder for single questions, shared by all threads of a process."""

    def __init__(self, encoder: Encoder, *, most: int = MOST) -> None:
        self._encoder = encoder
        self._most = most
        self._lock = threading.Lock()
        self._waiting: deque[_Ticket] = deque()
        self._busy = False

    def embed(self, asked: EmbeddingInput) -> Embedded:
        ticket = _Ticket(asked)
        with self._lock:
            self._waiting.append(ticket)
            leads, self._busy = not self._busy, True
        if not leads:
            ticket.turn.wait()
        if ticket.answer is None and ticket.error is None:
            self._lead()
        if ticket.error is not None:
            raise ticket.error
        if ticket.answer is None:
            raise RuntimeError("a pass ended without this question's vector")
        return ticket.answer

    def _lead(self) -> None:
        """One pass for the first in the queue, the leader among them; then the next in the queue leads."""
        with self._lock:
            batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
        try:
            self._answer(batch)
        finally:
            with self._lock:
                following = self._waiting[0] if self._waiting else None
                self._busy = following is not None
            for ticket in batch:
                ticket.turn.set()
            if following is not None:
                following.turn.set()

    def _answer(self, batch: Sequence[_Ticket]) -> None:
        try:
            answers = self._encoder.embed([ticket.asked for ticket in batch])
        except Exception as error:
            for ticket in batch:
                ticket.error = error
            return
        for ticket, answer in zip(batch, answers, strict=True):
            ticket.answer = answer
