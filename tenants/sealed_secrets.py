"""Secrets of the installation in columns of other packages: sealed under the master secret.

A package's model is given our field's class when the apps are ready; to migrations its field stays what it was. What
was never sealed reads as it is.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import models

from netvexa.lib.sealing import seal, unseal

PREFIX = "~s."


class SealedSecretField(models.CharField):  # type: ignore[type-arg]  # as plain text to its model
    """A text of the installation's own that stands in the database sealed; an empty one stays empty."""

    @property
    def purpose(self) -> str:
        return f"{self.model._meta.db_table}.{self.column}"

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs

    def get_prep_value(self, value: Any) -> Any:
        return PREFIX + seal(str(value), purpose=self.purpose, owner="installation") if value else value

    def from_db_value(self, value: str, _expression: Any, _connection: Any) -> str:
        if not value.startswith(PREFIX):
            return value
        return unseal(value.removeprefix(PREFIX), purpose=self.purpose, owner="installation")


def seal_field(model: type[models.Model], name: str) -> None:
    """Have this text field of another package's model sealed. Called once, when the apps are ready."""
    model._meta.get_field(name).__class__ = SealedSecretField


def reseal_secrets() -> int:
    """Seal every such secret by the present master secret; how many rows there are."""
    count = 0
    for model in apps.get_models():
        names = [field.name for field in model._meta.concrete_fields if isinstance(field, SealedSecretField)]
        for row in model._default_manager.only(*names) if names else ():
            row.save(update_fields=names)
            count += 1
    return count
