"""Asking an agent without a socket: the whole answer at once, or its frames as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar
from uuid import UUID

from asgiref.sync import async_to_sync

from agents.providers import shut_down
from chat import answering
from chat.conversations import Door
from chat.feed import Line, Watcher, feed
from chat.models import Message, MessageState
from chat.protocol import load
from chat.runs import runs
from chat.turns import Accepted
from tenants.context import run_in_tenant
from tenants.models import Workspace

LONGEST_WAIT_SECONDS = 120
_POLL_SECONDS = 0.25
R = TypeVar("R")


def ask(workspace: Workspace, door: Door, *, client_id: UUID, text: str) -> UUID:
    """Ask, and wait until the answer is stored; the question's id. From synchronous code."""
    return async_to_sync(_ask)(workspace, door, client_id=client_id, text=text)


async def _ask(workspace: Workspace, door: Door, *, client_id: UUID, text: str) -> UUID:
    async with _own_loop_closed():
        accepted = await _start(workspace, door, client_id=client_id, text=text)
        await _answered(workspace, accepted.message_id)
        return accepted.message_id


async def _start(workspace: Workspace, door: Door, *, client_id: UUID, text: str) -> Accepted:
    accepted = await answering.take_in(workspace, door, client_id=client_id, text=text)
    if accepted.turn is not None:
        runs().start(accepted.turn, question_seq=accepted.seq)
    return accepted


async def _answered(workspace: Workspace, question_id: UUID) -> None:
    """Wait for the answer, whichever process writes it; not for ever."""
    own = [run.task for run in runs().open.values() if run.turn.question_id == question_id]
    if own:
        await asyncio.wait(own, timeout=LONGEST_WAIT_SECONDS)
        return
    for _ in range(int(LONGEST_WAIT_SECONDS / _POLL_SECONDS)):
        if not await run_in_tenant(workspace, _is_being_written, question_id):
            return
        await asyncio.sleep(_POLL_SECONDS)


def _is_being_written(question_id: UUID) -> bool:
    return Message.objects.filter(reply_to=question_id, state=MessageState.WRITING).exists()


async def stream(
    workspace: Workspace, door: Door, *, client_id: UUID, text: str, whole: Callable[[UUID], str]
) -> AsyncIterator[str]:
    """The protocol's frames as server-sent events, from `ack` or `start` to `end`.

    `whole(question_id)` gives, in the workspace, the final event: the same object as without streaming.
    """
    line = Line(workspace, door.conversation_id)
    watcher = Watcher(line, _nothing_to_do)
    await feed().watch(watcher)
    try:
        accepted = await answering.take_in(workspace, door, client_id=client_id, text=text)
        if accepted.turn is not None:
            watcher.start(accepted.seq or accepted.least_seq)
            run = runs().start(accepted.turn, question_seq=accepted.seq)
            async for event in _frames(watcher, str(run.turn.answer_id)):
                yield event
        await _answered(workspace, accepted.message_id)
        yield _event("answer", await run_in_tenant(workspace, whole, accepted.message_id))
    finally:
        await feed().leave(watcher)


async def _frames(watcher: Watcher, answer_id: str) -> AsyncIterator[str]:
    while (text := await watcher.take()) is not None:
        frame = load(text)
        if frame.get("message") == answer_id:
            yield _event(str(frame["type"]), text)
            if frame["type"] == "end":
                return


def _event(name: str, data: str) -> str:
    return f"event: {name}\ndata: {data}\n\n"


async def _nothing_to_do() -> None:
    """Frames that were missed stand in the whole answer that ends the stream."""


@asynccontextmanager
async def _own_loop_closed() -> AsyncIterator[None]:
    """Under WSGI and in tests each call has a loop of its own, whose connections must not outlive it."""
    lonely = not runs().open and len(asyncio.all_tasks()) == 1
    try:
        yield
    finally:
        if lonely:
            await feed().close()
            await shut_down()
