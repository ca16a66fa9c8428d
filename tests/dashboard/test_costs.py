"""Owners see what answers cost, set budgets, bring keys, and look after the kept answers."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from agents.models import Agent, ModelSettings
from chat.models import CachedAnswer, Conversation, Message, SpendingDay, Visitor
from chat.spending import today
from tenants.context import in_tenant
from tenants.models import AuditEvent, Role, Workspace
from tests.plugins.people import ClientAs

pytestmark = pytest.mark.django_db(transaction=True)
PAGES = ("/costs/", "/costs/cache/")


def an_agent(workspace: Workspace) -> Agent:
    with in_tenant(workspace):
        return Agent.objects.create(name="Ada")


def a_kept_answer(workspace: Workspace) -> CachedAnswer:
    agent = an_agent(workspace)
    with in_tenant(workspace):
        conversation = Conversation.objects.create(agent=agent, visitor=Visitor.objects.create())
        message = Message.objects.create(conversation=conversation, ordinal=1, author="ai", text="Yes.")
        return CachedAnswer.objects.create(
            agent=agent,
            key="k",
            question="Can I return it?",
            language="en",
            agent_version=1,
            knowledge_version="1",
            profile="p",
            embedding=[0.0] * 384,
            text="Yes.",
            message=message,
            cost_micro_usd=2_000,
            hits=3,
            saved_ms=3_900,
            chunks=[uuid4()],
            expires_at=timezone.now(),
        )


def test_the_month_shows_visitors_and_tries_apart(workspace: Workspace, owner_client: Client) -> None:
    agent = an_agent(workspace)
    with in_tenant(workspace):
        SpendingDay.objects.create(agent=agent, day=today(), answers=12, cost_micro_usd=1_230_000)
        SpendingDay.objects.create(agent=agent, day=today(), is_test=True, answers=3, cost_micro_usd=450_000)
    page = owner_client.get("/costs/").content.decode()
    assert "$1.23" in page
    assert page.index("$0.45") > page.index("own tries")


def test_a_budget_is_set_in_dollars(workspace: Workspace, owner_client: Client) -> None:
    answer = owner_client.post("/costs/budgets/", {"daily_budget_micro_usd": "2.50", "masks_contacts": "on"})
    assert answer.status_code == 302
    with in_tenant(workspace):
        row = ModelSettings.current()
        assert (row.daily_budget_micro_usd, row.monthly_budget_micro_usd, row.masks_contacts) == (
            2_500_000,
            None,
            True,
        )
        assert AuditEvent.objects.filter(action="costs.changed").exists()
    assert 'value="2.50"' in owner_client.get("/costs/").content.decode()


def test_a_budget_below_a_cent_is_refused(owner_client: Client, workspace: Workspace) -> None:
    assert owner_client.post("/costs/budgets/", {"daily_budget_micro_usd": "0"}).status_code == 422


def test_a_key_is_stored_and_never_shown(workspace: Workspace, owner_client: Client) -> None:
    owner_client.post("/costs/keys/add/", {"provider": "openai", "key": "sk-own-0123456789"})
    page = owner_client.get("/costs/").content.decode()
    assert "…6789" in page or "6789" in page
    assert "sk-own" not in page
    owner_client.post("/costs/keys/openai/remove/")
    assert "6789" not in owner_client.get("/costs/").content.decode()


@pytest.mark.parametrize(("action", "state"), [("pin", "pinned"), ("ban", "banned"), ("free", "live")])
def test_a_kept_answer_is_pinned_banned_or_freed(
    workspace: Workspace, owner_client: Client, action: str, state: str
) -> None:
    entry = a_kept_answer(workspace)
    owner_client.post(f"/costs/cache/{entry.pk}/", {"action": action})
    with in_tenant(workspace):
        assert CachedAnswer.objects.get().state == state


def test_the_page_of_kept_answers_shows_what_they_saved(workspace: Workspace, owner_client: Client) -> None:
    entry = a_kept_answer(workspace)
    page = owner_client.get("/costs/cache/").content.decode()
    assert "Can I return it?" in page
    assert "3 hits" in page
    assert "$0.0060" in page
    owner_client.post(f"/costs/cache/{entry.pk}/", {"action": "forget"})
    assert "Can I return it?" not in owner_client.get("/costs/cache/").content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_sees_nothing(stranger_client: Client, anonymous_client: Client, page: str) -> None:
    assert stranger_client.get(page).status_code == 404
    assert anonymous_client.get(page).status_code == 302


@pytest.mark.parametrize(
    "address",
    [
        "budgets/",
        "keys/add/",
        "keys/openai/test/",
        "keys/openai/remove/",
        "cache/0192f3a4-1111-7000-8000-0123456789ab/",
    ],
)
def test_a_viewer_and_a_stranger_change_nothing(
    client_as: ClientAs, stranger_client: Client, address: str
) -> None:
    assert client_as(Role.VIEWER).post(f"/costs/{address}").status_code == 403
    assert stranger_client.post(f"/costs/{address}").status_code == 404
