"""Proving that an e-mail address is the person's own, by a signed link; nothing waits for it."""

from __future__ import annotations

from datetime import timedelta

from django.core import signing
from django.utils import timezone

from netvexa.lib.errors import AppError
from tenants import mail
from tenants.addresses import root_address
from tenants.models import User

LIFETIME = timedelta(days=7)
_SALT = "tenants.confirmation"


class BadConfirmation(AppError):
    """The link is too old, incomplete, or for an address the person has since changed."""

    code = "bad_confirmation"
    status = 400
    default_detail = "This confirmation link is not valid any more. Ask for a new one in your dashboard."


def ask(user: User) -> None:
    """Send the person the link that confirms their address."""
    token = signing.dumps({"u": str(user.pk), "e": user.email}, salt=_SALT)
    mail.send(
        "confirm", to=user.email, context={"person": user, "link": root_address("tenants:confirm", token)}
    )


def confirm(token: str) -> User:
    """Confirm the address the link was sent to. Raises BadConfirmation."""
    try:
        given = signing.loads(token, salt=_SALT, max_age=LIFETIME)
    except signing.BadSignature:
        raise BadConfirmation from None
    user = User.objects.filter(pk=given["u"], email=given["e"]).first()
    if user is None:
        raise BadConfirmation
    if user.email_confirmed_at is None:
        user.email_confirmed_at = timezone.now()
        user.save(update_fields=["email_confirmed_at"])
    return user
