"""What a team sets about its widget, and what pages are told of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from agents.models import Agent
from billing.models import Entitlement
from billing.plans import Tier
from tenants.context import in_tenant, platform
from tenants.models import AuditEvent, Role, Workspace
from tests.plugins.people import ClientAs

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
GROUPS = ("look", "features", "contact", "hours", "messages", "texts", "identity")
LOOK: dict[str, Any] = {
    "colour": "#0f766e",
    "position": "left",
    "scheme": "dark",
    "font": "inherit",
    "launcher": "text",
    "launcher_text": "Ask us",
    "radius": "4",
    "offset_x": "12",
    "offset_y": "80",
    "branding": "on",
}
CONTACT: dict[str, Any] = {
    "leads_enabled": "on",
    "when": "before",
    "title": "Who are you?",
    "consent": "We answer you, no more.",
    "consent_required": "on",
    "ask_email": "required",
    "ask_company": "optional",
}
HOURS: dict[str, Any] = {
    "has_hours": "on",
    "time_zone": "Europe/Vienna",
    "closed": "2026-12-24",
    "away": "We are out.",
    "behaviour": "form",
    "day0_start1": "08:00",
    "day0_end1": "12:00",
    "day0_start2": "13:00",
    "day0_end2": "00:00",
}


@pytest.fixture
def agent(workspace: Workspace) -> Agent:
    with in_tenant(workspace):
        return Agent.objects.create(name="Vexa")


def path(agent: Agent, group: str) -> str:
    return f"/agents/{agent.pk}/widget/{group}/"


def told(client: Client, agent: Agent) -> dict[str, Any]:
    """What pages are told now."""
    answer: dict[str, Any] = client.get(f"/widget/config/{agent.public_id}.json").json()
    return answer


@pytest.mark.parametrize("group", GROUPS)
def test_every_page_shows_to_admins_only(
    owner_client: Client, client_as: ClientAs, stranger_client: Client, agent: Agent, group: str
) -> None:
    assert owner_client.get(path(agent, group)).status_code == 200
    assert client_as(Role.AGENT).get(path(agent, group)).status_code == 403
    assert stranger_client.get(path(agent, group)).status_code == 404


@pytest.mark.parametrize("group", GROUPS[:-1])
def test_an_agent_of_another_workspace_is_not_changed(
    owner_client: Client, other_workspace: Workspace, group: str
) -> None:
    with in_tenant(other_workspace):
        theirs = Agent.objects.create(name="Theirs")
    assert owner_client.post(path(theirs, group), LOOK).status_code == 404


def test_the_look_reaches_the_page(owner_client: Client, agent: Agent, workspace: Workspace) -> None:
    assert owner_client.post(path(agent, "look"), LOOK).status_code == 302

    assert told(owner_client, agent)["theme"] == {
        "colour": "#0f766e",
        "position": "left",
        "radius": 4,
        "scheme": "dark",
        "launcher": "text",
        "launcher_text": "Ask us",
        "offset": {"x": 12, "y": 80},
        "font": "inherit",
    }
    with platform():
        event = AuditEvent.objects.get()
    assert event.action == "agent.changed"
    assert event.after is not None
    assert event.after["colour"] == "#0f766e"


@pytest.mark.parametrize(
    ("field", "value"), [("colour", "red"), ("radius", "99"), ("launcher_text", ""), ("offset_x", "-1")]
)
def test_a_look_that_cannot_be_is_told(owner_client: Client, agent: Agent, field: str, value: str) -> None:
    response = owner_client.post(path(agent, "look"), {**LOOK, field: value})

    assert response.status_code == 422
    assert field in response.context["form"].errors


@pytest.mark.parametrize(
    "content", [b"<svg onload=alert(1)>", b"GIF8", b"\x89PNG\r\n\x1a\n" + b"\0" * 1024 * 1024, b""]
)
def test_only_pictures_become_pictures(owner_client: Client, agent: Agent, content: bytes) -> None:
    upload = SimpleUploadedFile("face.png", content, "image/png")

    response = owner_client.post(path(agent, "look"), {**LOOK, "picture": upload})

    assert "picture" in response.context["form"].errors


def test_a_picture_is_kept_under_a_name_of_ours(
    owner_client: Client, agent: Agent, workspace: Workspace
) -> None:
    upload = SimpleUploadedFile("../../face.php", PNG, "text/html")

    owner_client.post(path(agent, "look"), {**LOOK, "picture": upload})

    with in_tenant(workspace):
        name = str(Agent.objects.get().avatar.name)
    assert name.startswith(f"avatars/{workspace.key}/")
    assert name.endswith(".png")


@pytest.mark.parametrize(("tier", "shown"), [(Tier.GROWTH, True), (Tier.PROFESSIONAL, False)])
def test_our_name_goes_where_the_plan_allows_it(
    owner_client: Client, agent: Agent, workspace: Workspace, tier: Tier, shown: bool
) -> None:
    with platform():
        Entitlement.objects.create(workspace=workspace, tier=tier.value)
    owner_client.post(path(agent, "look"), {**LOOK, "branding": ""})

    assert told(owner_client, agent)["branding"] is shown


def test_switches_reach_the_page(owner_client: Client, agent: Agent) -> None:
    before = told(owner_client, agent)
    owner_client.post(
        path(agent, "features"), {"attachments_enabled": "on", "privacy_url": "https://acme.example/privacy"}
    )
    after = told(owner_client, agent)

    assert (before["attachments"], before["rating"], before["transcript"]) == (None, True, True)
    assert after["attachments"]["max_bytes"] == 10 * 1024 * 1024
    assert (after["rating"], after["transcript"], after["privacy_panel"]) == (False, False, False)
    assert after["privacy_url"] == "https://acme.example/privacy"


def test_the_contact_form_reaches_the_page(owner_client: Client, agent: Agent) -> None:
    assert told(owner_client, agent)["leads"] == {"when": "offer"}
    owner_client.post(path(agent, "contact"), CONTACT)

    assert told(owner_client, agent)["leads"] == {
        "when": "before",
        "title": "Who are you?",
        "fields": [
            {"name": "email", "type": "email", "required": True},
            {"name": "company", "type": "text", "required": False},
        ],
        "consent": "We answer you, no more.",
        "consent_required": True,
    }


@pytest.mark.parametrize(("field", "blamed"), [("ask_email", "ask_email"), ("consent", "consent")])
def test_a_contact_form_that_leads_nowhere_is_told(
    owner_client: Client, agent: Agent, field: str, blamed: str
) -> None:
    response = owner_client.post(path(agent, "contact"), {**CONTACT, field: ""})

    assert blamed in response.context["form"].errors


def test_hours_reach_the_page_and_the_form_again(owner_client: Client, agent: Agent) -> None:
    assert told(owner_client, agent)["hours"] is None
    assert owner_client.post(path(agent, "hours"), HOURS).status_code == 302

    assert told(owner_client, agent)["hours"] == {
        "time_zone": "Europe/Vienna",
        "week": [[["08:00", "12:00"], ["13:00", "24:00"]], [], [], [], [], [], []],
        "closed": ["2026-12-24"],
        "away": "We are out.",
        "behaviour": "form",
    }
    page = owner_client.get(path(agent, "hours")).content.decode()
    assert 'value="13:00"' in page


@pytest.mark.parametrize(
    "wrong",
    [
        {"day0_end1": ""},
        {"day0_end1": "07:00"},
        {"day0_start2": "11:00"},
        {"day0_start1": "", "day0_end1": "", "day0_start2": "", "day0_end2": ""},
        {"closed": "24 December"},
        {"time_zone": "Mars/Olympus"},
    ],
)
def test_hours_that_cannot_be_are_told(owner_client: Client, agent: Agent, wrong: dict[str, str]) -> None:
    assert owner_client.post(path(agent, "hours"), {**HOURS, **wrong}).status_code == 422


def nudges(*rows: dict[str, str], initial: int = 0) -> dict[str, str]:
    given = {"form-TOTAL_FORMS": str(len(rows)), "form-INITIAL_FORMS": str(initial)}
    for number, row in enumerate(rows):
        given |= {f"form-{number}-{name}": value for name, value in row.items()}
    return given


def test_a_message_is_added_kept_and_taken_away(owner_client: Client, agent: Agent) -> None:
    first = {"text": "Questions about prices?", "url": "*/pricing*", "seconds": "20", "frequency": "day"}
    owner_client.post(path(agent, "messages"), nudges(first, {"text": ""}))
    (kept,) = told(owner_client, agent)["proactive"]
    owner_client.post(path(agent, "messages"), nudges({**first, "id": kept["id"], "text": ""}, initial=1))

    assert kept["text"] == "Questions about prices?"
    assert kept["when"] == {"url": "*/pricing*", "seconds": 20}
    assert kept["frequency"] == "day"
    assert told(owner_client, agent)["proactive"] == []


def test_texts_are_said_otherwise_for_all_or_for_one_language(owner_client: Client, agent: Agent) -> None:
    owner_client.post(path(agent, "texts"), {"strings": "placeholder: Ask us\nde.placeholder: Frag: uns"})

    assert told(owner_client, agent)["strings"] == {
        "placeholder": "Ask us",
        "de": {"placeholder": "Frag: uns"},
    }
    assert "de.placeholder: Frag: uns" in owner_client.get(path(agent, "texts")).content.decode()


@pytest.mark.parametrize("line", ["nonsense: x", "placeholder", "placeholder:", "german.placeholder: x"])
def test_a_text_of_no_known_name_is_told(owner_client: Client, agent: Agent, line: str) -> None:
    assert owner_client.post(path(agent, "texts"), {"strings": line}).status_code == 422


def test_the_secret_is_shown_once(owner_client: Client, agent: Agent) -> None:
    page = owner_client.get(path(agent, "identity")).content.decode()
    shown = owner_client.post(path(agent, "identity") + "show/").content.decode()
    again = owner_client.post(path(agent, "identity") + "show/", follow=True).content.decode()

    assert agent.identity_secret not in page
    assert agent.identity_secret in shown
    assert agent.identity_secret not in again
    with platform():
        noted = str(list(AuditEvent.objects.values()))
    assert "agent.secret_shown" in noted
    assert agent.identity_secret not in noted


def test_an_exchanged_secret_holds_for_a_while_and_is_not_lost_by_sending_twice(
    owner_client: Client, agent: Agent, workspace: Workspace
) -> None:
    for _ in range(2):
        owner_client.post(path(agent, "identity") + "exchange/")
    with in_tenant(workspace):
        now = Agent.objects.get()

    assert now.identity_secret != now.retired_secret == agent.identity_secret
    assert now.retired_secret_until is not None
    assert now.retired_secret_until > timezone.now() + timedelta(hours=47)

    owner_client.post(path(agent, "identity") + "end-old/")
    with in_tenant(workspace):
        assert Agent.objects.get().retired_secret == ""


def test_a_secret_is_for_admins(client_as: ClientAs, stranger_client: Client, agent: Agent) -> None:
    support = client_as(Role.AGENT)
    for act in ("show", "exchange", "end-old"):
        assert support.post(path(agent, "identity") + f"{act}/").status_code == 403
        assert stranger_client.post(path(agent, "identity") + f"{act}/").status_code == 404
