"""How a business comes in."""

from __future__ import annotations

import threading
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client

from tenants.context import platform
from tenants.models import AuditEvent, Membership, Role, User, Workspace
from tenants.signup import RESERVED_SLUGS, suggest_slug

GIVEN = {
    "name": "Ada Lovelace",
    "email": "Ada@Acme.example",
    "password": "three quiet lanterns",
    "workspace_name": "Acme Tools",
    "slug": "acme-tools",
    "time_zone": "Europe/Berlin",
}


@pytest.fixture
def visitor() -> Client:
    """Nobody in particular, at the root host."""
    return Client(headers={"host": "localhost"})


@pytest.mark.django_db
def test_signing_up_makes_account_workspace_and_owner(visitor: Client) -> None:
    visitor.post("/sign-up/", GIVEN)

    with platform():
        member = Membership.objects.select_related("user", "workspace").get()
    assert (member.role, member.user.email, member.workspace.slug) == (
        Role.OWNER,
        "ada@acme.example",
        "acme-tools",
    )
    assert member.workspace.time_zone == "Europe/Berlin"
    assert member.user.check_password("three quiet lanterns")


@pytest.mark.django_db
def test_signing_up_leads_over_to_the_workspace(visitor: Client) -> None:
    response = visitor.post("/sign-up/", GIVEN)

    assert response.status_code == 302
    assert urlsplit(response["Location"]).hostname == "acme-tools.localhost"
    assert urlsplit(response["Location"]).path == "/enter/"


@pytest.mark.django_db
def test_signing_up_is_noted_in_the_audit_log(visitor: Client) -> None:
    visitor.post("/sign-up/", GIVEN)

    with platform():
        event = AuditEvent.objects.get()
    assert (event.actor, event.action, event.subject) == (
        "ada@acme.example",
        "workspace.created",
        "acme-tools",
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "no address"),
        ("password", "short"),
        ("password", "password12"),
        ("slug", "-a"),
        ("slug", "Acme"),
        ("slug", "admin"),
        ("slug", "xn--acme"),
        ("slug", "a" * 41),
        ("name", ""),
        ("workspace_name", ""),
    ],
)
def test_bad_input_is_told_beside_its_field_and_nothing_is_made(
    visitor: Client, field: str, value: str
) -> None:
    response = visitor.post("/sign-up/", {**GIVEN, field: value})

    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert not User.objects.exists()


@pytest.mark.django_db
def test_what_was_typed_is_kept_but_the_password(visitor: Client) -> None:
    page = visitor.post("/sign-up/", {**GIVEN, "slug": "admin"}).content.decode()

    assert "Ada Lovelace" in page
    assert GIVEN["password"] not in page


@pytest.mark.django_db
def test_an_unknown_time_zone_becomes_utc(visitor: Client) -> None:
    visitor.post("/sign-up/", {**GIVEN, "time_zone": "../../etc/passwd"})

    assert Workspace.objects.get().time_zone == "UTC"


@pytest.mark.django_db
def test_a_taken_address_is_an_error_of_its_field(visitor: Client, workspace: Workspace) -> None:
    response = visitor.post("/sign-up/", {**GIVEN, "slug": workspace.slug})

    assert response.context["form"].errors["slug"] == ["This address is taken. Please choose another."]


@pytest.mark.django_db
def test_an_e_mail_address_has_one_account(visitor: Client, workspace: Workspace) -> None:
    response = visitor.post("/sign-up/", {**GIVEN, "email": "OWNER@acme.example"})

    assert response.status_code == 422
    assert "email" in response.context["form"].errors


@pytest.mark.django_db(transaction=True)
def test_two_who_name_the_same_workspace_at_once_get_one_workspace_and_one_clear_error() -> None:
    start, answers = threading.Barrier(2), []

    def sign_up(number: int) -> None:
        client = Client(headers={"host": "localhost"}, raise_request_exception=False)
        start.wait()
        given = {**GIVEN, "email": f"person{number}@acme.example"}
        answers.append(client.post("/sign-up/", given))
        connection.close()

    threads = [threading.Thread(target=sign_up, args=[number]) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [302, 422]
    loser = next(answer for answer in answers if answer.status_code == 422)
    assert "This address is taken" in loser.content.decode()
    assert (Workspace.objects.count(), User.objects.count()) == (1, 1)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("slug", "said"),
    [("acme", "is taken"), ("acme-two", "is free"), ("A!", "Use 3 to 40"), ("www", "is taken")],
)
def test_an_address_is_checked_while_one_types(
    visitor: Client, workspace: Workspace, slug: str, said: str
) -> None:
    assert said in visitor.get("/sign-up/address/", {"slug": slug}).content.decode()


@pytest.mark.django_db
def test_a_suggested_address_is_free(workspace: Workspace) -> None:
    assert suggest_slug("Acme") == "acme-2"
    assert suggest_slug("Äcme & Söhne") == "acme-sohne"
    assert suggest_slug("Admin") not in RESERVED_SLUGS
    assert suggest_slug("東京") == ""


@pytest.mark.django_db
def test_too_many_sign_ups_from_one_place_are_refused(visitor: Client) -> None:
    statuses = []
    for number in range(22):
        fresh = Client(headers={"host": "localhost"})
        given = {**GIVEN, "email": f"a{number}@acme.example", "slug": f"acme-{number}"}
        statuses.append(fresh.post("/sign-up/", given).status_code)

    assert statuses[:20] == [302] * 20
    assert statuses[-1] == 429


@pytest.mark.django_db
def test_somebody_with_an_account_makes_a_further_workspace(visitor: Client, workspace: Workspace) -> None:
    visitor.force_login(User.objects.get())

    response = visitor.post("/workspaces/new/", {"workspace_name": "Second", "slug": "second"})

    assert urlsplit(response["Location"]).hostname == "second.localhost"
