"""Secrets at rest: sealed with a key that is derived from the installation's for one purpose and one owner.

A sealed text opens for the same purpose and owner only, so that a row copied into another workspace's schema,
or another column, is of no use.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from netvexa.lib.errors import Invalid


class CannotOpen(Invalid):
    code = "secret_unreadable"
    default_detail = "This secret was sealed with another key of the installation. Please enter it again."


def seal(text: str, *, purpose: str, owner: str) -> str:
    """The text as it may be stored. `owner` is the workspace's immutable key."""
    return _box(purpose, owner).encrypt(text.encode()).decode()


def unseal(sealed: str, *, purpose: str, owner: str) -> str:
    """The text that was sealed for this purpose and owner. Raises CannotOpen."""
    try:
        return _box(purpose, owner).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise CannotOpen from error


def _box(purpose: str, owner: str) -> MultiFernet:
    """The first key seals, all of them open: SECRET_KEY_FALLBACKS let the installation change its key."""
    secrets: list[str] = [str(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    return MultiFernet([Fernet(_derived(secret, f"{purpose}\n{owner}")) for secret in secrets])


def _derived(secret: str, use: str) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"netvexa sealing\n{use}".encode())
    return urlsafe_b64encode(derived.derive(secret.encode()))
