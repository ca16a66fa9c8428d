"""E-mails: to the team, when a visitor asks for a person or leaves contact details; to a visitor, the transcript."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage

from chat.history import KINDS
from chat.models import Author, Conversation, Lead, Message
from netvexa.lib.errors import NotFound
from tenants import mail
from tenants.context import current_workspace
from tenants.tasks import deliver_mail

Send = Callable[[UUID], None]
TRANSCRIPT_MESSAGES = 100


def handoff(conversation_id: UUID) -> None:
    """The transcript to the agent's contact address; a reply goes to the visitor. Raises NotFound."""
    conversation = Conversation.objects.get_or_404(conversation_id)
    visitor = conversation.visitor
    lines = [
        f"{visitor} asks for a person in a chat with {conversation.agent.name}.",
        f"Reason: {conversation.handoff_reason or '(none given)'}",
        f"E-mail: {visitor.email or '(none left)'}",
        *_where(conversation),
    ]
    subject = f"[{conversation.agent.name}] A visitor asks for a person"
    _send(conversation, subject, lines, reply_to=visitor.email)


def lead(lead_id: UUID) -> None:
    """The contact details to the agent's contact address. Raises NotFound."""
    found = (
        Lead.objects.filter(pk=lead_id).select_related("conversation__agent", "conversation__visitor").first()
    )
    if found is None or found.conversation is None:
        raise NotFound
    given = {"Name": found.name, "E-mail": found.email, "Telephone": found.phone, "Company": found.company}
    lines = [
        f"A visitor left contact details in a chat with {found.conversation.agent.name}.",
        *(f"{label}: {value}" for label, value in {**given, **found.extra}.items() if value),
        *_where(found.conversation),
    ]
    subject = f"[{found.conversation.agent.name}] Contact details of a visitor"
    _send(found.conversation, subject, lines, reply_to=found.email)


def transcript(conversation_id: UUID, *, to: str) -> None:
    """What was said, to whoever the visitor named. Raises NotFound."""
    conversation = Conversation.objects.get_or_404(conversation_id)
    rows = conversation.messages.exclude(author=Author.SYSTEM).prefetch_related("attachments")
    said = [
        {
            "who": _who(row, conversation) if row.author != Author.VISITOR else "You",
            "text": row.text,
            "files": [one.name for one in row.attachments.all()],
        }
        for row in reversed(rows.order_by("-ordinal")[:TRANSCRIPT_MESSAGES])
    ]
    context = {
        "agent": _one_line(conversation.agent.name),
        "workspace": current_workspace().name,
        "began": conversation.created_at,
        "messages": said,
    }
    deliver_mail(to, *mail.rendered("transcript", context=context))


def _where(conversation: Conversation) -> list[str]:
    return [
        *([f"Page: {conversation.page_url}"] if conversation.page_url else []),
        f"Conversation: {_workspace_url()}/conversations/{conversation.id}/",
    ]


def _workspace_url() -> str:
    root = urlsplit(settings.ROOT_URL)
    return f"{root.scheme}://{current_workspace().slug}.{root.netloc}"


def _send(conversation: Conversation, subject: str, lines: list[str], *, reply_to: str) -> None:
    to = conversation.agent.contact_email or current_workspace().email
    if not to:
        raise NotFound("There is nobody to write to.")
    body = "\n".join([*lines, "", "The conversation:", "", *_transcript(conversation)])
    message = EmailMessage(_one_line(subject), body, to=[to], reply_to=[reply_to] if reply_to else [])
    message.send()


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _transcript(conversation: Conversation) -> list[str]:
    rows = Message.objects.filter(conversation=conversation).order_by("-ordinal")[:TRANSCRIPT_MESSAGES]
    return [f"{_who(row, conversation)}: {row.text}\n" for row in reversed(rows)]


def _who(message: Message, conversation: Conversation) -> str:
    if message.author == Author.AI:
        return conversation.agent.name
    return message.author_name or KINDS[Author(message.author)].capitalize()
