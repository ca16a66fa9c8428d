"""Conversations that were had a while ago, without a socket."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from agents.models import Agent
from chat.models import Author, Conversation, Lead, Message, MessageState, Outcome, Visitor

LONG_AGO = timedelta(minutes=10)
QUESTIONS = ("Hi! How long does delivery to Graz take?", "And how much is express delivery?")


def a_talk(agent: Agent, *said: str, lead: dict[str, str] | None = None, **fields: Any) -> Conversation:
    """A visitor's messages, each with an answer; with `lead` the contact details they left."""
    then = timezone.now() - LONG_AGO
    given = {"title": (said or QUESTIONS)[0], "last_message_at": then, **fields}
    talk: Conversation = Conversation.objects.create(agent=agent, visitor=Visitor.objects.create(), **given)
    for number, text in enumerate(said or QUESTIONS):
        question = Message.objects.create(
            conversation=talk, ordinal=2 * number + 1, author=Author.VISITOR, text=text
        )
        Message.objects.create(
            conversation=talk,
            ordinal=2 * number + 2,
            author=Author.AI,
            reply_to=question,
            text="Three to five working days.",
            outcome=Outcome.ANSWERED,
            state=MessageState.COMPLETE,
        )
    if lead is not None:
        Lead.objects.create(conversation=talk, **lead)
    return talk


def record(n: int, **fields: Any) -> dict[str, Any]:
    """What a model says of one conversation."""
    told = {"title": f"Delivery times {'abcdefgh'[n]}", "summary": "They ask how long delivery takes."}
    return {"n": n, **told, "signs": [], **fields}


def reply(*records: dict[str, Any]) -> str:
    return json.dumps(records)


def again(talk: Conversation | UUID) -> Conversation:
    """The row as it is now."""
    return Conversation.objects.select_related("agent").get(pk=getattr(talk, "pk", talk))
