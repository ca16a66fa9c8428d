"""Taking conversations away, whoever asks: messages, leads, files, and what Redis keeps of them."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from billing import usage
from chat import attachments, notices
from chat.feed import Line
from chat.models import Attachment, Conversation, Message, MessageState
from chat.protocol import gone_frame
from tenants.context import current_workspace


def delete_conversations(ids: Iterable[UUID]) -> int:
    """Delete these conversations of the current workspace; how many there were.

    An answer that is being written is dropped and its usage given back. Sockets that show one are told.
    """
    wanted = list(ids)
    with transaction.atomic():
        rows = list(Conversation.objects.select_for_update().filter(pk__in=wanted).order_by("pk"))
        found = [row.pk for row in rows]
        _end_answers(found)
        attachments.delete_files(Attachment.objects.filter(conversation_id__in=found))
        Conversation.objects.filter(pk__in=found).delete()
    for conversation_id in found:
        for side in ("team", "visitor"):
            notices.tell(conversation_id, gone_frame(), to=side)
        notices.forget(Line(current_workspace(), conversation_id))
    return len(found)


def _end_answers(conversation_ids: list[UUID]) -> None:
    writing = Message.objects.filter(conversation_id__in=conversation_ids, state=MessageState.WRITING)
    for conversation_id, reservation_id in writing.values_list("conversation_id", "reservation_id"):
        notices.drop_answers(conversation_id)
        if reservation_id is not None:
            usage.release(current_workspace(), reservation_id)
