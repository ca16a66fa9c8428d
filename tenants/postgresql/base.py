"""The database backend: django-tenants', with roles, and with nothing swallowed.

A connection stands somewhere: in a schema (search_path), as a role (what the database lets it do) and for a
workspace (what Row Level Security shows it). All three are set in one statement whenever they changed, and a
failure to set them is raised: a query must never run where it was not meant to. Only `tenants.context`
changes where a connection stands.

With DATABASE_POOLING=transaction the three are set for each transaction only (`SET LOCAL`), and a statement
outside a transaction gets one of its own: behind a pooler, a setting of the session belongs to whoever comes
next.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, Self

from django.conf import settings
from django.db.backends.utils import CursorDebugWrapper, CursorWrapper
from django.db.utils import DataError, InternalError, OperationalError, ProgrammingError
from django_tenants.postgresql_backend.base import DatabaseWrapper as TenantsWrapper
from psycopg import Cursor
from psycopg.errors import InFailedSqlTransaction
from psycopg.types.numeric import Int8BinaryDumper

from tenants.postgresql.introspection import SchemaIntrospection
from tenants.postgresql.prepared import PREPARED_AFTER


class DatabaseRole(StrEnum):
    """As whom a connection works."""

    TENANT = "netvexa_tenant"  # work in a workspace: its schema, and what of public is open to it
    APP = "netvexa_app"  # outside of workspaces, and proving who somebody is: bound by Row Level Security
    PLATFORM = "netvexa_platform"  # staff and jobs across workspaces
    OWNER = "none"  # the log-in role itself: migrations and provisioning only


TENANT_WORK = (
    "netvexa_tenant_work"  # nobody works as it: it holds what of public is open to work in workspaces
)
EXTENSIONS_SCHEMA = "extensions"
_STAND = (
    "SELECT set_config('search_path', %s, {local}), set_config('role', %s, {local}),"
    " set_config('app.current_tenant_id', %s, {local})"
)


class StandingCursor(CursorWrapper):
    """Each statement runs where the connection is to stand by then, not where it stood when the cursor was made.

    Between the two, Django makes the statement, and sealing a value for it may read the workspace's data key.
    """

    db: DatabaseWrapper

    def _execute(self, *given: Any) -> Any:
        self.db.take_place()
        return super()._execute(*given)  # type: ignore[misc]  # not in the stubs

    def _executemany(self, *given: Any) -> Any:
        self.db.take_place()
        return super()._executemany(*given)  # type: ignore[misc]  # likewise


class StandingDebugCursor(StandingCursor, CursorDebugWrapper):
    """The same, noting what ran."""


class PooledCursor(CursorWrapper):
    """Behind a transaction pooler: a statement outside a transaction runs in one of its own."""

    db: DatabaseWrapper

    def _execute(self, sql: Any, params: Any, *ignored: Any) -> Any:
        with self.db.transaction_of_its_own():
            return super()._execute(sql, params, *ignored)  # type: ignore[misc]  # not in the stubs

    def _executemany(self, sql: Any, param_list: Any, *ignored: Any) -> Any:
        with self.db.transaction_of_its_own():
            return super()._executemany(sql, param_list, *ignored)  # type: ignore[misc]  # likewise

    def __getattr__(self, name: str) -> Any:
        if name in ("copy", "stream") and self.db.get_autocommit():
            raise ProgrammingError(f"Behind a transaction pooler, {name}() needs a transaction.")
        return super().__getattr__(name)


class PooledDebugCursor(PooledCursor, CursorDebugWrapper):
    """The same, noting what ran."""


class BindingCursor(Cursor[tuple[Any, ...]]):
    """Sends values beside the statement and gets rows as bytes; see `tenants.postgresql.prepared`."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        return super().execute(query, params, **{"binary": True, **options})


class DatabaseWrapper(TenantsWrapper):
    """Sets schema, role and workspace together; see the module's docstring."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.database_role: str = DatabaseRole.APP
        self._setting_search_path = False
        self.search_path_set_schemas: bool | None = None
        self.worked_at = float("-inf")  # when a piece of work last went well, by the monotonic clock
        self._stands: tuple[str, str, str] | None = None  # what the server was last told, while it holds
        super().__init__(*args, **kwargs)
        self.introspection = SchemaIntrospection(self)

    @property
    def transaction_pooled(self) -> bool:
        return bool(settings.DATABASE_POOLING == "transaction")

    def stand(self, tenant: Any, role: str) -> None:
        """Take this schema and role from the next statement on. Does not talk to the database yet."""
        self.database_role = role
        self.set_tenant(tenant)

    def take_place(self) -> None:
        """Tell the database where the connection is to stand, if it does not know yet."""
        self._handle_search_path()

    def forget_standing(self) -> None:
        """The server may have forgotten what was set: set it again before the next statement."""
        self.search_path_set_schemas = self._stands = None

    def close(self) -> None:
        """A new connection stands nowhere yet."""
        self._stands = None
        super().close()

    def rollback(self) -> None:
        """What was set within the transaction is undone with it."""
        self._stands = None
        super().rollback()

    def savepoint_rollback(self, sid: str) -> None:
        """Likewise."""
        try:
            super().savepoint_rollback(sid)
        finally:
            self._stands = None

    def _get_cursor_search_paths(self) -> list[str]:
        # Not by PG_EXTRA_SEARCH_PATHS: with that, django-tenants asks the database at every import of Django.
        return [*super()._get_cursor_search_paths(), EXTENSIONS_SCHEMA]

    def _standing(self) -> tuple[str, str, str]:
        path = ",".join(f'"{name}"' for name in self._get_cursor_search_paths())
        return path, str(self.database_role), str(getattr(self.tenant, "id", "") or "")

    def _handle_search_path(self, cursor: Any = None) -> None:
        if self._setting_search_path:
            return
        if self.search_path_set_schemas or (self.transaction_pooled and self.get_autocommit()):
            return  # it stands; or `transaction_of_its_own` is going to place it
        if self._stands == self._standing():
            self.search_path_set_schemas = True
            return
        self._setting_search_path = True
        try:
            self._send_standing()
            self._stands = None if self.transaction_pooled else self._standing()
            self.search_path_set_schemas = True
        except DataError as error:
            raise OperationalError(
                f"The database is not prepared ({error}): run manage.py prepare."
            ) from error
        except InternalError as error:
            if not isinstance(error.__cause__, InFailedSqlTransaction):
                raise
            # only a rollback can succeed now, and it must get through; anything else fails as well
        finally:
            self._setting_search_path = False

    def _send_standing(self) -> None:
        statement = _STAND.format(local="true" if self.transaction_pooled else "false")
        with self.wrap_database_errors, self.connection.cursor() as own:
            own.execute(statement, self._standing())

    @contextmanager
    def transaction_of_its_own(self) -> Iterator[None]:
        """For a statement outside a transaction: one around it that stands where it should."""
        if not self.get_autocommit():
            self.take_place()
            yield
            return
        with self.wrap_database_errors, self.connection.transaction():
            self._send_standing()
            yield

    def get_new_connection(self, conn_params: Any) -> Any:
        made = super().get_new_connection(conn_params)
        if not self.transaction_pooled:
            made.prepare_threshold = PREPARED_AFTER
        # psycopg takes the smallest type that holds a number: one statement would be kept once for each
        made.adapters.register_dumper(int, Int8BinaryDumper)
        return made

    def init_connection_state(self) -> None:
        """Kept statements find their rows by keys: one plan fits all values, and no execution makes its own."""
        super().init_connection_state()
        if not self.transaction_pooled:
            self.connection.execute("SET plan_cache_mode = force_generic_plan")

    def binding_cursor(self) -> CursorWrapper:
        """A cursor for `tenants.postgresql.prepared`."""
        self.close_if_health_check_failed()
        self.ensure_connection()
        cursor: CursorWrapper = self._prepare_cursor(BindingCursor(self.connection))
        return cursor

    def make_cursor(self, cursor: Any) -> CursorWrapper:
        return (PooledCursor if self.transaction_pooled else StandingCursor)(cursor, self)

    def make_debug_cursor(self, cursor: Any) -> CursorDebugWrapper:
        return (PooledDebugCursor if self.transaction_pooled else StandingDebugCursor)(cursor, self)

    def set_autocommit(self, *args: Any, **kwargs: Any) -> None:
        """Transactions begin and end here: what `SET LOCAL` set does not outlive them."""
        super().set_autocommit(*args, **kwargs)
        if self.transaction_pooled:
            self.forget_standing()

    def commit(self) -> None:
        """Likewise where autocommit was switched off by hand."""
        super().commit()
        if self.transaction_pooled:
            self.forget_standing()
