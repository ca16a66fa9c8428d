"""The answers this process is writing: tasks of their own, each under a lease in the database.

A socket that drops takes nothing with it. One heartbeat renews all leases; when it stops, another process
takes the answers up (`chat.tasks`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from dataclasses import dataclass, field
from uuid import UUID

from chat import answering, busy, turns
from chat.answering import Writing
from chat.answers import Answer
from chat.feed import Feed, feed
from chat.turns import Turn
from tenants.context import run_in_tenant
from tenants.models import Workspace

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 4.0
DRAIN_SECONDS = 8.0


@dataclass
class Run:
    """One answer on its way."""

    writing: Writing
    task: asyncio.Task[Answer | None]

    @property
    def turn(self) -> Turn:
        return self.writing.turn


@dataclass
class Runs:
    """The runs of one event loop."""

    feed: Feed
    open: dict[UUID, Run] = field(default_factory=dict)
    _order: dict[UUID, asyncio.Lock] = field(default_factory=dict)
    _heart: asyncio.Task[None] | None = None

    def start(self, turn: Turn, *, question_seq: int | None, streams: bool = True) -> Run:
        """Begin to answer; answers of one conversation are written one after the other."""
        self.feed.listen()  # whoever stops an answer or takes over may do so through another process
        writing = Writing(turn=turn, feed=self.feed, question_seq=question_seq, streams=streams)
        run = Run(writing, asyncio.create_task(self._in_order(writing)))
        self.open[turn.answer_id] = run
        run.task.add_done_callback(lambda _task: self._ended(run))
        if self._heart is None or self._heart.done():
            self._heart = asyncio.create_task(self._beat())
        return run

    def stop(self, answer_id: UUID) -> None:
        """Stop a run of this process, as its visitor asked."""
        if (run := self.open.get(answer_id)) is not None:
            run.writing.stop()

    def drop(self, answer_id: UUID) -> None:
        """End a run whose answer is no longer wanted."""
        if (run := self.open.get(answer_id)) is not None:
            run.writing.drop()

    def drop_all_of(self, workspace_id: UUID) -> None:
        """End the runs of a workspace that was closed."""
        for run in list(self.open.values()):
            if run.turn.workspace.pk == workspace_id:
                run.writing.drop()

    async def drain(self) -> None:
        """Let what is nearly done finish; hand the rest to others. For a process that ends."""
        running = [run.task for run in self.open.values()]
        if running:
            await asyncio.wait(running, timeout=DRAIN_SECONDS)
        rest = list(self.open.values())
        for run in rest:
            run.task.cancel()
        await asyncio.gather(*(run.task for run in rest), return_exceptions=True)
        for run in rest:
            with contextlib.suppress(Exception):
                unfinished = answering.apology(run.writing)
                await run_in_tenant(run.turn.workspace, turns.let_go, run.turn, unfinished)

    async def _in_order(self, writing: Writing) -> Answer | None:
        conversation = writing.turn.conversation_id
        lock = self._order.setdefault(conversation, asyncio.Lock())
        try:
            async with lock:
                return await answering.answer(writing)
        except Exception:
            logger.exception("An answer could not be stored; another process takes it up")
            return None

    def _ended(self, run: Run) -> None:
        self.open.pop(run.turn.answer_id, None)
        conversation = run.turn.conversation_id
        if not any(other.turn.conversation_id == conversation for other in self.open.values()):
            self._order.pop(conversation, None)

    async def _beat(self) -> None:
        """Renew the leases while there are runs; an answer that was lost to its run is dropped."""
        while self.open:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            runs = list(self.open.values())
            try:
                await self._renew(runs)
            except Exception:
                logger.exception("Leases could not be renewed")

    async def _renew(self, runs: list[Run]) -> None:
        for workspace, answers in _by_workspace(runs):
            kept = await run_in_tenant(workspace, turns.renew, answers)
            for answer_id in answers.keys() - kept:
                self.drop(answer_id)
            await busy.note(self.feed, workspace.id, again=True)


async def take_up(workspace: Workspace, answer_id: UUID) -> None:
    """Write an answer whose writer is gone, and show it whole, unless it needs no more of that."""
    writer = turns.new_writer(feed().process)
    turn = await run_in_tenant(workspace, turns.claim, answer_id, writer=writer)
    if turn is None:
        return
    if turn.attempt > turns.LONGEST_LIFE:
        await answering.give_up(turn)
    else:
        await runs().start(turn, question_seq=None, streams=False).task


def _by_workspace(runs: list[Run]) -> list[tuple[Workspace, dict[UUID, str]]]:
    groups: dict[Workspace, dict[UUID, str]] = defaultdict(dict)
    for run in runs:
        groups[run.turn.workspace][run.turn.answer_id] = run.turn.writer
    return list(groups.items())


_runs: dict[Feed, Runs] = {}


def runs() -> Runs:
    """The runs of the running event loop."""
    lines = feed()
    if lines not in _runs:
        made = _runs[lines] = Runs(lines)
        lines.on_command("stop", lambda answer_id: made.stop(UUID(answer_id)))
        lines.on_command("drop", lambda answer_id: made.drop(UUID(answer_id)))
    return _runs[lines]
