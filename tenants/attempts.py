"""How often somebody may try: log-ins, codes, sign-ups, mails.

Counted in Redis for all processes, and in each process while Redis is away: slower then, but never open.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from netvexa.lib.errors import AppError
from netvexa.lib.ratelimit import Bucket, refill, spend


class TooManyAttempts(AppError):
    """Somebody tries too often; the sentence says when to come back, not what was right or wrong."""

    code = "rate_limited"
    status = 429
    default_detail = "Too many attempts. Please wait a few minutes and try again."


@dataclass(frozen=True)
class Limit:
    """At most `times` in a row, regained over `window`."""

    name: str
    times: int
    window: timedelta

    def bucket(self, subject: str) -> Bucket:
        # Hashed: the subject is an e-mail address or an IP address, and is kept nowhere else.
        digest = hashlib.sha256(subject.lower().encode()).hexdigest()[:32]
        per_minute = self.times * 60 / self.window.total_seconds()
        return Bucket(f"attempts:{self.name}:{digest}", per_minute, self.times)


LOG_IN_BY_ACCOUNT = Limit("log-in-account", 10, timedelta(minutes=15))
LOG_IN_BY_ADDRESS = Limit("log-in-address", 60, timedelta(minutes=15))
CODE_BY_ACCOUNT = Limit("code-account", 6, timedelta(minutes=15))
CODE_BY_ACCOUNT_DAILY = Limit("code-account-day", 30, timedelta(days=1))
PASSWORD_AGAIN = Limit("password-again", 10, timedelta(minutes=15))
RESET_BY_ADDRESS = Limit("reset-address", 20, timedelta(hours=1))
SIGN_UP_BY_ADDRESS = Limit("sign-up-address", 20, timedelta(hours=1))
MAIL_BY_RECEIVER = Limit("mail-receiver", 5, timedelta(hours=1))
INVITATIONS_BY_WORKSPACE = Limit("invitations-workspace", 50, timedelta(hours=1))


def count(limit: Limit, subject: str) -> None:
    """Count one attempt of `subject`. Raises TooManyAttempts when it is one too many."""
    left = spend(limit.bucket(subject))
    if left.wait:
        raise TooManyAttempts(retry_after=left.wait)


def forgive(limit: Limit, subject: str) -> None:
    """Forget the attempts of somebody who got it right."""
    refill(limit.bucket(subject))
