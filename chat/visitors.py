"""Visitors whom the site knows: one row for each of its users, whichever device they come from."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from chat.models import Attachment, Conversation, Visitor
from chat.protocol import Identity


def is_identified(visitor_id: UUID | None) -> bool:
    """Whether the site has vouched for this visitor before."""
    if visitor_id is None:
        return False
    return Visitor.objects.filter(pk=visitor_id).exclude(external_id="").exists()


def identified(identity: Identity, *, locale: str, visitor_id: UUID | None) -> UUID:
    """The visitor behind a proven identity; what they wrote before they logged in becomes theirs.

    `visitor_id` is who this browser was until now: another user's conversations stay another user's.
    """
    with transaction.atomic():
        anonymous = Visitor.objects.filter(pk=visitor_id, external_id="").first() if visitor_id else None
        known = Visitor.objects.filter(external_id=identity.user_id).order_by("created_at").first()
        if known is None:
            known = anonymous or Visitor(locale=locale)
        elif anonymous is not None:
            _adopt(known, anonymous)
        known.external_id = identity.user_id
        known.name = identity.name or known.name
        known.email = email_or_nothing(identity.email) or known.email
        known.save()
    return known.pk


def _adopt(known: Visitor, anonymous: Visitor) -> None:
    Conversation.objects.filter(visitor=anonymous).update(visitor=known)
    Attachment.objects.filter(visitor_id=anonymous.pk).update(visitor_id=known.pk)
    known.name, known.email = known.name or anonymous.name, known.email or anonymous.email
    anonymous.delete()


def email_or_nothing(text: str) -> str:
    """The address if it is one."""
    try:
        validate_email(text)
    except ValidationError:
        return ""
    return text
