"""When a visitor wants to be in touch: the row, and the e-mail that tells the team."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from kombu.exceptions import OperationalError

from chat import conversations, tasks
from chat.conversations import Door
from chat.protocol import Frame

logger = logging.getLogger(__name__)


def leave(door: Door, fields: Mapping[str, str]) -> None:
    """Keep the contact details and tell the team."""
    lead_id = conversations.leave_contact(door, fields)
    try:
        tasks.notify_lead.enqueue(lead_id)
    except OperationalError:
        logger.exception("The team was not told of lead %s; it stands in the dashboard", lead_id)


def ask_for_person(door: Door, *, reason: str) -> list[Frame]:
    """Let the visitor wait for a person and tell the team; the frames to publish."""
    frames = conversations.ask_for_person(door, reason=reason)
    if frames:
        try:
            tasks.notify_handoff.enqueue(door.conversation_id)
        except OperationalError:
            logger.exception("The team was not told of %s; it waits in the dashboard", door.conversation_id)
    return frames
