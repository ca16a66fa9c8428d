"""Stripe's secret key stays in the environment: of the row that dj-stripe keeps for each key, we store a digest.

dj-stripe looks its rows up by the key, and asks a row for the key when it calls Stripe by itself. A digest serves the
first; to the second the answer is the key that this installation has now.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django.conf import settings
from django.db import models

PREFIX = "sha256:"


class DigestedKeyField(models.CharField):  # type: ignore[type-arg]  # as plain text to its model
    """A key of which the database holds the SHA-256. It carries 140 random bits or more: there is nothing to guess."""

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs

    def get_prep_value(self, value: Any) -> Any:
        return PREFIX + hashlib.sha256(str(value).encode()).hexdigest() if value else value

    def from_db_value(self, _value: str, _expression: Any, _connection: Any) -> str:
        key: str = settings.STRIPE_LIVE_SECRET_KEY or settings.STRIPE_TEST_SECRET_KEY
        return key


def keep_out(model: type[models.Model], name: str) -> None:
    """Have only a digest of this field stored. Called once, when the apps are ready."""
    model._meta.get_field(name).__class__ = DigestedKeyField
