"""A turn as rows: the question taken in, the answer claimed under a lease, and stored once.

Runs inside the workspace, in short transactions. The lock is the conversation's row.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
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
from billing.subscriptions import Standing, standing_asked, standing_of
from chat import clarifying, retention, spending, statements, wording
from chat.answers import Answer, ExactAnswers
from chat.attachments import entry_of, send_with
from chat.clarifying import AskingBack
from chat.conversations import Door, Ended
from chat.models import (
    Attachment,
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
from netvexa.lib.errors import NotAllowed, NotFound, Unavailable
from netvexa.lib.ids import new_id
from tenants import closing
from tenants.context import WorkspaceClosed, current_workspace, persistently
from tenants.models import Workspace
from tenants.postgresql.prepared import fetch

LEASE = timedelta(seconds=12)
LONGEST_LIFE = 3  # runs that may try to write one answer before it is ended with an apology
HISTORY_MESSAGES = 12
_READ_BEFORE = 2 * HISTORY_MESSAGES  # some say nothing
PLACES_TRIED = 8  # messages of one conversation that may come at the same moment
_LAST_PLACE = 2**31 - 1


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
    reservation_id: UUID | None = None
    has_files: bool = False  # the question came with attachments
    audiences: tuple[str, ...] = ()  # that the visitor belongs to, by proof
    overlay: Overlay | None = None  # knowledge as it would be, for a rehearsal
    exact: ExactAnswers | None = None  # likewise
    chosen: str = ""  # of what the agent asked back; the question holds it

    @property
    def earlier_questions(self) -> list[str]:
        """What the question may lean on; one that was completed by a choice leans on nothing."""
        return [] if self.chosen else clarifying.questions_in(self.history)

    def completed(self) -> Turn:
        """The turn with its whole question, where the message takes one of the choices that the agent asked back."""
        before = clarifying.asked_back(self.history)
        choice = before.taken_by(self.question) if before else ""
        if before is None or not choice:
            return self
        return replace(self, question=before.completed(choice), chosen=choice)


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
    """Store the visitor's message once, and claim its answer. Raises QuotaExceeded, Closed, Ended,
    Away, WorkspaceClosed.

    Usage is reserved first, in a transaction of its own: the month's bucket is one row for the workspace.
    """
    here = statements.standing_at(door.conversation_id, client_id, most=_READ_BEFORE)
    plan = standing_asked(current_workspace())
    fetch(here, plan)
    found, standing = here.found, plan.found
    if found.is_known and (known := _known(door, client_id)) is not None:
        return known
    if not found.is_open:
        raise WorkspaceClosed
    text = retention.storable(text)
    _check_hours(door)
    if found.owner is None:
        statements.open_conversation(door, now=timezone.now())
    answers = found.owner in (None, Owner.AI)
    reservation_id = _reserve(door, standing) if answers and text else None
    claim = _Claim(writer, reservation_id, standing.plan.tier.value)
    try:
        accepted = _store_in_place(door, client_id, text, claim, attachments, before=found.before)
    except BaseException:
        _release(reservation_id)
        raise
    if accepted.turn is None:
        _release(reservation_id)
    return accepted


def _store_in_place(
    door: Door,
    client_id: UUID,
    text: str,
    claim: _Claim,
    attachments: Sequence[UUID],
    *,
    before: Sequence[statements.Said],
) -> Accepted:
    """Store the question; again where another message took its place at the same moment."""
    for attempt in range(1, PLACES_TRIED + 1):
        try:
            with transaction.atomic() if attachments else nullcontext():
                return _store_question(door, client_id, text, claim, attachments, before)
        except IntegrityError:
            known = _known(door, client_id)  # the same client_id came over another socket
            if known is not None:
                return known
            if attempt == PLACES_TRIED:
                raise
            before = statements.newest(door.conversation_id, below=_LAST_PLACE, most=_READ_BEFORE)
    raise Unavailable


@dataclass(frozen=True)
class _Claim:
    """Who is going to write the answer, on which plan, and the usage that is reserved for it."""

    writer: str
    reservation_id: UUID | None
    tier: str


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


def _reserve(door: Door, standing: Standing) -> UUID | None:
    """One answer of the month's quota; the team's own trying is free."""
    if door.channel == Channel.PREVIEW:
        return None
    check_open(standing)
    return usage.reserve(
        current_workspace(),
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
    claim: _Claim,
    attachments: Sequence[UUID],
    before: Sequence[statements.Said],
) -> Accepted:
    now, question_id, answer_id, audiences = timezone.now(), new_id(), new_id(), door.belonging.now
    taken = statements.ask(
        {
            "conversation": door.conversation_id,
            "question": question_id,
            "answer": answer_id,
            "client": client_id,
            "text": text,
            "title": text,
            "reservation": claim.reservation_id,
            "writer": claim.writer,
            "lease": now + LEASE,
            "now": now,
            # for a run that takes it up
            "receipt": json.dumps({"audiences": audiences} if audiences else {}),
        }
    )
    if taken is None:
        raise NotFound("There is no such conversation.")
    if taken.state == ConversationState.CLOSED:
        raise Ended
    files = _files_of(question_id, attachments, door) if attachments else []
    turn = None
    if taken.owner == Owner.AI:
        turn = Turn(
            workspace=current_workspace(),
            agent=door.agent,
            conversation_id=door.conversation_id,
            question_id=question_id,
            answer_id=answer_id,
            question=text,
            history=_spoken(before),
            language=door.agent.language or taken.locale or "en",
            version=taken.version,
            writer=claim.writer,
            attempt=1,
            tier=claim.tier,
            channel=taken.channel,
            reservation_id=claim.reservation_id,
            audiences=tuple(audiences),
            has_files=bool(attachments),
        )
    return Accepted(
        message_id=question_id,
        text=text,
        attachments=tuple(map(entry_of, files)),
        least_seq=taken.last_seq,
        turn=turn,
    )


def _files_of(question_id: UUID, attachments: Sequence[UUID], door: Door) -> list[Attachment]:
    question = Message.objects.get(pk=question_id)
    files = send_with(question, attachments, agent=door.agent, visitor_id=door.visitor_id)
    Conversation.objects.filter(pk=door.conversation_id, title="").update(title=files[0].name)
    return files


def audiences_of(answer: Message) -> tuple[str, ...]:
    """The audiences of whoever asked for this answer, as they were proven then."""
    return tuple(answer.receipt.get("audiences", ()))


def spoken_before(question: Message) -> tuple[Spoken, ...]:
    """What was said before a question, oldest first."""
    return _spoken(statements.newest(question.conversation_id, below=question.ordinal, most=_READ_BEFORE))


def _spoken(before: Sequence[statements.Said]) -> tuple[Spoken, ...]:
    """What was said, oldest first, of messages, the newest first."""
    said_something = [message for message in before if message[0] != Author.SYSTEM and message[1]]
    return tuple(_turn_of(*message) for message in reversed(said_something[:HISTORY_MESSAGES]))


def _turn_of(author: str, words: str, choices: str | None) -> Spoken:
    if choices:
        return AskingBack.of(words, choices)
    return Spoken("visitor" if author == Author.VISITOR else "agent", words)


def renew(answers: dict[UUID, str]) -> set[UUID]:
    """Renew the leases of these answers (id to writer); returns those that are still this writer's to write.

    An answer is lost to its run when another run claimed it, a person took the conversation over or the workspace
    was closed.
    """
    if not closing.is_open():
        return set()
    return statements.renew(answers, until=timezone.now() + LEASE)


def store(
    turn: Turn,
    answer: Answer,
    *,
    seq: int,
    shown: dict[UUID, int],
    known: spending.Known | None = None,
) -> Answer | None:
    """Store the answer, if this run may still do so, and settle its usage; None where it may not.

    When a person took over meanwhile, the agent's words are dropped: the stored answer only says so. `seq` is
    the last frame's so far; the next one is the `end`, whose number is kept here already. `known` was read for
    this answer. A short outage of the database loses nothing.
    """
    values = {
        "conversation": turn.conversation_id,
        "question": turn.question_id,
        "answer": turn.answer_id,
        "writer": turn.writer,
        "version": turn.version,
        "now": timezone.now(),
        "last_seq": seq + 1 if seq else 0,
        "question_seq": shown.get(turn.question_id),
        "answer_seq": shown.get(turn.answer_id),
    }
    found = persistently(partial(statements.finish, answer, values, whoever=False))
    if found is not None and not found[0]:
        answer = _handed_over(turn, answer)
        found = persistently(partial(statements.finish, answer, values, whoever=True))
    if found is None:  # deleted meanwhile, and its usage given back
        return None
    if not found[1]:  # another run's; what this one has spent is spent
        _book(turn, answer, counts=False)
        return None
    persistently(partial(_account, turn, answer))
    persistently(partial(_book, turn, answer, known=known))
    return answer


def _book(turn: Turn, answer: Answer, *, known: spending.Known | None = None, counts: bool = True) -> None:
    if counts or answer.usage.input_tokens:
        is_test = turn.channel == Channel.PREVIEW
        spending.book(turn.agent, answer, tier=turn.tier, is_test=is_test, known=known, counts=counts)


def _handed_over(turn: Turn, answer: Answer) -> Answer:
    text = said(Say.TAKEN_OVER, language=turn.language)
    return Answer(
        text=text,
        outcome=Outcome.HANDOFF,
        model=answer.model,
        rung=answer.rung,
        usage=answer.usage,
        price=answer.price,
        receipt=answer.receipt,
    )


def _account(turn: Turn, answer: Answer) -> None:
    """Settle what was reserved; an answer that failed, or that a person's takeover ended, is not counted."""
    if turn.reservation_id is None:
        return
    if answer.outcome in (Outcome.ERROR, Outcome.HANDOFF):
        usage.release(current_workspace(), turn.reservation_id)
        return
    usage.settle(
        turn.reservation_id,
        tokens=answer.usage.input_tokens + answer.usage.output_tokens,
        cost_micro_usd=0 if answer.receipt.get("own_key") else answer.usage.cost_micro_usd,  # what it cost us
        estimated=answer.usage.estimated,
    )


def claim(answer_id: UUID, *, writer: str) -> Turn | None:
    """Take up an answer whose writer is gone; None where somebody writes it or it is finished."""
    now = timezone.now()
    orphaned = Message.objects.filter(pk=answer_id, state=MessageState.WRITING, lease_until__lt=now)
    if not orphaned.update(lease_until=now + LEASE, writer=writer, attempts=F("attempts") + 1):
        return None
    answer = Message.objects.select_related("conversation__agent", "reply_to").get(pk=answer_id)
    question, conversation = answer.reply_to, answer.conversation
    if question is None:
        raise Unavailable
    return Turn(
        workspace=current_workspace(),
        agent=conversation.agent,
        conversation_id=conversation.id,
        question_id=question.id,
        answer_id=answer.id,
        question=question.text,
        history=spoken_before(question),
        language=conversation.agent.language or conversation.locale or "en",
        version=answer.version,
        writer=answer.writer,
        attempt=answer.attempts,
        tier=standing_of(current_workspace()).plan.tier.value,
        channel=conversation.channel,
        reservation_id=answer.reservation_id,
        audiences=audiences_of(answer),
        has_files=Attachment.objects.filter(message_id=question.id).exists(),
    )


def orphans() -> list[UUID]:
    """The answers of this workspace whose writer is gone."""
    rows = Message.objects.filter(state=MessageState.WRITING, lease_until__lt=timezone.now())
    return list(rows.values_list("id", flat=True)[:500])


def any_writing() -> bool:
    """Whether an answer is under way in this workspace."""
    return Message.objects.filter(lease_until__isnull=False, state=MessageState.WRITING).exists()


def let_go(turn: Turn, unfinished: Answer) -> None:
    """End the lease of a run, so that another process takes the answer up at once; what it has cost is booked."""
    mine = Message.objects.filter(pk=turn.answer_id, writer=turn.writer, state=MessageState.WRITING)
    if mine.update(lease_until=timezone.now()):
        _book(turn, unfinished, counts=False)


def writer_of(answer_id: UUID, conversation_id: UUID) -> str | None:
    """Who writes this answer of this conversation now."""
    found = Message.objects.filter(
        pk=answer_id, conversation_id=conversation_id, state=MessageState.WRITING
    ).first()
    return found.writer if found else None


def new_writer(process: str) -> str:
    """A name for one run: its process, to reach it, and a part of its own, to fence it."""
    return f"{process}.{new_id().hex}"
