"""Statements that a connection keeps run where the connection stands, as all others do."""

from __future__ import annotations

import pytest
from django.db import ProgrammingError, connection, transaction

from tenants.context import identity, in_tenant, owner
from tenants.models import Workspace
from tenants.postgresql.prepared import PREPARED_AFTER, Asked, fetch, row_of, rows_of
from tests.tenancy.canaries import put_canary

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 3 * PREPARED_AFTER
NAMES = "SELECT name FROM agents_agent WHERE name <> %s"
MORE = "SELECT set_config('work_mem', '5MB', true)"


@pytest.fixture
def two(workspace: Workspace, other_workspace: Workspace) -> list[Workspace]:
    connection.close()  # what the connection of an earlier test keeps is no part of this one
    put_canary(workspace)
    put_canary(other_workspace)
    return [workspace, other_workspace]


def keep(statement: str, workspace: Workspace, *values: str) -> None:
    with in_tenant(workspace):
        for _ in range(MANY):
            rows_of(statement, values)


def is_kept(statement: str) -> bool:
    begin = statement.partition("%s")[0]
    kept = "SELECT count(*) FROM pg_prepared_statements WHERE starts_with(statement, %s)"
    row = row_of(kept, (begin,))
    return row is not None and row[0] > 0


@pytest.mark.parametrize("settings", ["", MORE])
def test_a_kept_statement_reads_the_workspace_where_it_runs(two: list[Workspace], settings: str) -> None:
    for number in range(MANY):
        for workspace in two:
            with in_tenant(workspace):
                found = rows_of(NAMES, (str(number),), settings=settings)
            assert found == [(workspace.slug,)]

    assert is_kept(NAMES)


@pytest.mark.parametrize("together", [False, True])
def test_a_statement_that_failed_when_it_was_to_be_kept_runs_afterwards(
    two: list[Workspace], together: bool
) -> None:
    def ask() -> list[tuple[str]]:
        if not together:
            return rows_of(NAMES, ("",), settings=MORE)
        asked = Asked(NAMES, ("",), list)
        fetch(asked)
        return asked.found

    for _ in range(PREPARED_AFTER):
        with in_tenant(two[0]):
            ask()
    with pytest.raises(ProgrammingError):
        ask()  # there is no such table outside of workspaces
    for _ in range(2):
        with in_tenant(two[0]):
            assert ask() == [(two[0].slug,)]


def test_a_kept_statement_shows_the_guarded_rows_of_the_workspace_where_it_runs(two: list[Workspace]) -> None:
    for _ in range(MANY):
        for workspace in two:
            with in_tenant(workspace):
                assert rows_of("SELECT slug FROM public.tenants_workspace") == [(workspace.slug,)]


def test_a_kept_statement_writes_in_the_workspace_where_it_runs(two: list[Workspace]) -> None:
    for number in range(MANY):
        for workspace in two:
            with in_tenant(workspace):
                rows_of("UPDATE agents_agent SET name = %s", (f"{workspace.slug} {number}",))

    with in_tenant(two[0]):
        assert rows_of("SELECT name FROM agents_agent") == [(f"{two[0].slug} {MANY - 1}",)]


def test_what_one_role_may_read_another_may_not_by_a_kept_statement(two: list[Workspace]) -> None:
    secret = "SELECT count(password) FROM public.tenants_user"
    with in_tenant(two[0]):
        with identity():
            for _ in range(MANY):
                rows_of(secret)
            assert is_kept(secret)
        with pytest.raises(ProgrammingError, match="permission denied"):
            rows_of(secret)


@pytest.mark.parametrize("settings", ["", MORE])
def test_a_kept_statement_goes_on_when_a_column_has_changed(two: list[Workspace], settings: str) -> None:
    keep(NAMES, two[0], "")
    with owner(two[0].schema_name), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE agents_agent ALTER name TYPE varchar(500)")

    with in_tenant(two[0]):
        assert rows_of(NAMES, ("",), settings=settings) == [(two[0].slug,)]


def test_settings_hold_for_their_statement_alone(two: list[Workspace]) -> None:
    show = "SELECT current_setting('work_mem'), %s"
    with in_tenant(two[0]):
        for _ in range(MANY):
            assert rows_of(show, ("a",), settings=MORE) == [("5MB", "a")]
            assert rows_of(show, ("a",)) == [("4MB", "a")]


def test_after_a_failed_statement_the_connection_stands_where_it_should(two: list[Workspace]) -> None:
    for _ in range(MANY):
        for workspace in two:
            with in_tenant(workspace):
                with pytest.raises(ProgrammingError):
                    rows_of("SELECT nothing FROM agents_agent", settings=MORE)
                assert rows_of(NAMES, ("",), settings=MORE) == [(workspace.slug,)]


def test_what_a_transaction_undoes_is_undone(two: list[Workspace]) -> None:
    with in_tenant(two[0]):
        for _ in range(MANY):
            with transaction.atomic():
                rows_of("UPDATE agents_agent SET name = %s", ("changed",))
                transaction.set_rollback(True)
        assert rows_of(NAMES, ("",)) == [(two[0].slug,)]


def test_what_is_fetched_together_comes_from_the_workspace_where_it_is_asked(two: list[Workspace]) -> None:
    for number in range(MANY):
        for workspace in two:
            with in_tenant(workspace):
                names = Asked(NAMES, (str(number),), lambda rows: [name for (name,) in rows])
                sum_ = Asked("SELECT 1 + %s", (number,), lambda rows: int(rows[0][0]))
                fetch(names, sum_)
                rows_of("UPDATE agents_agent SET updated_at = updated_at")
                assert (names.found, sum_.found) == ([workspace.slug], number + 1)


def test_what_was_fetched_is_not_asked_for_again(two: list[Workspace]) -> None:
    with in_tenant(two[0]):
        names = Asked(NAMES, ("",), lambda rows: [name for (name,) in rows])
        fetch(names)
        rows_of("UPDATE agents_agent SET name = 'changed'")
        assert names.found == [two[0].slug]


def test_statements_fetched_together_go_on_when_a_column_has_changed(two: list[Workspace]) -> None:
    keep(NAMES, two[0], "")
    with owner(two[0].schema_name), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE agents_agent ALTER name TYPE varchar(500)")

    with in_tenant(two[0]):
        first, second = (Asked(NAMES, (given,), list) for given in ("", "nobody"))
        fetch(first, second)
        assert first.found == second.found == [(two[0].slug,)]


def test_after_a_failure_among_several_the_connection_stands_where_it_should(two: list[Workspace]) -> None:
    for _ in range(MANY):
        for workspace in two:
            with in_tenant(workspace):
                wrong = Asked("SELECT nothing FROM agents_agent", (), list)
                with pytest.raises(ProgrammingError):
                    fetch(Asked(NAMES, ("",), list), wrong, Asked(NAMES, ("",), list))
                assert rows_of(NAMES, ("",)) == [(workspace.slug,)]
