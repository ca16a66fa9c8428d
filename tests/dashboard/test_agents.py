"""Agents, as the team sees and changes them."""

from __future__ import annotations

import pytest
from django.test import Client

from agents.models import Agent
from agents.publishing import preview_ticket
from tenants.context import in_tenant
from tenants.models import Role, Workspace
from tests.plugins.people import ClientAs

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent(workspace: Workspace) -> Agent:
    with in_tenant(workspace):
        return Agent.objects.create(name="Vexa", suggestions=["How long?"])


def settings_of(agent: Agent, **changed: object) -> dict[str, object]:
    """What the settings form sends."""
    given = {
        "name": agent.name,
        "tone": "friendly",
        "greeting": agent.greeting,
        "instructions": "",
        "suggestions": "How long?",
        "language": "",
        "model": "",
        "evidence_threshold": "0.5",
        "allowed_origins": "",
        "contact_email": "",
        "handoff_enabled": "on",
        "is_active": "on",
    }
    return {**given, **changed}


def saved(agent: Agent, workspace: Workspace) -> Agent:
    with in_tenant(workspace):
        return Agent.objects.get(pk=agent.pk)


def paths_of(agent: Agent) -> list[str]:
    pages = ("settings", "install", "try", "your-site", "widget/look", "widget/hours", "widget/identity")
    return ["/agents/", "/agents/new/", *(f"/agents/{agent.pk}/{page}/" for page in pages)]


def test_every_page_shows(owner_client: Client, agent: Agent) -> None:
    for path in paths_of(agent):
        response = owner_client.get(path)
        assert response.status_code == 200, path
        assert b" style=" not in response.content, path


def test_a_stranger_finds_nothing(stranger_client: Client, agent: Agent) -> None:
    assert {stranger_client.get(path).status_code for path in paths_of(agent)} == {404}


def test_a_viewer_reads_and_does_not_change(client_as: ClientAs, agent: Agent) -> None:
    viewer = client_as(Role.VIEWER)

    assert viewer.get(f"/agents/{agent.pk}/try/").status_code == 200
    assert viewer.get(f"/agents/{agent.pk}/settings/").status_code == 403
    assert viewer.post(f"/agents/{agent.pk}/delete/", {"confirm": "Vexa"}).status_code == 403


def test_an_agent_of_another_workspace_does_not_exist(
    owner_client: Client, other_workspace: Workspace
) -> None:
    with in_tenant(other_workspace):
        theirs = Agent.objects.create(name="Theirs")

    assert owner_client.get(f"/agents/{theirs.pk}/settings/").status_code == 404


def test_saving_changes_the_agent_and_its_version(
    owner_client: Client, agent: Agent, workspace: Workspace
) -> None:
    given = settings_of(
        agent, name="Max", suggestions=" One?  \n\nTwo?\nOne?", allowed_origins="https://Shop.example:443/"
    )

    assert owner_client.post(f"/agents/{agent.pk}/settings/", given).status_code == 302

    now = saved(agent, workspace)
    assert (now.name, now.suggestions, now.allowed_origins) == (
        "Max",
        ["One?", "Two?"],
        ["https://shop.example"],
    )
    assert now.version == agent.version + 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("evidence_threshold", "2"),
        ("allowed_origins", "shop.example"),
        ("allowed_origins", "https://shop.example/path"),
        ("allowed_origins", "javascript:alert(1)"),
        ("suggestions", "\n".join(f"Question {number}?" for number in range(7))),
        ("model", "openai:not-in-the-plan"),
        ("contact_email", "nobody"),
    ],
)
def test_bad_input_is_told_and_kept(owner_client: Client, agent: Agent, field: str, value: str) -> None:
    response = owner_client.post(f"/agents/{agent.pk}/settings/", settings_of(agent, **{field: value}))

    assert response.status_code == 422
    assert field in response.context["form"].errors


def test_an_agent_is_deleted_once_its_name_is_typed(
    owner_client: Client, agent: Agent, workspace: Workspace
) -> None:
    owner_client.post(f"/agents/{agent.pk}/delete/", {"confirm": "vex"})
    assert saved(agent, workspace)

    owner_client.post(f"/agents/{agent.pk}/delete/", {"confirm": "Vexa"})
    with in_tenant(workspace):
        assert not Agent.objects.exists()


def test_a_full_plan_makes_no_agent(owner_client: Client, workspace: Workspace) -> None:
    with in_tenant(workspace):
        Agent.objects.bulk_create(Agent(name=str(number)) for number in range(3))

    response = owner_client.post("/agents/new/", {"name": "Four", "tone": "neutral", "greeting": "Hi"})

    assert response.status_code == 422
    assert "3 agents" in response.content.decode()


def test_the_snippet_names_workspace_and_agent(owner_client: Client, agent: Agent) -> None:
    page = owner_client.get(f"/agents/{agent.pk}/install/").content.decode()

    assert agent.public_id in page
    assert "acme.localhost" in page


def test_a_try_talks_through_the_preview_door(
    anonymous_client: Client, agent: Agent, workspace: Workspace
) -> None:
    with in_tenant(workspace):
        Agent.objects.update(is_active=False)
    path = f"/agents/preview/{preview_ticket(agent)}/widget/config/{agent.public_id}.json"

    assert anonymous_client.get(path).json()["socket"].endswith("?preview=1")


def test_a_forged_ticket_previews_nothing(anonymous_client: Client, agent: Agent) -> None:
    path = f"/agents/preview/forged/widget/config/{agent.public_id}.json"

    assert anonymous_client.get(path).status_code == 404


def test_the_install_page_says_what_is_missing(
    owner_client: Client, agent: Agent, workspace: Workspace
) -> None:
    before = owner_client.get(f"/agents/{agent.pk}/install/").content.decode()
    loaded = {"origin": "https://shop.example"}
    owner_client.get(f"/widget/config/{agent.public_id}.json", headers=loaded)
    after = owner_client.get(f"/agents/{agent.pk}/install/").content.decode()

    assert "No page has loaded it yet." in before
    assert "Seen on https://shop.example" in after
