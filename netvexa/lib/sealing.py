"""Secrets under the installation's master keys: what is sealed for one purpose and one owner opens for these only.

A row copied into another workspace's schema, or another column, is of no use. The first master key seals, all of
them open, so that an installation can change its key.
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
    default_detail = "This was sealed with another key of the installation, so it cannot be read."


def seal(text: str, *, purpose: str, owner: str) -> str:
    """The text as it may be stored. `owner` is the workspace's immutable key."""
    return _box(purpose, owner).encrypt(text.encode()).decode()


def unseal(sealed: str, *, purpose: str, owner: str) -> str:
    """The text that was sealed for this purpose and owner. Raises CannotOpen."""
    try:
        return _box(purpose, owner).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise CannotOpen from error


def master_secrets() -> list[str]:
    """The one that seals, then all that only open. Without a master key of its own, the secret key is it."""
    return [*settings.MASTER_KEYS, str(settings.SECRET_KEY), *map(str, settings.SECRET_KEY_FALLBACKS)]


def derived(secret: str | bytes, use: str) -> bytes:
    """32 bytes from a secret that are good for this use only (HKDF, RFC 5869)."""
    given = secret.encode() if isinstance(secret, str) else secret
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"netvexa sealing\n{use}".encode()).derive(
        given
    )


def _box(purpose: str, owner: str) -> MultiFernet:
    use = f"{purpose}\n{owner}"
    return MultiFernet([Fernet(urlsafe_b64encode(derived(secret, use))) for secret in master_secrets()])
