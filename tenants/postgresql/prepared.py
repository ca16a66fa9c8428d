"""Statements that run all day, prepared once for each connection.

Django binds values into the text of a statement, so that PostgreSQL parses and plans it anew each time, and reads
its rows as text. For what every answer asks that is a third of the database's work. Here values go beside the
statement, the database keeps it after PREPARED_AFTER uses, and rows come as bytes.

Where the connection stands decides as ever: PostgreSQL plans a kept statement anew where search_path or role are no
longer those that it was planned for, and checks rights at every execution. Behind a transaction pooler, where the
next statement may reach another session, everything goes Django's way.

A kept statement whose columns have changed since (a migration while the product serves) goes Django's way, too,
until its connection ends; within a transaction it fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from django.db import NotSupportedError, connection
from django.db.models import JSONField, Model

if TYPE_CHECKING:
    from tenants.postgresql.base import DatabaseWrapper

PREPARED_AFTER = 3  # uses on one connection
Row = tuple[Any, ...]
Values = Mapping[str, Any] | Sequence[Any]
M = TypeVar("M", bound=Model)
T = TypeVar("T")


def rows_of(statement: str, values: Values = (), *, settings: str = "") -> list[Row]:
    """Run one statement, with `settings` for itself alone, and return what it returns.

    Instants come in UTC, and JSON as Python objects where the connection is no pooler's: select neither.
    """
    wrapper = cast("DatabaseWrapper", connection)
    if wrapper.transaction_pooled:
        return _rows_in_text(statement, values, settings)
    try:
        return _rows_in_bytes(wrapper, statement, values, settings)
    except NotSupportedError:  # "cached plan must not change result type"
        if wrapper.in_atomic_block:
            raise
        return _rows_in_text(statement, values, settings)


@dataclass(slots=True)
class Asked(Generic[T]):
    """A statement with its values, and what its rows mean. Several may go out together (`fetch`)."""

    statement: str
    values: Values
    read: Callable[[list[Row]], T]
    _rows: list[Row] | None = None

    @property
    def found(self) -> T:
        """What there is; asked for alone where it was not fetched."""
        if self._rows is None:
            self._rows = rows_of(self.statement, self.values)
        return self.read(self._rows)


def fetch(*asked: Asked[Any]) -> None:
    """Run these in one round trip, and where no transaction is open in one of their own."""
    wrapper = cast("DatabaseWrapper", connection)
    if wrapper.transaction_pooled:
        return  # each is asked for alone
    try:
        found = _together(wrapper, asked)
    except NotSupportedError:  # as in `rows_of`
        if wrapper.in_atomic_block:
            raise
        return
    for one, rows in zip(asked, found, strict=True):
        one._rows = rows


def _together(wrapper: DatabaseWrapper, asked: Sequence[Asked[Any]]) -> list[list[Row]]:
    with ExitStack() as stack:
        stack.enter_context(wrapper.wrap_database_errors)
        cursors = [stack.enter_context(wrapper.binding_cursor()) for _ in asked]
        wrapper.take_place()  # before, and by itself: see `_rows_in_bytes`
        stack.enter_context(_pipeline(wrapper))
        for cursor, one in zip(cursors, asked, strict=True):
            cursor.execute(one.statement, one.values)
        return [cursor.fetchall() for cursor in cursors]


@contextmanager
def _pipeline(wrapper: DatabaseWrapper) -> Iterator[None]:
    """One round trip for the block's statements. Where one of them fails, psycopg takes those behind it, and one that
    was to be kept then, for kept although the server knows nothing of them: every later use would fail. It forgets
    them with the transaction's rollback; without a transaction the connection is given up.
    """
    try:
        with wrapper.connection.pipeline():
            yield
    except Exception:
        if not wrapper.in_atomic_block:
            wrapper.close()
        raise


def row_of(statement: str, values: Values = ()) -> Row | None:
    """The first row, or None."""
    return next(iter(rows_of(statement, values)), None)


@cache
def columns_of(model: type[Model]) -> str:
    """What a statement selects for `instance_of`: a model's columns, with JSON as the text that its field reads."""
    columns = [(str(field.column), isinstance(field, JSONField)) for field in model._meta.concrete_fields]
    return ", ".join(f"{column}::text" if is_json else column for column, is_json in columns)


def instance_of(model: type[M], rows: Sequence[Row]) -> M | None:
    """The first row of a statement that selects `columns_of(model)`, as an object; None where there is none."""
    if not rows:
        return None
    found = list(rows[0])
    for place, field in enumerate(model._meta.concrete_fields):
        for convert in field.get_db_converters(connection):
            found[place] = convert(found[place], None, connection)
    return model.from_db(connection.alias, [field.attname for field in model._meta.concrete_fields], found)


def _rows_in_bytes(wrapper: DatabaseWrapper, statement: str, values: Values, settings: str) -> list[Row]:
    with ExitStack() as stack:
        stack.enter_context(wrapper.wrap_database_errors)
        cursor = stack.enter_context(wrapper.binding_cursor())
        if settings:
            wrapper.take_place()  # before: where the statement fails, all that its transaction set is undone
            # One round trip, and for PostgreSQL one transaction: what is set ends with it.
            stack.enter_context(_pipeline(wrapper))
            stack.enter_context(wrapper.binding_cursor()).execute(settings)
        cursor.execute(statement, values)
        return cursor.fetchall() if settings or cursor.description else []


def _rows_in_text(statement: str, values: Values, settings: str) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(f"{settings}; {statement}" if settings else statement, values)
        if settings:
            cursor.nextset()
        return cursor.fetchall() if cursor.description else []
