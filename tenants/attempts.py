"""How often somebody may try: log-ins, sign-ups, mails. Counted in Redis, in fixed windows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from django.core.cache import cache

from netvexa.lib.errors import AppError


class TooManyAttempts(AppError):
    """Somebody tries too often; the sentence says when to come back, not what was right or wrong."""

    code = "rate_limited"
    status = 429
    default_detail = "Too many attempts. Please wait a few minutes and try again."


@dataclass(frozen=True)
class Limit:
    """At most `times` in `window`."""

    name: str
    times: int
    window: timedelta

    def key(self, subject: str) -> str:
        # Hashed: the subject is an e-mail address or an IP address, and is kept nowhere else.
        return f"attempts:{self.name}:{hashlib.sha256(subject.lower().encode()).hexdigest()[:32]}"


LOG_IN_BY_ACCOUNT = Limit("log-in-account", 10, timedelta(minutes=15))
LOG_IN_BY_ADDRESS = Limit("log-in-address", 60, timedelta(minutes=15))
SIGN_UP_BY_ADDRESS = Limit("sign-up-address", 20, timedelta(hours=1))
MAIL_BY_RECEIVER = Limit("mail-receiver", 5, timedelta(hours=1))
INVITATIONS_BY_WORKSPACE = Limit("invitations-workspace", 50, timedelta(hours=1))


def count(limit: Limit, subject: str) -> None:
    """Count one attempt of `subject`. Raises TooManyAttempts when it is one too many."""
    key, seconds = limit.key(subject), int(limit.window.total_seconds())
    if cache.add(key, 1, seconds):
        return
    try:
        tried = cache.incr(key)
    except ValueError:  # the window ended between the two calls
        cache.add(key, 1, seconds)
        return
    if tried > limit.times:
        raise TooManyAttempts(retry_after=seconds)


def forgive(limit: Limit, subject: str) -> None:
    """Forget the attempts of somebody who got it right."""
    cache.delete(limit.key(subject))
