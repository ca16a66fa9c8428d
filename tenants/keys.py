"""API keys: made, shown once, recognised by hash, revoked."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Q, QuerySet
from django.utils import timezone

from tenants.context import current_workspace, platform
from tenants.models import ApiKey, User

PREFIX = "nvx_live_"  # lets secret scanners recognise a leaked key
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


def make_key(
    *, name: str, scopes: list[Scope], created_by: User | None, expires_at: datetime | None = None
) -> NewKey:
    """Make a key for the current workspace."""
    secret = PREFIX + secrets.token_urlsafe(32)
    row = ApiKey.objects.create(
        workspace=current_workspace(),
        name=name,
        prefix=secret[: len(PREFIX) + 6],
        key_hash=_hash(secret),
        scopes=[scope.value for scope in scopes],
        created_by=created_by,
        expires_at=expires_at,
    )
    return NewKey(row, secret)


def recognise(secret: str) -> ApiKey | None:
    """The live key behind this secret, whichever workspace it belongs to. Notes when it was last used."""
    now = timezone.now()
    with platform():
        key = (
            ApiKey.objects.select_related("workspace")
            .filter(key_hash=_hash(secret), revoked_at=None)
            .filter(Q(expires_at=None) | Q(expires_at__gt=now))
            .first()
        )
        if key and (key.last_used_at is None or now - key.last_used_at > _TOUCH_EVERY):
            ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return key


def live_keys() -> QuerySet[ApiKey]:
    """The current workspace's keys that are not revoked, newest first."""
    keys = ApiKey.objects.filter(workspace=current_workspace(), revoked_at=None)
    return keys.select_related("created_by").order_by("-created_at")


def revoke(key: ApiKey) -> None:
    """End the key now."""
    key.revoked_at = timezone.now()
    key.save(update_fields=["revoked_at"])


def _hash(secret: str) -> str:
    # A key carries 256 random bits, so a plain fast hash is enough: there is nothing to guess.
    return hashlib.sha256(secret.encode()).hexdigest()
