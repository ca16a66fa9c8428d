"""The secrets of authenticator apps, which django-otp keeps in clear: sealed under the master secret.

A person is of no workspace, so no data key can seal them. The column is django-otp's, of 80 characters, and a
model of our own would be a second kind of device to its log-in; so its field is given our class. To migrations it
stays the field that it was.
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import models
from django_otp.plugins.otp_totp.models import TOTPDevice

from netvexa.lib.sealing import CannotOpen, derived, master_secrets

PREFIX = "~m."
_NONCE, _USE = 12, "authenticator"


class SealedHexField(models.CharField):  # type: ignore[type-arg]  # as plain text to its model
    """Hexadecimal text that stands in the database sealed; what was never sealed reads as it is."""

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs

    def get_prep_value(self, value: Any) -> Any:
        nonce = os.urandom(_NONCE)
        sealed = _cipher(master_secrets()[0]).encrypt(nonce, bytes.fromhex(value), None)
        return PREFIX + urlsafe_b64encode(nonce + sealed).decode()

    def from_db_value(self, value: str, _expression: Any, _connection: Any) -> str:
        return _opened(value.removeprefix(PREFIX)) if value.startswith(PREFIX) else value


def _opened(body: str) -> str:
    raw = urlsafe_b64decode(body)
    for secret in master_secrets():
        try:
            return _cipher(secret).decrypt(raw[:_NONCE], raw[_NONCE:], None).hex()
        except InvalidTag:
            continue
    raise CannotOpen


def _cipher(secret: str) -> AESGCM:
    return AESGCM(derived(secret, _USE))


def seal_authenticators() -> None:
    """Give django-otp's field our class. Called once, when the apps are ready."""
    TOTPDevice._meta.get_field("key").__class__ = SealedHexField


def reseal_authenticators() -> int:
    """Seal every secret by the present master secret; how many there are."""
    count = 0
    for device in TOTPDevice.objects.only("key").iterator():
        device.save(update_fields=["key"])
        count += 1
    return count
