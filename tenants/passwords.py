"""What makes a password too weak: not its signs, but how soon it is guessed.

zxcvbn estimates the guesses an attacker needs who knows leaked passwords, words, names, dates, keyboard walks
and the usual replacements. Its lists come with the package, so nothing is asked over the network, and it
refuses what no list can hold (`Password2024!`), which is why it stands beside Django's list of 20,000.
"""

from __future__ import annotations

from django.core.exceptions import ValidationError
from zxcvbn import zxcvbn

from tenants.models import User

LEAST_SCORE = 3  # of 4: about 10**8 guesses; argon2 and the throttle make each of them slow
_MOST_LETTERS = 72  # the time grows with the square of the length; this many take 60 ms at most


class GuessableValidator:
    """Django's interface of a password validator."""

    def validate(self, password: str, user: User | None = None) -> None:
        own = [part for part in (user.email, user.name) if part] if user else []
        found = zxcvbn(password[:_MOST_LETTERS], user_inputs=["netvexa", *own])
        if found["score"] < LEAST_SCORE:
            why = found["feedback"]["warning"] or "This password is too easy to guess."
            raise ValidationError(f"{why} Take a few words that do not belong together.", code="guessable")

    def get_help_text(self) -> str:
        return "At least 10 characters that are not easy to guess. A few words in a row work well."
