"""A turn as rows: the question taken in, the answer claimed under a lease, and stored once.

Runs inside the workspace, in short transactions. The lock is the conversation's row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from agents.hours import hours_of
from agents.models import Agent
from agents.providers import Turn as Spoken
from billing import usage
from billing.limits import check_open
from billing.models import UsageKind
from billing.plans import Limit
from billing.subscriptions import standing_of
from chat import retention, spending, wording
from chat.answers import Answer
from chat.attachments import entry_of, send_with
from chat.conversations import Door, Ended, ensure, locked, next_ordinal
from chat.models import (
    Author,
    Channel,
    Conversation,
    ConversationState,
    Message,
    MessageState,
    Outcome,
    Owner,
)
from chat.protocol import AttachmentEntry
from chat.wording import Say, said
from knowledge.candidates import Overlay
from netvexa.lib.errors import NotAllowed, Unavailable
from netvexa.lib.ids import new_id
from tenants.context import current_workspace
from tenants.models import Workspace

LEASE = timedelta(seconds=12)
LONGEST_LIFE = 3  # runs that may try to write one answer before it is ended with an apology
HISTORY_MESSAGES = 12


@dataclass(frozen=True, kw_only=True)
class Turn:
    """Everything a run needs to answer one question, without asking the database again."""

    workspace: Workspace
    agent: Agent
    conversation_id: UUID
    question_id: UUID
    answer_id: UUID
    question: str
    history: tuple[Spoken, ...]
    language: str
    version: int
    writer: str
    attempt: int
    tier: str
    channel: str = Channel.WIDGET.value
    audience: str = ""
    overlay: Overlay | None = None  # a document as it would be, for a rehearsal

    @property
    def earlier_questions(self) -> list[str]:
        return [turn.text for turn in self.history if turn.role == "visitor"]


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """A visitor's message that is stored. `seq` is known where it was acknowledged before.

    `turn` is None where nobody but a person answers, or where the answer is already under way.
    """

    message_id: UUID
    text: str
    least_seq: int
    attachments: tuple[AttachmentEntry, ...] = ()
    seq: int | None = None
    turn: Turn | None = None
    known: bool = False  # it was stored by an earlier frame


class Away(NotAllowed):
    """The team takes messages by its form only while it is away."""


def accept(
    door: Door, *, client_id: UUID, text: str, writer: str, attachments: Sequence[UUID] = ()
) -> Accepted:
    """Store the visitor's message once, and claim its answer. Raises QuotaExceeded, Closed, Ended, Away.

    Usage is reserved first, in a transaction of its own: the month's bucket is one row for the workspace.
    """
    conversation = Conversation.objects.filter(pk=door.conversation_id).first()
    if conversation is not None and (known := _known(door, client_id)) is not None:
        return known
    text = retention.storable(text)
    _check_hours(door)
    conversation = conversation or ensure(door)
    reservation_id = _reserve(door) if conversation.owner == Owner.AI and text else None
    try:
        with transaction.atomic():
            accepted = _store_question(door, client_id, text, writer, reservation_id, attachments)
    except IntegrityError:  # the same client_id came over another socket at the same moment
        _release(reservation_id)
        known = _known(door, client_id)
        if known is None:
            raise
        return known
    except BaseException:
        _release(reservation_id)
        raise
    if accepted.turn is None:
        _release(reservation_id)
    return accepted


def _check_hours(door: Door) -> None:
    """Raise Away where only the form is open, unless a person is waited for or talks already."""
    hours = hours_of(door.agent)
    if hours is None or hours["behaviour"] != "form" or door.channel != Channel.WIDGET:
        return
    away = wording.away(door.agent, timezone.now(), language=door.agent.language or door.locale)
    with_people = (ConversationState.HUMAN, ConversationState.WAITING)
    if away and not Conversation.objects.filter(pk=door.conversation_id, state__in=with_people).exists():
        raise Away(away)


def _known(door: Door, client_id: UUID) -> Accepted | None:
    message = (
        Message.objects.filter(conversation_id=door.conversation_id, client_id=client_id)
        .select_related("conversation")
        .first()
    )
    if message is None:
        return None
    return Accepted(
        message_id=message.id,
        text=message.text,
        attachments=tuple(map(entry_of, message.attachments.all())),
        seq=message.seq,
        least_seq=message.conversation.last_seq,
        known=message.seq is not None,
    )


def _reserve(door: Door) -> UUID | None:
    """One answer of the month's quota; the team's own trying is free."""
    if door.channel == Channel.PREVIEW:
        return None
    workspace = current_workspace()
    standing = standing_of(workspace)
    check_open(standing)
    return usage.reserve(
        workspace,
        kind=UsageKind.ANSWERS,
        limit=standing.limits[Limit.ANSWERS],
        extra=standing.extra_answers,
        reference=f"conversation {door.conversation_id}",
    ).id


def _release(reservation_id: UUID | None) -> None:
    if reservation_id is not None:
        usage.release(current_workspace(), reservation_id)


def _store_question(
    door: Door,
    client_id: UUID,
    text: str,
    writer: str,
    reservation_id: UUID | None,
    attachments: Sequence[UUID],
) -> Accepted:
    conversation = locked(door.conversation_id)
    if conversation.state == ConversationState.CLOSED:
        raise Ended
    ordinal, now = next_ordinal(conversation), timezone.now()
    question = Message.objects.create(
        conversation=conversation, ordinal=ordinal, author=Author.VISITOR, client_id=client_id, text=text
    )
    files = send_with(question, attachments, agent=door.agent, visitor_id=door.visitor_id)
    conversation.last_message_at = now
    conversation.title = conversation.title or text[:200] or files[0].name
    conversation.save(update_fields=["last_message_at", "title"])
    turn = None
    if conversation.owner == Owner.AI:
        answer = Message.objects.create(
            conversation=conversation,
            ordinal=ordinal + 1,
            author=Author.AI,
            reply_to=question,
            state=MessageState.WRITING,
            reservation_id=reservation_id,
            lease_until=now + LEASE,
            writer=writer,
            version=conversation.version,
        )
        turn = _turn(door.agent, conversation, question, answer)
    return Accepted(
        message_id=question.id,
        text=text,
        attachments=tuple(map(entry_of, files)),
        least_seq=conversation.last_seq,
        turn=turn,
    )


def _turn(agent: Agent, conversation: Conversation, question: Message, answer: Message) -> Turn:
    workspace = current_workspace()
    return Turn(
        workspace=workspace,
        agent=agent,
        conversation_id=conversation.id,
        question_id=question.id,
        answer_id=answer.id,
        question=question.text,
        history=spoken_before(question),
        language=agent.language or conversation.locale or "en",
        version=answer.version,
        writer=answer.writer,
        attempt=answer.attempts,
        tier=standing_of(workspace).plan.tier.value,
        channel=conversation.channel,
    )


def spoken_before(question: Message) -> tuple[Spoken, ...]:
    """What was said before a question, oldest first."""
    before = Message.objects.filter(conversation_id=question.conversation_id, ordinal__lt=question.ordinal)
    rows = before.exclude(author=Author.SYSTEM).exclude(text="").order_by("-ordinal")[:HISTORY_MESSAGES]
    return tuple(
        Spoken("visitor" if row.author == Author.VISITOR else "agent", row.text) for row in reversed(rows)
    )


def renew(answers: dict[UUID, str]) -> set[UUID]:
    """Renew the leases of these answers (id to writer); returns those that are still this writer's to write.

    An answer is lost to its run when another run claimed it or a person took the conversation over.
    """
    kept: set[UUID] = set()
    for answer_id, writer in answers.items():
        mine = Message.objects.filter(
            pk=answer_id,
            writer=writer,
            state=MessageState.WRITING,
            conversation__owner=Owner.AI,
            conversation__version=F("version"),
        )
        if mine.update(lease_until=timezone.now() + LEASE):
            kept.add(answer_id)
    return kept


def store(turn: Turn, answer: Answer, *, seq: int, shown: dict[UUID, int]) -> Answer | None:
    """Store the answer, if this run may still do so, and settle its usage; None where it may not.

    When a person took over meanwhile, the agent's words are dropped: the stored answer only says so. `seq` is
    the last frame's so far; the next one is the `end`, whose number is kept here already.
    """
    with transaction.atomic():
        conversation = Conversation.objects.select_for_update().filter(pk=turn.conversation_id).first()
        if conversation is None:  # deleted meanwhile, and its usage given back
            return None
        message = Message.objects.filter(
            pk=turn.answer_id, writer=turn.writer, state=MessageState.WRITING
        ).first()
        if message is None:
            return None
        if conversation.owner != Owner.AI or conversation.version != turn.version:
            answer = _handed_over(turn, answer)
        answer.write_to(message)
        message.state, message.completed_at = MessageState.COMPLETE, timezone.now()
        message.lease_until, message.seq = None, message.seq or shown.get(message.id)
        message.save()
        conversation.last_seq = max(conversation.last_seq, seq + 1 if seq else 0)
        conversation.last_message_at = timezone.now()
        conversation.save(update_fields=["last_seq", "last_message_at"])
        if turn.question_id in shown:
            Message.objects.filter(pk=turn.question_id, seq=None).update(seq=shown[turn.question_id])
    _account(message)
    spending.book(turn.agent, message, channel=turn.channel)
    return answer


def _handed_over(turn: Turn, answer: Answer) -> Answer:
    text = said(Say.TAKEN_OVER, language=turn.language)
    return Answer(text=text, outcome=Outcome.HANDOFF, usage=answer.usage, receipt=answer.receipt)


def _account(message: Message) -> None:
    """Settle what was reserved; an answer that failed, or that a person's takeover ended, is not counted."""
    if message.reservation_id is None:
        return
    if message.outcome in (Outcome.ERROR, Outcome.HANDOFF):
        usage.release(current_workspace(), message.reservation_id)
        return
    usage.settle(
        message.reservation_id,
        tokens=message.input_tokens + message.output_tokens,
        cost_micro_usd=0 if message.receipt.get("own_key") else message.cost_micro_usd,  # what it cost us
        estimated=message.usage_estimated,
    )


def claim(answer_id: UUID, *, writer: str) -> Turn | None:
    """Take up an answer whose writer is gone; None where somebody writes it or it is finished."""
    now = timezone.now()
    orphaned = Message.objects.filter(pk=answer_id, state=MessageState.WRITING, lease_until__lt=now)
    if not orphaned.update(lease_until=now + LEASE, writer=writer, attempts=F("attempts") + 1):
        return None
    answer = Message.objects.select_related("conversation__agent", "reply_to").get(pk=answer_id)
    if answer.reply_to is None:
        raise Unavailable
    return _turn(answer.conversation.agent, answer.conversation, answer.reply_to, answer)


def orphans() -> list[UUID]:
    """The answers of this workspace whose writer is gone."""
    rows = Message.objects.filter(state=MessageState.WRITING, lease_until__lt=timezone.now())
    return list(rows.values_list("id", flat=True)[:500])


def any_writing() -> bool:
    """Whether an answer is under way in this workspace."""
    return Message.objects.filter(lease_until__isnull=False, state=MessageState.WRITING).exists()


def let_go(answers: dict[UUID, str]) -> None:
    """End the leases of this process' runs, so that others take them up at once."""
    for answer_id, writer in answers.items():
        Message.objects.filter(pk=answer_id, writer=writer, state=MessageState.WRITING).update(
            lease_until=timezone.now()
        )


def writer_of(answer_id: UUID, conversation_id: UUID) -> str | None:
    """Who writes this answer of this conversation now."""
    found = Message.objects.filter(
        pk=answer_id, conversation_id=conversation_id, state=MessageState.WRITING
    ).first()
    return found.writer if found else None


def new_writer(process: str) -> str:
    """A name for one run: its process, to reach it, and a part of its own, to fence it."""
    return f"{process}.{new_id().hex}"
