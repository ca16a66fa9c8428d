"""How one answer came about, and what the agent would say today."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from chat import receipts, rehearsal
from chat.answers import Answer
from chat.models import Message
from tenants.access import MemberRequest, Permission, member_required


@member_required(Permission.VIEW)
@require_safe
def show(request: MemberRequest, conversation_id: UUID, message_id: UUID) -> HttpResponse:
    """The receipt of an answer."""
    return _page(request, receipts.answer_or_404(message_id, conversation_id=conversation_id))


@member_required(Permission.EDIT_KNOWLEDGE)
@require_POST
def replay(request: MemberRequest, conversation_id: UUID, message_id: UUID) -> HttpResponse:
    """The same question with today's knowledge and settings, beside what was said then. Not billed."""
    message = receipts.answer_or_404(message_id, conversation_id=conversation_id)
    return _page(request, message, rehearsal.replay(message))


def _page(request: MemberRequest, message: Message, today: Answer | None = None) -> HttpResponse:
    question = message.question
    sides = [("Then", Answer.of(message)), ("Today", today)]
    context = {
        "message": message,
        "conversation": message.conversation,
        "question": question,
        "columns": [
            (name, answer, receipts.receipt_for(answer, question=question))
            for name, answer in sides
            if answer
        ],
    }
    return render(request, "chat/receipt.html", context)
