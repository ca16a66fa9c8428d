"""The pages and the API for people's data, and how long things are kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from agents.models import Agent
from chat import retention
from chat.models import Conversation, Lead, Message, Visitor
from chat.tasks import apply_retention
from tenants.context import in_tenant, platform
from tenants.keys import Scope, make_key
from tenants.models import AuditEvent, ErasureReceipt, PrivacySettings, Role, Workspace
from tests.plugins.people import ClientAs

pytestmark = pytest.mark.django_db
ADA = "ada@lovelace.example"


def talk(*, days_old: int = 0, email: str = "") -> Conversation:
    """A conversation of so many days ago, with a message that has a trace."""
    at = timezone.now() - timedelta(days=days_old)
    agent = Agent.objects.first() or Agent.objects.create(name="Mia")
    visitor = Visitor.objects.create(email=email, created_at=at)
    row = Conversation.objects.create(agent=agent, visitor=visitor, title="Hello", last_message_at=at)
    Message.objects.create(
        conversation=row, ordinal=1, author="ai", text="Hi", receipt={"took": 1}, created_at=at
    )
    return row


@pytest.fixture
def ada(workspace: Workspace) -> Conversation:
    with in_tenant(workspace):
        return talk(email=ADA)


def days(client: Client, **chosen: int) -> Any:
    return client.post("/privacy/retention/", chosen, follow=True)


def tonight(workspace: Workspace) -> None:
    with in_tenant(workspace):
        retention.apply()


def kept(workspace: Workspace) -> int:
    with in_tenant(workspace):
        return Conversation.objects.count()


def test_an_owner_finds_downloads_and_erases_a_person(
    owner_client: Client, workspace: Workspace, ada: Conversation
) -> None:
    found = owner_client.post("/privacy/person/", {"subject": ADA}).content.decode()
    file = owner_client.post("/privacy/person/download/", {"subject": ADA})
    done = owner_client.post("/privacy/person/erase/", {"subject": ADA, "confirm": "Erase"}, follow=True)

    assert f'href="/conversations/{ada.pk}/"' in found
    assert file.json()["visitors"][0]["visitor"]["email"] == ADA
    assert "attachment" in file["Content-Disposition"]
    assert "Erased." in done.content.decode()
    assert kept(workspace) == 0


def test_without_the_word_nothing_is_erased(owner_client: Client, workspace: Workspace, ada: Any) -> None:
    answer = owner_client.post("/privacy/person/erase/", {"subject": ADA, "confirm": "yes"})

    assert answer.status_code == 422
    assert "Nothing was erased" in answer.content.decode()
    assert kept(workspace) == 1


def test_the_receipt_can_be_downloaded_and_found_again_by_the_address(owner_client: Client, ada: Any) -> None:
    owner_client.post("/privacy/person/erase/", {"subject": ADA, "confirm": "erase"})
    with platform():
        row = ErasureReceipt.objects.get()

    assert owner_client.get(f"/privacy/receipts/{row.pk}/").json()["erased"]["conversations"] == 1
    again = owner_client.post("/privacy/person/", {"subject": ADA.upper()}).content.decode()
    assert "Nothing is kept" in again
    assert f"/privacy/receipts/{row.pk}/" in again


@pytest.mark.parametrize("role", [Role.AGENT, Role.VIEWER])
def test_only_who_manages_the_workspace_may(
    role: Role, client_as: ClientAs, workspace: Workspace, ada: Any
) -> None:
    client = client_as(role)

    assert client.get("/privacy/").status_code == 403
    for path in ("person/", "person/download/", "person/erase/", "retention/"):
        body = {"subject": ADA, "confirm": "erase", "conversations": 1}
        assert client.post(f"/privacy/{path}", body).status_code == 403
    assert kept(workspace) == 1


def test_strangers_see_nothing(stranger_client: Client, anonymous_client: Client, ada: Any) -> None:
    assert stranger_client.get("/privacy/").status_code == 404
    assert stranger_client.post("/privacy/person/", {"subject": ADA}).status_code == 404
    assert anonymous_client.post("/privacy/person/erase/", {"subject": ADA}).status_code == 302


def test_the_api_exports_and_erases_by_a_key_for_everything_only(workspace: Workspace, ada: Any) -> None:
    with in_tenant(workspace):
        admin, reader = (
            make_key(name="x", scopes=[one], created_by=None) for one in (Scope.ADMIN, Scope.READ_LEADS)
        )
    client = Client(headers={"host": "acme.localhost"})

    def ask(path: str, secret: str) -> Any:
        return client.post(
            f"/api/v1/people/{path}/", {"person": ADA}, "application/json",
            headers={"authorization": f"Bearer {secret}"},
        )  # fmt: skip

    assert ask("erase", reader.secret).status_code == 403
    assert ask("export", admin.secret).json()["visitors"][0]["visitor"]["email"] == ADA
    assert ask("erase", admin.secret).json()["erased"]["conversations"] == 1
    assert kept(workspace) == 0


@pytest.mark.django_db(transaction=True)
def test_what_is_older_than_chosen_goes_at_night_and_the_log_says_so(
    owner_client: Client, workspace: Workspace
) -> None:
    with in_tenant(workspace):
        talk(days_old=31)
        young = talk(days_old=29)
    page = days(owner_client, conversations=30).content.decode()

    apply_retention()

    assert "the first tonight" in page
    with in_tenant(workspace):
        assert list(Conversation.objects.all()) == [young]
        assert Visitor.objects.count() == 1
        assert AuditEvent.objects.get(action="retention.applied").after == {"conversations": 1}
        assert (AuditEvent.objects.get(action="privacy.changed").after or {})["conversations"] == 30


def test_leads_that_are_kept_longer_outlive_their_conversation(
    owner_client: Client, workspace: Workspace
) -> None:
    with in_tenant(workspace):
        Lead.objects.create(conversation=talk(days_old=40), email=ADA)
    days(owner_client, conversations=30, leads=300)

    tonight(workspace)

    assert kept(workspace) == 0
    assert ADA in owner_client.get("/leads/").content.decode()


def test_traces_go_and_their_messages_stay(owner_client: Client, workspace: Workspace) -> None:
    with in_tenant(workspace):
        talk(days_old=10)
    days(owner_client, traces=7)

    tonight(workspace)

    with in_tenant(workspace):
        assert Message.objects.get().receipt == {}


def test_what_the_plan_keeps_at_most_counts_after_thirty_days_of_notice(workspace: Workspace) -> None:
    with in_tenant(workspace):
        talk(days_old=400)
        assert retention.apply() == {}
        assert retention.apply(now=timezone.now() + timedelta(days=29)) == {}
        assert retention.apply(now=timezone.now() + timedelta(days=31)) == {"conversations": 1}


def test_another_workspaces_conversations_stay(
    owner_client: Client, workspace: Workspace, other_workspace: Workspace
) -> None:
    with in_tenant(other_workspace):
        talk(days_old=31)
    days(owner_client, conversations=30)

    tonight(other_workspace)

    assert kept(other_workspace) == 1


@pytest.mark.parametrize("wrong", [{"conversations": 0}, {"leads": -1}, {"files": "x"}])
def test_days_that_are_none_are_refused(wrong: dict[str, Any], owner_client: Client) -> None:
    assert days(owner_client, **wrong).status_code == 422


@pytest.mark.parametrize("masks", [True, False])
def test_contacts_in_messages_are_stored_or_not_as_chosen_and_cards_never(
    masks: bool, owner_client: Client, workspace: Workspace
) -> None:
    owner_client.post("/privacy/retention/", {"masks_contacts": "on"} if masks else {})
    with in_tenant(workspace):
        stored = retention.storable(f"I am {ADA}, pay with 4111 1111 1111 1111")
        assert PrivacySettings.objects.get().masks_contacts is masks

    assert stored == f"I am {'[e-mail address]' if masks else ADA}, pay with [card number]"
