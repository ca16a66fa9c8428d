"""The mail with the link that sets a new password."""

from __future__ import annotations

from celery import shared_task
from django.contrib.auth.tokens import default_token_generator
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from tenants import mail
from tenants.addresses import root_address
from tenants.context import PlatformTask
from tenants.models import User


@shared_task(base=PlatformTask)
def send_password_link(email: str) -> None:
    """Write to the person with this address, if there is one.

    A worker looks it up, so that the page answers as fast for an address without an account.
    """
    user = User.objects.filter(email=email, is_active=True).first()
    if user is None:
        return
    uid, token = urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)
    link = root_address("tenants:password_set", uid, token)
    mail.send("password", to=user.email, context={"person": user, "link": link})
