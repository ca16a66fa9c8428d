"""A visitor asks; this is what happens, from top to bottom.

    accept      usage reserved, message stored, acknowledged after the commit      (`take_in`)
    answer      retrieval → answerable? → prompt → model's stream → frames         (`answer`)
    store       the answer with its citations, once, if nobody took over; usage    (`answer`)
    end         the frame that says it is complete

An answer is a run of its own (`chat.runs`): it belongs to the conversation, not to the socket that asked.
Every turn ends with a typed outcome and a text; whatever fails, the visitor reads a plain sentence.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from agents.providers import ModelPlan, Tally, pace, pause
from chat import busy, cache, ladder, turns
from chat.answers import Answer
from chat.citations import Marks
from chat.conversations import Door, keep_seq
from chat.feed import Feed, Line, feed
from chat.models import Outcome
from chat.protocol import Stopped, ack_frame, start_frame, token_frame
from chat.spending import Known
from chat.turns import Accepted, Turn
from chat.wording import Say, said
from knowledge.recall import Reading
from tenants.context import run_in_tenant
from tenants.models import Workspace

logger = logging.getLogger(__name__)


async def take_in(
    workspace: Workspace, door: Door, *, client_id: UUID, text: str, attachments: Sequence[UUID] = ()
) -> Accepted:
    """Store a visitor's message and acknowledge it, after the commit. The same client_id is stored once."""
    lines, writer = feed(), turns.new_writer(feed().process)
    await busy.note(lines, workspace.id)
    async with lines.accepting:
        accepted = await run_in_tenant(
            workspace,
            turns.accept,
            door,
            client_id=client_id,
            text=text,
            writer=writer,
            attachments=attachments,
        )
    if accepted.seq is not None:
        return accepted
    line = Line(workspace, door.conversation_id)
    frame = ack_frame(
        client_id=client_id,
        message=accepted.message_id,
        text=accepted.text,
        attachments=accepted.attachments,
    )
    seq = await lines.publish(line, frame, least=accepted.least_seq)
    if accepted.turn is None:  # no run will keep the number
        await run_in_tenant(
            workspace, keep_seq, door.conversation_id, seq=seq, shown={accepted.message_id: seq}
        )
    return replace(accepted, seq=seq)


@dataclass
class Writing:
    """An answer while it is written: what was shown, and how to stop it."""

    turn: Turn
    feed: Feed
    streams: bool = True  # a run that was taken up shows only the finished answer
    question_seq: int | None = None
    text: str = ""
    sent: str = ""  # what of it went out as frames
    stopped: Stopped | None = None
    dropped: bool = False
    seq: int = 0
    shown: dict[UUID, int] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)
    first_token_ms: int | None = None
    tally: Tally = field(default_factory=Tally)
    marks: Marks | None = None
    reading: Reading | None = None  # the state of the knowledge that the answer was looked for in
    known: Known | None = None  # of the money, then
    plan: ModelPlan | None = None  # the models that may write it
    receipt: dict[str, Any] = field(default_factory=dict)  # what was found, for an answer that is cut short
    _buffer: str = ""
    _flushed: float = 0.0
    _flushing: asyncio.Task[None] | None = None
    _generation: asyncio.Task[Answer] | None = None

    @property
    def line(self) -> Line:
        return Line(self.turn.workspace, self.turn.conversation_id)

    def stop(self) -> None:
        """The visitor wants no more of it: the provider's request ends, what was written stays."""
        self.stopped = "visitor"
        if self._generation is not None:
            self._generation.cancel()

    def drop(self) -> None:
        """A person took over, or another run did: nothing more is shown."""
        self.dropped = True
        if self._generation is not None:
            self._generation.cancel()

    async def start(self) -> None:
        if self.question_seq is not None:
            self.shown[self.turn.question_id] = self.seq = self.question_seq
        if self.streams:
            self.seq = await self.feed.publish(self.line, start_frame(self.turn.answer_id))
            self.shown[self.turn.answer_id] = self.seq

    def add(self, text: str) -> None:
        """Show a piece of the answer, together with those that follow at once."""
        if not text:
            return
        if self.first_token_ms is None:
            self.first_token_ms = round((time.monotonic() - self.started) * 1000)
        self.text += text
        if self.streams:
            self._buffer += text
            if self._flushing is None or self._flushing.done():
                self._flushing = asyncio.create_task(self._flush_in_time())

    async def _flush_in_time(self) -> None:
        await asyncio.sleep(pause(self._flushed + pace(self.feed.answers) - time.monotonic()))
        await self._flush()

    async def _flush(self) -> None:
        piece, self._buffer = self._buffer, ""
        if piece and not self.dropped:
            self._flushed = time.monotonic()
            self.seq = await self.feed.publish(self.line, token_frame(self.turn.answer_id, piece))
            self.sent += piece

    async def finish_showing(self) -> None:
        """Wait until all that was added is on its way."""
        if self._flushing is not None:
            await self._flushing
        await self._flush()

    async def generate(self) -> Answer:
        """The answer, or as much of it as there was when it was stopped."""
        self._generation = asyncio.create_task(ladder.answer_to(self))
        if self.stopped or self.dropped:
            self._generation.cancel()
        try:
            return await self._generation
        except asyncio.CancelledError:
            if not (self.stopped or self.dropped):
                raise
            return _stopped_answer(self)
        finally:
            self._generation.cancel()


async def answer(writing: Writing) -> Answer | None:
    """Write, show and store the answer of one turn; None where somebody else has taken it."""
    turn = writing.turn
    writing.feed.answers += 1
    try:
        await writing.start()
        made = await writing.generate()
        await writing.finish_showing()
    except Exception:
        logger.exception("An answer failed (conversation %s)", turn.conversation_id)
        made = apology(writing)
    finally:
        writing.feed.answers -= 1
    made = replace(made, total_ms=round((time.monotonic() - writing.started) * 1000))
    stored = await run_in_tenant(
        turn.workspace, turns.store, turn, made, seq=writing.seq, shown=writing.shown, known=writing.known
    )
    if stored is None:
        return None
    seq = await writing.feed.publish(writing.line, stored.frame(turn.answer_id), least=writing.seq)
    if turn.answer_id not in writing.shown or seq != writing.seq + 1:  # not as `store` expected
        with contextlib.suppress(Exception):  # the answer is stored and shown; the number is only a help
            await run_in_tenant(
                turn.workspace, keep_seq, turn.conversation_id, seq=seq, shown={turn.answer_id: seq}
            )
    await _keep(writing, stored)
    return stored


async def _keep(writing: Writing, answer: Answer) -> None:
    """Keep the answer for the next who asks the same, or count that a kept one was given; the product works
    without either.
    """
    turn = writing.turn
    try:
        if answer.cached:
            await run_in_tenant(turn.workspace, cache.count, answer)
        else:
            await run_in_tenant(turn.workspace, cache.keep, turn, answer, reading=writing.reading)
    except Exception:
        logger.exception("An answer could not be kept (conversation %s)", turn.conversation_id)


def _stopped_answer(writing: Writing) -> Answer:
    """What stands when the visitor stopped the answer; never nothing."""
    text = writing.text or said(Say.STOPPED, language=writing.turn.language)
    citations = writing.marks.citations(writing.text) if writing.marks and writing.text else []
    return Answer(
        text=text,
        outcome=Outcome.ANSWERED,
        citations=citations,
        grounded=bool(citations),
        stopped=writing.stopped,
        first_token_ms=writing.first_token_ms,
        **ladder.cut_short(writing),
    )


def apology(writing: Writing) -> Answer:
    """What stands where an answer failed."""
    sentence = said(Say.FAILED, language=writing.turn.language)
    text = f"{writing.text}\n\n{sentence}" if writing.text else sentence
    return Answer(text=text, outcome=Outcome.ERROR, stopped="error", **ladder.cut_short(writing))


async def give_up(turn: Turn) -> None:
    """End an answer that nobody could write, with an apology."""
    writing = Writing(turn=turn, feed=feed(), streams=False)
    made = apology(writing)
    if await run_in_tenant(turn.workspace, turns.store, turn, made, seq=0, shown={}) is not None:
        await writing.feed.publish(writing.line, made.frame(turn.answer_id))
