"""What answers cost is booked, held against budgets and told; a budget that is used up never ends the service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from celery import current_app
from django.core import mail

from agents.models import Agent, ModelSettings
from agents.providers import Usage
from chat import spending, statements, turns
from chat.answers import Answer
from chat.conversations import Door
from chat.models import Channel, Message, Outcome, SpendingDay
from chat.turns import Turn
from tenants.models import Workspace

pytestmark = pytest.mark.django_db(transaction=True)
DOLLAR = 1_000_000


def a_turn(agent: Agent, **door: Any) -> Turn:
    agent.refresh_from_db()
    accepted = turns.accept(
        Door(agent=agent, **door), client_id=uuid4(), text="Can I return it?", writer=turns.new_writer("test")
    )
    assert accepted.turn is not None
    return accepted.turn


def spend(agent: Agent, dollars: float, *, estimated: bool = False, **door: Any) -> Turn:
    """An answer of this agent that cost so much."""
    turn = a_turn(agent, **door)
    usage = Usage(1_000, 100, int(dollars * DOLLAR), estimated)
    made = Answer(text="Yes.", outcome=Outcome.ANSWERED, usage=usage)
    turns.store(turn, made, seq=1, shown={}, known=known_of(turn))
    return turn


def known_of(turn: Turn) -> spending.Known:
    spent = spending.spent_by(turn.agent, is_test=turn.channel == Channel.PREVIEW)
    return spending.Known(settings=ModelSettings.current(), spent=spent)


def test_answers_add_up_in_their_agents_day(inside: Workspace, agent: Agent) -> None:
    spend(agent, 0.5)
    spend(agent, 0.25, estimated=True)
    day = SpendingDay.objects.get()
    assert (day.answers, day.input_tokens, day.output_tokens) == (2, 2_000, 200)
    assert (day.cost_micro_usd, day.estimated_micro_usd) == (750_000, 250_000)


def test_the_teams_own_tries_are_kept_apart(inside: Workspace, agent: Agent) -> None:
    spend(agent, 1)
    spend(agent, 2, channel=Channel.PREVIEW)
    assert spending.spent_by(agent).workspace_month == DOLLAR
    assert spending.spent_by(agent, is_test=True).workspace_month == 2 * DOLLAR


def left(agent: Agent, turn: Turn) -> spending.Budget | None:
    return spending.tightest(
        turn.agent,
        known_of(turn),
        tier="starter",
        spent_here=statements.prospect_of(agent.pk, turn.conversation_id, version=turn.version).found.spent,
    )


def test_the_tightest_budget_decides_what_an_answer_may_cost(inside: Workspace, agent: Agent) -> None:
    ModelSettings.objects.create(
        daily_budget_micro_usd=2 * DOLLAR, conversation_budget_micro_usd=DOLLAR // 10
    )
    turn = spend(agent, 0.04)
    budget = left(agent, turn)
    assert budget is not None
    assert (budget.name, budget.left) == ("this conversation", 60_000)


@pytest.mark.parametrize("limit", ["daily_budget_micro_usd", "monthly_budget_micro_usd"])
def test_an_agents_own_budget_holds_for_it_alone(inside: Workspace, agent: Agent, limit: str) -> None:
    Agent.objects.filter(pk=agent.pk).update(**{limit: DOLLAR})
    other = Agent.objects.create(name="Bert", **{limit: DOLLAR})
    turn = spend(agent, 1.5)
    budget = left(agent, turn)
    assert budget is not None
    assert budget.left == 0
    assert spending.budgets_of(other, ModelSettings.current(), tier="starter")[0].left == DOLLAR


def test_the_plans_budget_does_not_hold_for_a_key_of_ones_own(inside: Workspace, agent: Agent) -> None:
    turn = spend(agent, 100)
    budget = left(agent, turn)
    assert budget is not None
    assert budget.left == 0
    ModelSettings.objects.update_or_create(pk=1, defaults={"keys": {"openai": {"sealed": "x"}}})
    assert left(agent, turn) is None


@pytest.fixture
def mails(settings: Any) -> Iterator[list[Any]]:
    """What was sent, at once and in this process."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    current_app.conf.task_always_eager = True
    mail.outbox = []
    yield mail.outbox
    current_app.conf.task_always_eager = False


def test_owners_are_told_once_at_each_level(inside: Workspace, agent: Agent, mails: list[Any]) -> None:
    Agent.objects.filter(pk=agent.pk).update(monthly_budget_micro_usd=10 * DOLLAR)
    told = []
    for dollars in (4, 1, 1, 2.5, 0.5, 1, 3):
        spend(agent, dollars)
        told.append(len([sent for sent in mails if "month of Ada" in sent.subject]))
    assert told == [0, 1, 1, 2, 2, 3, 3]
    assert {sent.to[0] for sent in mails} == {"owner@acme.example"}


def test_owners_are_told_of_a_budget_that_answers_used_up_together(
    inside: Workspace, agent: Agent, mails: list[Any]
) -> None:
    Agent.objects.filter(pk=agent.pk).update(monthly_budget_micro_usd=10 * DOLLAR)
    turn = a_turn(agent)
    known = known_of(turn)  # what each of them saw when it began
    for _ in range(4):
        made = Answer(
            text="Yes.", outcome=Outcome.ANSWERED, usage=Usage(1_000, 100, int(2.6 * DOLLAR), False)
        )
        spending.book(turn.agent, made, tier="enterprise", is_test=False, known=known)
    spend(agent, 0)  # no model is asked any more
    spend(agent, 0)
    (told,) = [sent for sent in mails if "month of Ada" in sent.subject]
    assert "used up" in told.subject


def test_a_budget_that_was_raised_is_told_of_anew(inside: Workspace, agent: Agent, mails: list[Any]) -> None:
    for limit, told in ((2, 1), (4, 2), (4, 2)):
        Agent.objects.filter(pk=agent.pk).update(monthly_budget_micro_usd=limit * DOLLAR)
        spend(agent, 1)
        assert len([sent for sent in mails if "month of Ada" in sent.subject]) == told


def test_what_a_run_spent_that_lost_its_answer_is_booked_and_counts_as_none(
    inside: Workspace, agent: Agent
) -> None:
    turn = a_turn(agent)
    Message.objects.filter(pk=turn.answer_id).update(writer="another.1")
    made = Answer(text="Yes.", outcome=Outcome.ANSWERED, usage=Usage(1_000, 100, 500, True))
    assert turns.store(turn, made, seq=1, shown={}) is None
    day = SpendingDay.objects.get()
    assert (day.answers, day.cost_micro_usd, day.estimated_micro_usd) == (0, 500, 500)


def test_far_from_every_level_nothing_is_looked_up_again(
    inside: Workspace, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    Agent.objects.filter(pk=agent.pk).update(monthly_budget_micro_usd=10 * DOLLAR)
    turn = a_turn(agent)
    known, looked = known_of(turn), []
    monkeypatch.setattr(spending, "_tell", lambda *_given, **_named: looked.append(1))
    for dollars, looks in ((3.9, 0), (4.1, 1)):
        usage = Usage(1_000, 100, int(dollars * DOLLAR), False)
        made = Answer(text="Yes.", outcome=Outcome.ANSWERED, usage=usage)
        spending.book(turn.agent, made, tier="enterprise", is_test=False, known=known)
        assert len(looked) == looks
