"""API keys: made, shown once, recognised by hash, replaced with an overlap, revoked.

A key is `nvx_live_`, 43 letters and digits at random (256 bits) and 6 of checksum. Scanners find it by
`\\bnvx_live_[0-9A-Za-z]{49}\\b` and tell it from chance by the checksum; so do we, before any query.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import transaction
from django.utils import timezone

from tenants.context import current_workspace, identity, platform
from tenants.models import ApiKey, User

PREFIX = "nvx_live_"
PATTERN = re.compile(r"nvx_live_[0-9A-Za-z]{49}")
_LETTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM, _CHECK = 43, 6
_TOUCH_EVERY = timedelta(minutes=1)


class Scope(StrEnum):
    """What a key may do."""

    READ_AGENTS = "read:agents"
    WRITE_AGENTS = "write:agents"
    READ_CONVERSATIONS = "read:conversations"
    WRITE_CONVERSATIONS = "write:conversations"
    READ_KNOWLEDGE = "read:knowledge"
    WRITE_KNOWLEDGE = "write:knowledge"
    READ_LEADS = "read:leads"
    WRITE_LEADS = "write:leads"
    READ_ANALYTICS = "read:analytics"
    WRITE_WEBHOOKS = "write:webhooks"
    ADMIN = "admin"


@dataclass(frozen=True)
class NewKey:
    """A key that was just made: `secret` is known only now."""

    row: ApiKey
    secret: str


@identity()
def make_key(
    *,
    name: str,
    scopes: Sequence[Scope],
    created_by: User | None,
    expires_at: datetime | None = None,
    allowed_addresses: Sequence[str] = (),
    hourly_limit: int | None = None,
) -> NewKey:
    """Make a key for the current workspace. `allowed_addresses` are networks; none lets it work from anywhere."""
    secret = _secret()
    row = ApiKey.objects.create(
        workspace=current_workspace(),
        name=name,
        prefix=secret[: len(PREFIX) + 6],
        key_hash=_hash(secret),
        scopes=[scope.value for scope in scopes],
        created_by=created_by,
        expires_at=expires_at,
        allowed_addresses=list(allowed_addresses),
        hourly_limit=hourly_limit,
    )
    return NewKey(row, secret)


@identity()
def rotate(key: ApiKey, *, overlap: timedelta, by: User | None) -> NewKey:
    """A new key with the same rights and as long a life; the old one works on for `overlap` at most."""
    now = timezone.now()
    with transaction.atomic():
        new = make_key(
            name=key.name,
            scopes=[Scope(value) for value in key.scopes],
            created_by=by,
            expires_at=now + (key.expires_at - key.created_at) if key.expires_at else None,
            allowed_addresses=key.allowed_addresses,
            hourly_limit=key.hourly_limit,
        )
        key.replaced_by = new.row
        key.expires_at = min(filter(None, (key.expires_at, now + overlap)))
        key.save(update_fields=["replaced_by", "expires_at"])
    return new


def recognise(secret: str) -> ApiKey | None:
    """The live key behind this secret, whichever workspace it belongs to. Notes when it was last used."""
    if not is_well_formed(secret):
        return None
    now = timezone.now()
    with platform():
        key = ApiKey.objects.select_related("workspace").filter(key_hash=_hash(secret)).first()
        if key is None or not key.is_live:
            return None
        if key.last_used_at is None or now - key.last_used_at > _TOUCH_EVERY:
            ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return key


@identity()
def live_keys() -> list[ApiKey]:
    """The current workspace's keys that are not revoked, newest first."""
    keys = ApiKey.objects.filter(workspace=current_workspace(), revoked_at=None)
    return list(keys.select_related("created_by").order_by("-created_at"))


@identity()
def revoke(key: ApiKey) -> None:
    """End the key now."""
    key.revoked_at = timezone.now()
    key.save(update_fields=["revoked_at"])


@identity()
def forget(key: ApiKey) -> None:
    """Delete a key that nobody was shown, with the tokens that stand on it."""
    key.delete()


def is_well_formed(secret: str) -> bool:
    """Whether this is a key of ours by its looks: prefix, length and checksum."""
    return bool(PATTERN.fullmatch(secret)) and secret.endswith(_checksum(secret[:-_CHECK]))


def _secret() -> str:
    body = PREFIX + "".join(secrets.choice(_LETTERS) for _ in range(_RANDOM))
    return body + _checksum(body)


def _checksum(body: str) -> str:
    """CRC-32 in base 62, as GitHub's tokens carry it: it finds typing mistakes, it protects nothing."""
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(_CHECK):
        number, digit = divmod(number, len(_LETTERS))
        digits = _LETTERS[digit] + digits
    return digits


def _hash(secret: str) -> str:
    # A key carries 256 random bits, so a plain fast hash is enough: there is nothing to guess.
    return hashlib.sha256(secret.encode()).hexdigest()
