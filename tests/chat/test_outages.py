"""The database is away for a moment while an answer is stored."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import OperationalError, connection, transaction

from agents.models import Agent
from agents.providers import Usage
from billing.models import UsageEntry, UsageState
from chat import statements, turns
from chat.answers import Answer
from chat.conversations import Door
from chat.models import Message, Outcome, SpendingDay
from chat.turns import Turn
from tenants.context import persistently
from tenants.postgresql import prepared

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("inside")]
MADE = Answer(text="Within 30 days.", outcome=Outcome.ANSWERED, usage=Usage(900, 60, 1_500))


def a_turn(agent: Agent) -> Turn:
    accepted = turns.accept(
        Door(agent=agent), client_id=uuid4(), text="When?", writer=turns.new_writer("test")
    )
    assert accepted.turn is not None
    return accepted.turn


def cut() -> None:
    """End this thread's connection, as a restart of PostgreSQL does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (process,) = cursor.fetchone()
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", (process,))


def assert_stored_and_booked_once(turn: Turn) -> None:
    assert Message.objects.get(pk=turn.answer_id).text == MADE.text
    assert UsageEntry.objects.get(reservation=turn.reservation_id).state == UsageState.SETTLED
    assert SpendingDay.objects.get(agent=turn.agent).input_tokens == 900


def test_an_answer_is_stored_on_a_new_connection(agent: Agent) -> None:
    turn = a_turn(agent)
    cut()
    assert turns.store(turn, MADE, seq=1, shown={}) == MADE
    assert_stored_and_booked_once(turn)


def test_an_answer_whose_storing_was_not_confirmed_is_still_this_runs(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn, original, lost = a_turn(agent), prepared.rows_of, iter([True])

    def rows_of(statement: str, values: Any = (), **given: Any) -> Sequence[Any]:
        found = original(statement, values, **given)
        if statement is statements._ANSWER and next(lost, False):
            cut()
            original("SELECT 1")  # raises
        return found

    monkeypatch.setattr(prepared, "rows_of", rows_of)
    assert turns.store(turn, MADE, seq=1, shown={}) == MADE
    assert next(lost, None) is None
    assert_stored_and_booked_once(turn)


def test_another_runs_answer_is_not_taken_for_its_own(agent: Agent) -> None:
    turn = a_turn(agent)
    assert turns.store(turn, MADE, seq=1, shown={}) == MADE
    assert turns.store(turn, MADE, seq=1, shown={}) is None


def test_a_long_outage_is_said(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenants.context.OUTAGE_WAITS", (0.0, 0.0))
    tries = []

    def work() -> None:
        tries.append(1)
        cut()
        Agent.objects.count()

    with pytest.raises(OperationalError):
        persistently(work)
    connection.close()
    assert len(tries) == 3


def test_an_error_on_a_working_connection_is_not_tried_again(agent: Agent) -> None:
    tries = []

    def work() -> None:
        tries.append(1)
        raise OperationalError("deadlock detected")

    def cut_in_a_transaction() -> None:
        with transaction.atomic():
            cut()
            persistently(lambda: tries.append(Agent.objects.count()))

    with pytest.raises(OperationalError, match="deadlock"):
        persistently(work)
    with pytest.raises(OperationalError):
        cut_in_a_transaction()
    connection.close()
    assert tries == [1]
