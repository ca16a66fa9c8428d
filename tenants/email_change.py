"""A new e-mail address: it holds once a link was opened in both mailboxes, the old one and the new one.

The new one proves that the address is the person's; the old one that it is the person who asks, not somebody who
found a computer unlocked and wants to take the account away.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from django.core import signing
from django.db import transaction
from django.utils import timezone

from netvexa.lib.errors import AppError
from tenants import mail, sessions, tokens
from tenants.addresses import root_address
from tenants.context import identity
from tenants.models import EmailChange, User

LIFETIME = timedelta(days=2)
_SALT = "tenants.email_change"


class Side(StrEnum):
    """Which mailbox a link was sent to."""

    OLD = "old"
    NEW = "new"


class BadEmailChange(AppError):
    """The link is too old or incomplete, or the change was taken back, replaced, or cannot be made any more."""

    code = "bad_email_change"
    status = 400
    default_detail = "This link is not valid any more. Ask for the change again on your account page."


@identity()
def ask(user: User, new_email: str) -> None:
    """Send a link to both addresses; an earlier wish is replaced.

    An address that has an account already is sent nothing, and the person is told the same as otherwise.
    """
    with transaction.atomic():
        EmailChange.objects.filter(user=user).delete()
        change = EmailChange.objects.create(
            user=user, old_email=user.email, new_email=new_email.strip().lower()
        )
        _send(change, Side.OLD, to=change.old_email)
        if not User.objects.filter(email=change.new_email).exists():
            _send(change, Side.NEW, to=change.new_email)


@identity()
def pending(user: User) -> EmailChange | None:
    """The change that still waits for one of the two, if any."""
    return EmailChange.objects.filter(user=user, created_at__gt=timezone.now() - LIFETIME).first()


@identity()
def take_back(user: User) -> None:
    """Forget the change."""
    EmailChange.objects.filter(user=user).delete()


def find(token: str) -> tuple[EmailChange, Side]:
    """The change and the side that a link speaks for. Raises BadEmailChange."""
    try:
        given = signing.loads(token, salt=_SALT, max_age=LIFETIME)
    except signing.BadSignature:
        raise BadEmailChange from None
    change = EmailChange.objects.select_related("user").filter(pk=given["c"]).first()
    if change is None or change.user.email != change.old_email:
        raise BadEmailChange
    return change, Side(given["s"])


def agree(token: str) -> EmailChange:
    """Note that this side agrees; with the second one the address changes. Raises BadEmailChange."""
    with transaction.atomic():
        change, side = find(token)
        change = EmailChange.objects.select_for_update(of=("self",)).select_related("user").get(pk=change.pk)
        field = f"{side}_agreed_at"
        setattr(change, field, getattr(change, field) or timezone.now())
        change.save(update_fields=[field])
        if change.old_agreed_at and change.new_agreed_at:
            _make(change)
    return change


def _make(change: EmailChange) -> None:
    user = change.user
    if User.objects.filter(email=change.new_email).exclude(pk=user.pk).exists():
        raise BadEmailChange
    user.email, user.email_confirmed_at = change.new_email, timezone.now()
    user.save(update_fields=["email", "email_confirmed_at"])
    EmailChange.objects.filter(pk=change.pk).delete()
    sessions.end_all(user)
    tokens.revoke_all_of(user)


def _send(change: EmailChange, side: Side, *, to: str) -> None:
    link = root_address("tenants:email_change", signing.dumps({"c": str(change.pk), "s": side}, salt=_SALT))
    mail.send(f"email_change_{side}", to=to, context={"change": change, "person": change.user, "link": link})
