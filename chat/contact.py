"""When a visitor wants to be in touch: the row, and the e-mail that tells the team."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from django.utils import timezone
from kombu.exceptions import OperationalError

from chat import conversations, tasks, visitors, wording
from chat.conversations import Door
from chat.models import Conversation
from chat.protocol import Frame
from netvexa.lib.errors import Invalid, NotAllowed, NotFound, Unavailable

logger = logging.getLogger(__name__)


def leave(door: Door, fields: Mapping[str, str]) -> None:
    """Keep the contact details and tell the team."""
    lead_id = conversations.leave_contact(door, fields)
    try:
        tasks.notify_lead.enqueue(lead_id)
    except OperationalError:
        logger.exception("The team was not told of lead %s; it stands in the dashboard", lead_id)


def ask_for_person(door: Door, *, reason: str) -> list[Frame]:
    """Let the visitor wait for a person and tell the team; the frames to publish.

    Out of hours the visitor is told when people are back, and asked for an address.
    """
    frames = conversations.ask_for_person(door, reason=reason)
    if frames:
        if away := wording.away(door.agent, timezone.now(), language=door.agent.language or door.locale):
            frames.append(conversations.say_as_system(door.conversation_id, away))
        try:
            tasks.notify_handoff.enqueue(door.conversation_id)
            tasks.digest_conversation.enqueue(door.conversation_id)
        except OperationalError:
            logger.exception("The team was not told of %s; it waits in the dashboard", door.conversation_id)
    return frames


def mail_transcript(door: Door, *, email: str) -> None:
    """Send the conversation to an address. Raises Invalid, NotAllowed, NotFound, Unavailable."""
    if not door.agent.transcript_enabled:
        raise NotAllowed("This agent does not send transcripts.")
    if not visitors.email_or_nothing(email):
        raise Invalid("Please check the e-mail address.")
    if not Conversation.objects.filter(pk=door.conversation_id).exists():
        raise NotFound("There is nothing to send yet.")
    try:
        tasks.mail_transcript.enqueue(door.conversation_id, email)
    except OperationalError as error:
        raise Unavailable from error
