"""All that is kept of one person in the current workspace: found, handed out, erased.

One implementation for the widget's own panel, the team's page, the API and the tombstones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from chat import attachments
from chat.erasure import delete_conversations
from chat.models import Attachment, CachedAnswer, Conversation, Lead, Message, Visitor
from chat.own_data import data_of, lead_data
from netvexa.lib.errors import Invalid
from tenants import audit, receipts
from tenants.context import current_workspace
from tenants.models import ErasureReceipt

BLANK = "[erased]"
_TEXTS: tuple[tuple[type[Message | Conversation], str], ...] = (
    (Message, "text"),
    (Message, "feedback_comment"),
    (Conversation, "title"),
    (Conversation, "topic"),
    (Conversation, "handoff_reason"),
    (Conversation, "rating_comment"),
    (Conversation, "page_url"),
)


@dataclass(frozen=True)
class Person:
    """Whose data it is: the visitors and leads that were found, and the address that others may have written."""

    subject: str
    visitors: list[UUID] = field(default_factory=list)
    leads: list[UUID] = field(default_factory=list)
    address: str = ""

    @property
    def conversations(self) -> QuerySet[Conversation]:
        return Conversation.objects.filter(visitor_id__in=self.visitors)

    @property
    def own_leads(self) -> QuerySet[Lead]:
        return Lead.objects.filter(Q(pk__in=self.leads) | Q(conversation__visitor_id__in=self.visitors))

    @property
    def mentions(self) -> QuerySet[Message]:
        """Messages of other people's conversations that hold the address."""
        if not self.address:
            return Message.objects.none()
        found = Message.objects.filter(text__icontains=self.address)
        return found.exclude(conversation__visitor_id__in=self.visitors)

    def counts(self) -> dict[str, int]:
        """How much is kept, by kind."""
        return {
            "visitors": Visitor.objects.filter(pk__in=self.visitors).count(),
            "conversations": self.conversations.count(),
            "messages": Message.objects.filter(conversation__visitor_id__in=self.visitors).count(),
            "leads": self.own_leads.count(),
            "files": self.files.count(),
            "mentions": self.mentions.count(),
        }

    @property
    def files(self) -> QuerySet[Attachment]:
        own = Q(conversation__visitor_id__in=self.visitors) | Q(visitor_id__in=self.visitors)
        return Attachment.objects.filter(own)


def find(given: str) -> Person:
    """Whom an e-mail address, a visitor's id or a user id of the site names. Raises Invalid for nothing."""
    subject = given.replace("\0", "").strip()[:254]
    if not subject:
        raise Invalid("Enter an e-mail address, a visitor’s id, or your own id of the user.")
    if "@" in subject:
        return _by_address(subject)
    by_id = Visitor.objects.filter(external_id=subject)
    if visitor_id := _uuid(subject):
        by_id = Visitor.objects.filter(Q(pk=visitor_id) | Q(external_id=subject))
    return Person(subject, list(by_id.values_list("pk", flat=True)))


def _by_address(address: str) -> Person:
    leads = Lead.objects.filter(email=address)
    known = Visitor.objects.filter(email=address).values_list("pk", flat=True)
    left_it = leads.exclude(conversation=None).values_list("conversation__visitor_id", flat=True)
    visitors = {*known, *(one for one in left_it if one)}
    return Person(address, sorted(visitors), list(leads.values_list("pk", flat=True)), address)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def exported(person: Person) -> dict[str, Any]:
    """Everything that is kept of the person, as plain JSON: what `data_of` gives for each visitor, and leads."""
    elsewhere = person.own_leads.exclude(conversation__visitor_id__in=person.visitors)
    return {
        "asked_for": person.subject,
        "visitors": [data_of(visitor_id) for visitor_id in person.visitors],
        "contact_details": [lead_data(row) for row in elsewhere],
        "summaries": [
            {"conversation": str(row.pk), "title": row.topic, "summary": row.summary}
            for row in person.conversations.exclude(digested_at=None)
        ],
        "lead_scores": [
            {"score": row.score, "reason": row.score_reason} for row in person.own_leads.exclude(score=None)
        ],
        "mentioned_by_others": person.mentions.count(),
    }


def erase(person: Person, *, actor: str) -> ErasureReceipt:
    """Delete all of it for ever; the receipt. Where others wrote the address, it is blanked.

    Tried again after a failure it goes on; the receipt is issued by the run that finishes.
    """
    counts = person.counts()
    visitors, leads = list(person.visitors), list(person.own_leads.values_list("pk", flat=True))
    delete_conversations(person.conversations.values_list("pk", flat=True))
    with transaction.atomic():
        unsent = Attachment.objects.filter(visitor_id__in=visitors)
        attachments.delete_files(unsent)
        unsent.delete()
        Lead.objects.filter(pk__in=leads).delete()
        Visitor.objects.filter(pk__in=visitors).delete()
        if person.address:
            _blank(person.address)
        receipt = receipts.issue(current_workspace(), actor=actor, subject=person.subject, counts=counts)
        receipts.bury(current_workspace(), visitors=visitors, leads=leads, name=receipt.pk)
        audit.note(
            "visitor.erased", actor=actor, subject=str(receipt.pk), after={**counts, "digest": receipt.digest}
        )
    return receipt


def _blank(address: str) -> None:
    """Take the address out of what others wrote, of traces, and of kept answers."""
    pattern = re.compile(re.escape(address), re.IGNORECASE)
    for model, name in _TEXTS:
        for row in model._default_manager.filter(**{f"{name}__icontains": address}).only("pk", name):
            text = pattern.sub(BLANK, getattr(row, name))
            model._default_manager.filter(pk=row.pk).update(**{name: text})
    traced = Message.objects.annotate(held=Cast("receipt", TextField()))
    traced.filter(held__icontains=address).update(receipt={})
    told = Conversation.objects.annotate(held=Cast("context", TextField()))
    told.filter(held__icontains=address).update(context={})
    CachedAnswer.objects.filter(Q(question__icontains=address) | Q(text__icontains=address)).delete()


def forget_visitor(visitor_id: UUID) -> UUID:
    """Erase a visitor who asks for it in the widget; the receipt's number."""
    return erase(Person(str(visitor_id), [visitor_id]), actor="visitor").pk


def erase_again(visitors: list[UUID], leads: list[UUID]) -> int:
    """Apply a tombstone to a restored database; how many rows of visitors and leads it took away."""
    person = Person("", visitors, leads)
    count = Visitor.objects.filter(pk__in=visitors).count() + Lead.objects.filter(pk__in=leads).count()
    if count or person.conversations.exists() or person.files.exists():
        delete_conversations(person.conversations.values_list("pk", flat=True))
        attachments.delete_files(person.files)
        person.files.delete()
        Lead.objects.filter(pk__in=leads).delete()
        Visitor.objects.filter(pk__in=visitors).delete()
    return count
