"""Conversations as they are read: what was said, what is unread, and which ones a visitor has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from uuid import UUID

from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import Left
from django.utils import timezone

from agents.models import Agent
from chat import attachments
from chat.models import Author, Conversation, Message, MessageState
from chat.protocol import Author as ShownAuthor
from chat.protocol import Frame
from tenants.faces import face_address
from tenants.models import User

KINDS = {Author.VISITOR: "visitor", Author.AI: "bot", Author.HUMAN: "human", Author.SYSTEM: "system"}
HISTORY_MESSAGES = 200
LISTED_CONVERSATIONS = 20
UNSENT_FOR = timedelta(seconds=5)  # a message without a frame for longer than this never gets one


def history_of(conversation_id: UUID, *, until: int, written: Mapping[str, str]) -> list[Frame]:
    """The messages as `welcome` shows them, up to the frame `until`.

    `written` is the text so far of answers that are being written. A person's message whose frame is still to
    come is left out, since a client would show it twice; all others may come again.
    """
    team = Q(author__in=(Author.HUMAN, Author.SYSTEM))
    just_now = Q(seq=None, created_at__gt=timezone.now() - UNSENT_FOR)
    messages = Message.objects.filter(conversation_id=conversation_id)
    rows = list(
        messages.exclude(team & (Q(seq__gt=until) | just_now)).order_by("-ordinal")[:HISTORY_MESSAGES]
    )
    files = attachments.entries_by_message(row.pk for row in rows)
    faces = faces_of(row.author_id for row in rows)
    entries, reached = [], 0
    for message in reversed(rows):
        reached = max(reached, message.seq or 0)
        entry = _entry(message, seq=reached, written=written)
        if message.pk in files:
            entry["attachments"] = files[message.pk]
        if message.author_id in faces:
            entry["author"]["avatar"] = faces[message.author_id]
        entries.append(entry)
    return entries


def faces_of(user_ids: Iterable[UUID | None]) -> dict[UUID | None, str]:
    """The addresses of the pictures of these people, of those who have one."""
    wanted = {user_id for user_id in user_ids if user_id}
    people = User.objects.filter(pk__in=wanted).exclude(avatar="").only("avatar")
    return {user.pk: face_address(user) for user in people}


def author_of(user: User) -> ShownAuthor:
    """A person of the team, as visitors see them."""
    author: ShownAuthor = {"kind": "human", "name": user.display_name}
    if user.avatar:
        author["avatar"] = face_address(user)
    return author


def _entry(message: Message, *, seq: int, written: Mapping[str, str]) -> Frame:
    author: dict[str, str] = {"kind": KINDS[Author(message.author)]}
    if message.author_name:
        author["name"] = message.author_name
    entry: Frame = {
        "message": str(message.id),
        "author": author,
        "text": message.text,
        "seq": seq,
        "at": message.created_at.isoformat(),
    }
    if message.client_id:
        entry["client_id"] = str(message.client_id)
    if message.author == Author.AI:
        entry |= answer_fields(message)
        if message.state == MessageState.WRITING:
            entry |= {"streaming": True, "text": written.get(str(message.id), "")}
    return entry


def answer_fields(message: Message) -> Frame:
    """What an answer carries beside its text: the same in `end`, in the history and in the API."""
    fields: Frame = {
        "citations": message.citations,
        "cached": message.cached,
        "grounded": message.grounded,
        "outcome": message.outcome,
    }
    if message.stopped:
        fields["stopped"] = message.stopped
    if message.feedback:
        fields["feedback"] = message.feedback
    return fields


# Read and unread


def _unseen_by_visitor(prefix: str = "") -> Q:
    """Messages of the other side that were shown after the last number the visitor has seen."""
    conversation = "" if prefix else "conversation__"
    newer = Q(**{f"{prefix}seq__gt": F(f"{conversation}visitor_read_seq")})
    return newer & Q(**{f"{prefix}author__in": (Author.AI, Author.HUMAN)})


def unread_of(agent: Agent, visitor_id: UUID) -> int:
    """How many messages this visitor has not seen, in all conversations with this agent."""
    own = Message.objects.filter(conversation__agent=agent, conversation__visitor_id=visitor_id)
    return own.filter(_unseen_by_visitor()).count()


def read_by_visitor(conversation_id: UUID, *, seq: int, newest: int) -> int | None:
    """Keep how far the visitor has seen, at most up to `newest`; None where that is nothing new."""
    return _read(conversation_id, "visitor_read_seq", seq, newest)


def read_by_team(conversation_id: UUID, *, seq: int, newest: int) -> int | None:
    """The same for the team."""
    return _read(conversation_id, "team_read_seq", seq, newest)


def _read(conversation_id: UUID, field: str, seq: int, newest: int) -> int | None:
    stored = Conversation.objects.filter(pk=conversation_id).values_list("last_seq", flat=True).first()
    seen = min(seq, max(newest, stored or 0))
    rows = Conversation.objects.filter(pk=conversation_id, **{f"{field}__lt": seen})
    return seen if rows.update(**{field: seen}) else None


def conversations_of(agent: Agent, visitor_id: UUID) -> list[Frame]:
    """The visitor's conversations with this agent, the latest first."""
    latest = Message.objects.filter(conversation=OuterRef("pk")).exclude(text="").order_by("-ordinal")
    rows = (
        Conversation.objects.filter(agent=agent, visitor_id=visitor_id)
        .annotate(preview=Subquery(latest.values(start=Left("text", 120))[:1]))
        .annotate(unread=Count("messages", filter=_unseen_by_visitor("messages__")))
        .order_by("-last_message_at", "-pk")[:LISTED_CONVERSATIONS]
    )
    return [
        {
            "conversation": str(row["pk"]),
            "title": row["title"],
            "at": row["last_message_at"].isoformat(),
            "state": row["state"],
            "preview": row["preview"] or "",
            "unread": row["unread"],
        }
        for row in rows.values("pk", "title", "last_message_at", "state", "preview", "unread")
    ]
