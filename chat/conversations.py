"""Conversations as rows: opening, reading, and everything that happens to one beside an answer.

All of it runs inside the workspace. What displays something returns the frames to publish, or publishes them
after the commit where the caller is synchronous (`chat.notices`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Greatest
from django.utils import timezone

from agents.models import Agent
from chat import attachments, history, statements, visitors
from chat.attachments import Upload
from chat.models import (
    Author,
    CachedAnswer,
    Channel,
    Conversation,
    ConversationState,
    Lead,
    Message,
    Owner,
    Visitor,
)
from chat.protocol import Author as ShownAuthor
from chat.protocol import Frame, Hello, Page, message_frame, state_frame
from netvexa.lib.errors import Invalid, NotAllowed, NotFound
from netvexa.lib.ids import new_id


class Ended(NotAllowed):
    """Nothing more is written into a closed conversation."""

    default_detail = "This conversation has ended. Please start a new one."


@dataclass(frozen=True, kw_only=True, slots=True)
class Belonging:
    """The audiences of whoever stands at a door, and until when (Unix seconds) the proof of it holds."""

    audiences: tuple[str, ...] = ()
    until: int | None = None

    @property
    def now(self) -> list[str]:
        """Those that hold at this moment."""
        return list(self.audiences) if self.until is None or time.time() < self.until else []


@dataclass(frozen=True, kw_only=True, slots=True)
class Door:
    """What a new conversation is made of; its rows are made with its first message, not by looking at it."""

    agent: Agent
    conversation_id: UUID = field(default_factory=new_id)
    visitor_id: UUID = field(default_factory=new_id)
    channel: Channel = Channel.WIDGET
    page: Page = field(default_factory=Page)
    locale: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    belonging: Belonging = field(default_factory=Belonging)


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A conversation as it stands; `exists` is false until something was said."""

    door: Door
    exists: bool
    state: str
    last_seq: int
    team_read_seq: int = 0
    unread: int = 0  # in all of the visitor's conversations with this agent
    identified: bool = False


def open_for(
    agent: Agent,
    hello: Hello,
    *,
    visitor_id: UUID | None,
    channel: Channel,
    belonging: Belonging | None = None,
) -> Opened:
    """The visitor's conversation, or a new one. One that is not theirs looks as if it did not exist.

    `hello` holds an identity only if it is proven; without one the visitor belongs where `belonging` says.
    """
    if hello.identity is not None:
        belonging = Belonging(audiences=hello.identity.audiences, until=hello.identity.expires)
    if hello.identity is not None:
        visitor_id = visitors.identified(hello.identity, locale=hello.locale, visitor_id=visitor_id)
    found = _conversation_of(agent, hello, visitor_id)
    identified = hello.identity is not None or visitors.is_identified(visitor_id)
    door = Door(
        agent=agent,
        conversation_id=found.id if found else new_id(),
        visitor_id=visitor_id or new_id(),
        channel=channel,
        page=hello.page,
        locale=hello.locale,
        context=hello.context,
        belonging=belonging or Belonging(),
    )
    if found is None:
        unread = history.unread_of(agent, visitor_id) if visitor_id else 0
        state = ConversationState.BOT.value
        return Opened(door=door, exists=False, state=state, last_seq=0, unread=unread, identified=identified)
    return Opened(
        door=door,
        exists=True,
        state=found.state,
        last_seq=found.last_seq,
        team_read_seq=found.team_read_seq,
        unread=history.unread_of(agent, door.visitor_id),
        identified=identified,
    )


def _conversation_of(agent: Agent, hello: Hello, visitor_id: UUID | None) -> Conversation | None:
    if visitor_id is None:
        return None
    own = Conversation.objects.filter(agent=agent, visitor_id=visitor_id)
    if hello.conversation is not None:
        return own.filter(pk=hello.conversation).first()
    if hello.identity is not None:  # the conversation follows a known user to other devices
        return own.exclude(state=ConversationState.CLOSED).order_by("-last_message_at").first()
    return None


def ensure(door: Door) -> Conversation:
    """The conversation's row, made if it is not there yet."""
    found = Conversation.objects.filter(pk=door.conversation_id).first()
    if found is not None:
        return found
    statements.open_conversation(door, now=timezone.now())
    return Conversation.objects.get(pk=door.conversation_id)


def locked(conversation_id: UUID) -> Conversation:
    """The conversation, locked until the transaction ends. Raises NotFound."""
    conversation = Conversation.objects.select_for_update(of=("self",)).filter(pk=conversation_id).first()
    if conversation is None:
        raise NotFound("There is no such conversation.")
    return conversation


def next_ordinal(conversation: Conversation) -> int:
    """The place of the next message; call under the conversation's lock."""
    highest = conversation.messages.aggregate(highest=Max("ordinal"))["highest"]
    return int(highest or 0) + 1


# Numbers of frames


def next_seq(conversation_id: UUID, *, least: int) -> int:
    """The next frame's number from the database, for while Redis is away."""
    with transaction.atomic():
        conversation = Conversation.objects.select_for_update().filter(pk=conversation_id).first()
        if conversation is None:
            return least + 1
        conversation.last_seq = max(conversation.last_seq, least) + 1
        conversation.save(update_fields=["last_seq"])
        return conversation.last_seq


def last_seq(conversation_id: UUID) -> int:
    """The newest number the database knows of."""
    found = Conversation.objects.filter(pk=conversation_id).values_list("last_seq", flat=True).first()
    return found or 0


def keep_seq(conversation_id: UUID, *, seq: int, shown: Mapping[UUID, int]) -> None:
    """Keep how far the frames are, and which frame first showed which message."""
    Conversation.objects.filter(pk=conversation_id).update(last_seq=Greatest("last_seq", seq))
    for message_id, number in shown.items():
        Message.objects.filter(pk=message_id, seq=None).update(seq=number)


# What a visitor does beside asking


def give_feedback(conversation_id: UUID, message_id: UUID, *, value: int, comment: str) -> None:
    """Thumbs up or down on an answer of this conversation. Raises NotFound."""
    answers = Message.objects.filter(pk=message_id, conversation_id=conversation_id, author=Author.AI)
    if not answers.update(feedback=value, feedback_comment=comment):
        raise NotFound("There is no such answer.")
    if value < 0:
        CachedAnswer.objects.reject(message_id)


def rate(conversation_id: UUID, *, score: int, comment: str) -> None:
    """Satisfaction with the whole conversation. Raises NotFound while nothing was said."""
    rows = Conversation.objects.filter(pk=conversation_id)
    if not rows.update(rating=score, rating_comment=comment):
        raise NotFound("There is nothing to rate yet.")


def leave_contact(door: Door, fields: Mapping[str, str]) -> UUID:
    """Keep the contact details a visitor gave; the lead's id. Raises Invalid, NotAllowed."""
    if not (door.agent.leads_enabled or _waits(door)):
        raise NotAllowed("This agent does not take contact details.")
    email = fields.get("email", "")
    if email and not visitors.email_or_nothing(email):
        raise Invalid("Please check the e-mail address.")
    with transaction.atomic():
        conversation = ensure(door)
        known = {"name": 120, "email": 254, "phone": 40, "company": 120}
        lead = Lead.objects.create(
            conversation=conversation,
            extra={name: value for name, value in fields.items() if name not in known},
            **{name: fields.get(name, "")[:most] for name, most in known.items()},
        )
        contact = {name: fields[name][: known[name]] for name in ("name", "email") if fields.get(name)}
        if contact:
            Visitor.objects.filter(pk=conversation.visitor_id).update(**contact)
    return lead.id


def _waits(door: Door) -> bool:
    """Whoever waits for a person may say where to reach them, whatever the form's setting."""
    waiting = Conversation.objects.filter(pk=door.conversation_id, state=ConversationState.WAITING)
    return waiting.exists()


def say_as_system(conversation_id: UUID, text: str) -> Frame:
    """A message of the product itself; the frame to publish."""
    with transaction.atomic():
        conversation = locked(conversation_id)
        message = Message.objects.create(
            conversation=conversation, ordinal=next_ordinal(conversation), author=Author.SYSTEM, text=text
        )
    return message_frame(message.id, {"kind": "system"}, text)


def say_resolved(conversation_id: UUID, *, value: bool) -> None:
    """The visitor says whether it helped. Raises NotFound while nothing was said."""
    if not Conversation.objects.filter(pk=conversation_id).update(resolved=value):
        raise NotFound("There is nothing to rate yet.")


def ask_for_person(door: Door, *, reason: str) -> list[Frame]:
    """The visitor waits for a person from now on; the agent goes on answering meanwhile."""
    if not door.agent.handoff_enabled:
        raise NotAllowed("This agent does not pass conversations on to people.")
    ensure(door)
    with transaction.atomic():
        conversation = locked(door.conversation_id)
        if conversation.state == ConversationState.CLOSED:
            raise Ended
        if conversation.state != ConversationState.BOT:
            return []
        return _change(conversation, state=ConversationState.WAITING, handoff_reason=reason)


def end_by_visitor(conversation_id: UUID) -> list[Frame]:
    """The visitor ends the conversation."""
    with transaction.atomic():
        conversation = Conversation.objects.select_for_update().filter(pk=conversation_id).first()
        if conversation is None:  # nothing was said yet
            return [state_frame(ConversationState.CLOSED.value)]
        return _close(conversation)


# What the team does


def take_over(conversation_id: UUID, *, user_id: UUID, author: ShownAuthor | None = None) -> list[Frame]:
    """A person answers from now on; what the agent is writing is no longer stored."""
    with transaction.atomic():
        conversation = locked(conversation_id)
        if conversation.state == ConversationState.CLOSED:
            raise Ended
        changed = _change(conversation, owner=Owner.HUMAN, state=ConversationState.HUMAN, assignee=user_id)
    return [state_frame(ConversationState.HUMAN.value, author)] if changed else []


def reply_as_human(
    conversation_id: UUID,
    *,
    user_id: UUID,
    name: str,
    text: str,
    avatar: str = "",
    files: Sequence[Upload] = (),
) -> list[Frame]:
    """A message of a person of the team; takes the conversation over first if need be.

    `avatar` is the address of the person's picture, or empty. A file needs no text beside it.
    """
    text = text.strip()
    if not text and not files:
        raise Invalid("A message needs a text.")
    author: ShownAuthor = {"kind": "human", "name": name}
    if avatar:
        author["avatar"] = avatar
    with transaction.atomic():
        conversation = locked(conversation_id)
        frames: list[Frame] = []
        if conversation.owner != Owner.HUMAN:
            frames = take_over(conversation_id, user_id=user_id, author=author)
        message = Message.objects.create(
            conversation=conversation,
            ordinal=next_ordinal(conversation),
            author=Author.HUMAN,
            author_id=user_id,
            author_name=name,
            text=text,
        )
        sent = [attachments.add_to_message(message, upload) for upload in files]
        Conversation.objects.filter(pk=conversation.pk).update(last_message_at=timezone.now())
    entries = [attachments.entry_of(attachment) for attachment in sent]
    return [*frames, message_frame(message.id, author, text, entries)]


def hand_back(conversation_id: UUID) -> list[Frame]:
    """The agent answers again."""
    with transaction.atomic():
        conversation = locked(conversation_id)
        if conversation.state == ConversationState.CLOSED:
            raise Ended
        return _change(conversation, owner=Owner.AI, state=ConversationState.BOT, assignee=None)


def close(conversation_id: UUID) -> list[Frame]:
    """The team ends the conversation."""
    with transaction.atomic():
        return _close(locked(conversation_id))


def _close(conversation: Conversation) -> list[Frame]:
    return _change(
        conversation,
        owner=Owner.NOBODY,
        state=ConversationState.CLOSED,
        closed_at=conversation.closed_at or timezone.now(),
    )


def _change(conversation: Conversation, **fields: Any) -> list[Frame]:
    """Change owner and state under the row's lock; the version grows when the owner changes."""
    before = conversation.state, conversation.owner
    for name, value in fields.items():
        setattr(conversation, name, value)
    if conversation.owner != before[1]:
        conversation.version += 1
    conversation.save(update_fields=[*fields, "version"])
    return [] if conversation.state == before[0] else [state_frame(conversation.state)]
