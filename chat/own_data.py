"""All that is kept of a visitor, for the visitor to read."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from chat.history import KINDS
from chat.models import Attachment, Author, Conversation, Lead, Message, Visitor


def data_of(visitor_id: UUID) -> dict[str, Any]:
    """The visitor's row, conversations, messages, contact details and files, as plain JSON.

    What the workspace keeps of its own work (costs, scores, models) is not the visitor's data.
    """
    visitor = Visitor.objects.filter(pk=visitor_id).first()
    conversations = Conversation.objects.filter(visitor_id=visitor_id).order_by("created_at", "pk")
    return {
        "visitor": _visitor(visitor) if visitor else None,
        "conversations": [_conversation(row) for row in conversations.select_related("agent")],
        "files_not_sent": [
            _file(row) for row in Attachment.objects.filter(visitor_id=visitor_id, message=None)
        ],
    }


def _visitor(row: Visitor) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "user_id": row.external_id,
        "name": row.name,
        "email": row.email,
        "locale": row.locale,
        "since": row.created_at.isoformat(),
    }


def _conversation(row: Conversation) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "agent": row.agent.name,
        "began": row.created_at.isoformat(),
        "state": row.state,
        "page": {"url": row.page_url, "title": row.page_title, "referrer": row.referrer},
        "locale": row.locale,
        "context": row.context,
        "asked_for_a_person": row.handoff_reason,
        "rating": row.rating,
        "rating_comment": row.rating_comment,
        "resolved": row.resolved,
        "messages": [
            _message(one) for one in row.messages.prefetch_related("attachments").order_by("ordinal")
        ],
        "contact_details": [lead_data(lead) for lead in row.leads.all()],
    }


def _message(row: Message) -> dict[str, Any]:
    said: dict[str, Any] = {
        "from": KINDS[Author(row.author)],
        "name": row.author_name,
        "at": row.created_at.isoformat(),
        "text": row.text,
    }
    if row.feedback:
        said |= {"feedback": row.feedback, "feedback_comment": row.feedback_comment}
    if files := [_file(one) for one in row.attachments.all()]:
        said["files"] = files
    return said


def lead_data(row: Lead) -> dict[str, Any]:
    """Contact details as the person gave them."""
    given = {"name": row.name, "email": row.email, "phone": row.phone, "company": row.company}
    return {**given, **row.extra, "at": row.created_at.isoformat()}


def _file(row: Attachment) -> dict[str, Any]:
    return {"name": row.name, "type": row.media_type, "size": row.size, "at": row.created_at.isoformat()}
