"""What a visitor does in an open conversation, frame by frame: take from the limits, call one function, answer."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings

from chat import answering, contact, conversations, history, protocol, turns
from chat.conversations import Door
from chat.feed import Line, feed
from chat.protocol import Frame, dump
from chat.runs import runs
from netvexa.lib.ratelimit import Bucket, RateLimited, take
from tenants.context import run_in_tenant
from tenants.models import Workspace

_HOUR, _DAY = 60, 24 * 60  # minutes


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Whose frame it is; `say` sends a text to their socket alone."""

    workspace: Workspace
    door: Door
    address: str
    say: Callable[[str], Awaitable[None]]

    @property
    def line(self) -> Line:
        return Line(self.workspace, self.door.conversation_id)


async def handle(caller: Caller, frame: protocol.ClientFrame) -> None:
    """Do what this frame asks for. Raises AppError."""
    await _HANDLERS[type(frame)](caller, frame)


async def _on_message(caller: Caller, frame: protocol.Say) -> None:
    await _take_message(caller)
    accepted = await answering.take_in(
        caller.workspace,
        caller.door,
        client_id=frame.client_id,
        text=frame.text,
        attachments=frame.attachments,
    )
    if accepted.turn is not None:
        runs().start(accepted.turn, question_seq=accepted.seq)
    if accepted.known:
        again = protocol.ack_frame(
            client_id=frame.client_id,
            message=accepted.message_id,
            text=accepted.text,
            attachments=accepted.attachments,
        )
        await caller.say(dump({**again, "seq": accepted.seq}))


async def _take_message(caller: Caller) -> None:
    key, rate, door = caller.workspace.key, settings.CHAT_MESSAGES_PER_MINUTE, caller.door
    await take(
        feed().redis(),
        Bucket(f"{key}:visitor:{door.visitor_id}", rate, rate),
        Bucket(f"{key}:address:{caller.address}", rate * 5, rate * 5),
        Bucket(f"{key}:agent:{door.agent.pk}", rate * 100, rate * 100),
    )


async def _take_action(caller: Caller) -> None:
    await take(None, Bucket(f"action:{caller.door.visitor_id}", 60, 30))


async def _on_stop(caller: Caller, frame: protocol.Stop) -> None:
    writer = await run_in_tenant(
        caller.workspace, turns.writer_of, frame.message, caller.door.conversation_id
    )
    if writer is not None:
        await feed().command(writer.partition(".")[0], "stop", str(frame.message))


async def _on_typing(caller: Caller, _frame: protocol.Typing) -> None:
    with contextlib.suppress(RateLimited):  # a client that says it too often is not worth an answer
        await take(None, Bucket(f"typing:{caller.door.visitor_id}", 60, 5))
        await feed().tell(caller.line, protocol.typing_frame({"kind": "visitor"}), to="team")


async def _on_read(caller: Caller, frame: protocol.Read) -> None:
    with contextlib.suppress(RateLimited):
        await take(None, Bucket(f"read:{caller.door.visitor_id}", 120, 60))
        seen = await run_in_tenant(
            caller.workspace,
            history.read_by_visitor,
            caller.door.conversation_id,
            seq=frame.seq,
            newest=feed().reached(caller.line),
        )
        if seen is not None:
            await feed().tell(caller.line, protocol.read_frame(seen), to="team")


async def _on_feedback(caller: Caller, frame: protocol.Feedback) -> None:
    await _take_action(caller)
    await run_in_tenant(
        caller.workspace,
        conversations.give_feedback,
        caller.door.conversation_id,
        frame.message,
        value=frame.value,
        comment=frame.comment,
    )


async def _on_rating(caller: Caller, frame: protocol.Rating) -> None:
    await _take_action(caller)
    await run_in_tenant(
        caller.workspace,
        conversations.rate,
        caller.door.conversation_id,
        score=frame.score,
        comment=frame.comment,
    )


async def _on_resolved(caller: Caller, frame: protocol.Resolved) -> None:
    await _take_action(caller)
    await run_in_tenant(
        caller.workspace, conversations.say_resolved, caller.door.conversation_id, value=frame.value
    )


async def _on_conversations(caller: Caller, _frame: protocol.ListConversations) -> None:
    await _take_action(caller)
    door = caller.door
    items = await run_in_tenant(caller.workspace, history.conversations_of, door.agent, door.visitor_id)
    await caller.say(dump({"type": "conversations", "items": items}))


async def _on_lead(caller: Caller, frame: protocol.LeaveContact) -> None:
    await _take_contact(caller)
    await run_in_tenant(caller.workspace, contact.leave, caller.door, frame.fields)


async def _on_handoff(caller: Caller, frame: protocol.AskForPerson) -> None:
    await _take_contact(caller)
    frames = await run_in_tenant(caller.workspace, contact.ask_for_person, caller.door, reason=frame.reason)
    await _publish(caller, frames)


async def _take_contact(caller: Caller) -> None:
    """Each of these sends an e-mail."""
    key = caller.workspace.key
    await take(
        feed().redis(),
        Bucket(f"{key}:contact:{caller.door.visitor_id}", 2, 6),
        Bucket(f"{key}:contact:{caller.address}", 10, 30),
    )


async def _on_transcript(caller: Caller, frame: protocol.MailTranscript) -> None:
    """Anybody's address can be named, so what one address gets in a day is limited as well."""
    key, to = caller.workspace.key, hashlib.sha256(frame.email.lower().encode()).hexdigest()[:24]
    await take(
        feed().redis(),
        Bucket(f"{key}:transcript:{caller.door.visitor_id}", 3 / _HOUR, 3),
        Bucket(f"{key}:transcript:{caller.address}", 10 / _HOUR, 10),
        Bucket(f"{key}:transcript:{to}", 3 / _DAY, 3),
        Bucket(f"{key}:transcript", 200 / _HOUR, 200),
    )
    await run_in_tenant(caller.workspace, contact.mail_transcript, caller.door, email=frame.email)
    await caller.say(dump(protocol.done_frame("transcript")))


async def _on_end(caller: Caller, _frame: protocol.End) -> None:
    await _take_action(caller)
    frames = await run_in_tenant(caller.workspace, conversations.end_by_visitor, caller.door.conversation_id)
    await _publish(caller, frames)


async def _publish(caller: Caller, frames: list[Frame]) -> None:
    line, shown = caller.line, dict[UUID, int]()
    seq = await run_in_tenant(line.workspace, conversations.last_seq, line.conversation)
    for frame in frames:
        seq = await feed().publish(line, frame, least=seq)
        if frame["type"] == "message":
            shown[UUID(frame["message"])] = seq
    await run_in_tenant(line.workspace, conversations.keep_seq, line.conversation, seq=seq, shown=shown)


_HANDLERS: dict[type, Callable[[Caller, Any], Awaitable[None]]] = {
    protocol.Say: _on_message,
    protocol.Stop: _on_stop,
    protocol.Typing: _on_typing,
    protocol.Read: _on_read,
    protocol.Feedback: _on_feedback,
    protocol.Rating: _on_rating,
    protocol.Resolved: _on_resolved,
    protocol.ListConversations: _on_conversations,
    protocol.LeaveContact: _on_lead,
    protocol.AskForPerson: _on_handoff,
    protocol.MailTranscript: _on_transcript,
    protocol.End: _on_end,
}
