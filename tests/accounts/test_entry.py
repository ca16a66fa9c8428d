"""Logging in and out, and going from host to host."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client

from tenants import handover
from tenants.context import in_tenant
from tenants.models import AuditEvent, Role, User, Workspace
from tests.plugins.people import PASSWORD, add_member, client_of

pytestmark = pytest.mark.django_db
OWNER = {"email": "owner@acme.example", "password": PASSWORD}


@pytest.fixture
def visitor(workspace: Workspace) -> Client:
    """Nobody in particular, at the root host."""
    return Client(headers={"host": "localhost"})


def over(response: object, workspace: Workspace) -> Client:
    """Follow a hand-over: a browser at the workspace's host that opened the link."""
    location = urlsplit(response["Location"])  # type: ignore[index]
    client = client_of(workspace)
    client.get(f"{location.path}?{location.query}")
    return client


def test_logging_in_at_the_root_host_leads_into_the_only_workspace(
    visitor: Client, workspace: Workspace
) -> None:
    response = visitor.post("/log-in/", OWNER)

    assert over(response, workspace).get("/").status_code == 200


def test_a_member_of_several_workspaces_chooses(
    visitor: Client, workspace: Workspace, other_workspace: Workspace
) -> None:
    add_member(other_workspace, "owner@acme.example", Role.VIEWER)

    response = visitor.post("/log-in/", OWNER)

    assert response["Location"].endswith("/workspaces/")
    assert "Rival" in visitor.get("/workspaces/").content.decode()


def test_logging_in_works_at_the_workspaces_own_host(anonymous_client: Client) -> None:
    response = anonymous_client.post("/log-in/", {**OWNER, "next": "/agents/"})

    assert response["Location"] == "/agents/"


@pytest.mark.parametrize(
    "path", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_nobody_is_led_elsewhere_after_logging_in(anonymous_client: Client, path: str) -> None:
    assert anonymous_client.post("/log-in/", {**OWNER, "next": path})["Location"] == "/"


def test_a_wrong_password_and_an_unknown_address_look_alike(visitor: Client) -> None:
    wrong = visitor.post("/log-in/", {**OWNER, "password": "not this one"})
    unknown = visitor.post("/log-in/", {"email": "nobody@acme.example", "password": "not this one"})

    assert wrong.status_code == unknown.status_code == 422
    assert wrong.context["form"].non_field_errors() == unknown.context["form"].non_field_errors()


def test_guessing_is_slowed_down_even_for_the_right_password(visitor: Client) -> None:
    for _ in range(10):
        visitor.post("/log-in/", {**OWNER, "password": "a guess"})

    assert visitor.post("/log-in/", OWNER).status_code == 429


def test_a_hand_over_works_once(workspace: Workspace) -> None:
    user = User.objects.get()
    address = urlsplit(handover.address_of(workspace, user, login_id="x"))
    link = f"{address.path}?{address.query}"

    assert client_of(workspace).get(link)["Location"] == "/"
    assert client_of(workspace).get(link)["Location"] == "/log-in/"


def test_a_hand_over_is_for_one_workspace(workspace: Workspace, other_workspace: Workspace) -> None:
    user = User.objects.get(email="owner@acme.example")
    address = urlsplit(handover.address_of(workspace, user, login_id="x"))

    response = client_of(other_workspace).get(f"{address.path}?{address.query}")

    assert response["Location"] == "/log-in/"


def test_an_old_hand_over_is_refused(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    address = urlsplit(handover.address_of(workspace, User.objects.get(), login_id="x"))
    monkeypatch.setattr(handover, "LIFETIME_SECONDS", -1)

    assert client_of(workspace).get(f"{address.path}?{address.query}")["Location"] == "/log-in/"


def test_a_forged_hand_over_is_refused(anonymous_client: Client) -> None:
    assert anonymous_client.get("/enter/?token=forged")["Location"] == "/log-in/"


def test_logging_out_ends_the_log_in_on_every_host(visitor: Client, workspace: Workspace) -> None:
    inside = over(visitor.post("/log-in/", OWNER), workspace)
    assert inside.get("/").status_code == 200

    inside.post("/log-out/")

    assert inside.get("/").status_code == 302
    assert visitor.get("/workspaces/").status_code == 302


def test_switching_leads_to_ones_own_workspaces_only(
    owner_client: Client, workspace: Workspace, other_workspace: Workspace
) -> None:
    assert owner_client.post(f"/switch/{workspace.pk}/").status_code == 302
    assert owner_client.post(f"/switch/{other_workspace.pk}/").status_code == 404


def test_a_session_at_one_host_is_none_at_another(visitor: Client) -> None:
    visitor.post("/log-in/", OWNER)

    cookie = visitor.cookies["netvexa_session"]
    assert cookie["domain"] == ""
    assert cookie["httponly"] is True


def test_changing_the_password_ends_the_other_sessions(owner_client: Client, workspace: Workspace) -> None:
    other = client_of(workspace, User.objects.get())
    given = {
        "old_password": PASSWORD,
        "new_password1": "seven grey pelicans",
        "new_password2": "seven grey pelicans",
    }

    owner_client.post("/account/password/", given)

    assert owner_client.get("/account/").status_code == 200
    assert other.get("/account/").status_code == 302


def test_the_profile_changes_the_name_but_never_the_address(owner_client: Client) -> None:
    owner_client.post("/account/", {"name": "Ada", "email": "ada@acme.example"})

    user = User.objects.get()
    assert (user.name, user.email) == ("Ada", "owner@acme.example")


def test_the_lifetime_of_a_hand_over_is_short() -> None:
    assert timedelta(seconds=handover.LIFETIME_SECONDS) <= timedelta(minutes=1)


def log_ins(workspace: Workspace) -> list[tuple[str, bool, str | None]]:
    """Who came into the workspace, with a second factor or not, and from where, as its audit log tells."""
    with in_tenant(workspace):
        events = AuditEvent.objects.filter(action="session.began").order_by("number")
        return [(event.subject, (event.after or {})["second_factor"], event.address) for event in events]


def test_who_comes_into_a_workspace_stands_in_its_log_and_in_no_other(
    visitor: Client, workspace: Workspace, other_workspace: Workspace
) -> None:
    over(visitor.post("/log-in/", OWNER), workspace)
    client_of(workspace).post("/log-in/", OWNER)
    client_of(other_workspace).post("/log-in/", OWNER)

    assert log_ins(workspace) == 2 * [("owner@acme.example", False, "127.0.0.1")]
    assert log_ins(other_workspace) == []


def test_the_log_shows_a_log_in_in_words(workspace: Workspace) -> None:
    client = client_of(workspace)
    client.post("/log-in/", OWNER)
    page = " ".join(client.get("/audit-log/").content.decode().split())

    assert '<span class="pill">session.began</span>' in page
    assert '<span class="muted">second factor:</span> no</span>' in page


def test_a_wrong_password_is_no_log_in(workspace: Workspace) -> None:
    client_of(workspace).post("/log-in/", {**OWNER, "password": "wrong horse"})

    assert log_ins(workspace) == []
