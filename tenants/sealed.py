"""Fields of a workspace's tables that stand in the database sealed by the workspace's data key.

They are read and written like plain ones; a row from before it was sealed reads as it is. What SQL cannot see it
cannot look for: the one look-up that a `SealedField` has is for an equal text, where it is searchable.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldError
from django.db import models
from django.db.models import F, Func, Value
from django.db.models.lookups import Exact

from tenants import data_keys

if TYPE_CHECKING:
    TextOfModel = models.TextField[str, str]
else:  # not generic at run time
    TextOfModel = models.TextField


class SealedField(TextOfModel):
    """A text that is sealed. An empty one stays empty. `max_length` is for forms."""

    def __init__(self, *args: Any, is_searchable: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_searchable = is_searchable

    def deconstruct(self) -> Any:
        """To migrations a text: what is sealed, and how, is not theirs."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs

    @property
    def purpose(self) -> str:
        return f"{self.model._meta.db_table}.{self.column}"

    def get_prep_value(self, value: Any) -> Any:
        text = super().get_prep_value(value)
        return data_keys.seal(text, self.purpose, is_searchable=self.is_searchable) if text else text

    def from_db_value(self, value: str | None, _expression: Any, _connection: Any) -> str | None:
        return data_keys.open_text(value, self.purpose) if value else value

    def get_lookup(self, lookup_name: str) -> Any:
        return super().get_lookup(lookup_name) if lookup_name in ("exact", "isnull") else None


class SealedJSONField(models.JSONField):
    """JSON that is sealed as one text. What is empty stays as it is."""

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.JSONField", args, kwargs

    @property
    def purpose(self) -> str:
        return f"{self.model._meta.db_table}.{self.column}"

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if value:
            value = data_keys.seal(json.dumps(value), self.purpose)
        return super().get_db_prep_value(value, connection, prepared)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        found = super().from_db_value(value, expression, connection)
        return json.loads(data_keys.open_text(found, self.purpose)) if isinstance(found, str) else found

    def get_lookup(self, lookup_name: str) -> Any:
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None

    def get_transform(self, name: str) -> Any:
        raise FieldError(f"{self.purpose} is sealed: SQL cannot look inside.")


@SealedField.register_lookup
class SealedExact(Exact):
    """An equal text, by its blind index: case and outer spaces do not matter."""

    def get_prep_lookup(self) -> Any:
        field = self.lhs.output_field
        if not isinstance(self.rhs, str) or (self.rhs and not field.is_searchable):
            raise FieldError(
                f"{field.purpose} is sealed: it can only be compared with a text, or not at all."
            )
        return self.rhs

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        column, params = self.process_lhs(compiler, connection)
        if not self.rhs:
            return f"{column} = ''", params
        found = data_keys.indexes(self.rhs, self.lhs.output_field.purpose)
        return f"split_part({column}, '.', 3) IN ({', '.join(['%s'] * len(found))})", [*params, *found]


def blind_index_of(field: str, *, name: str) -> models.Index:
    """The database's index for looking a searchable field up."""
    return models.Index(Func(F(field), Value("."), Value(3), function="split_part"), name=name)
