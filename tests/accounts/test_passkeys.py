"""Passkeys as a second factor: added, used, removed, and every answer that must not let anybody in."""

from __future__ import annotations

import time
from unittest.mock import patch

import pytest
from django.core import mail
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from tenants import passkeys, second_factor
from tenants.context import platform
from tenants.models import AuditEvent, Domain, Passkey, RecoveryCodes, Role, User, Workspace
from tests.accounts.authenticator import Authenticator, options_on
from tests.plugins.people import PASSWORD, add_member, client_of, code_of, give_second_factor

pytestmark = pytest.mark.django_db
OWNER = {"email": "owner@acme.example", "password": PASSWORD}
NEW, STEP, OVERVIEW = "/two-factor/passkeys/new/", "/log-in/code/", "/two-factor/"


@pytest.fixture
def recent(anonymous_client: Client, person: User) -> Client:
    """The owner, who has just logged in with the password."""
    anonymous_client.post("/log-in/", OWNER)
    return anonymous_client


def add(client: Client, key: Authenticator, name: str = "Blue key") -> int:
    answer = key.make(options_on(client.get(NEW).content))
    return client.post(NEW, {"name": name, "passkey": answer}).status_code


@pytest.fixture
def key(recent: Client) -> Authenticator:
    """The owner's passkey."""
    made = Authenticator()
    assert add(recent, made) == 200
    return made


@pytest.fixture
def waiting(key: Authenticator, workspace: Workspace) -> Client:
    """The owner at another browser, after the password."""
    client = client_of(workspace)
    assert client.post("/log-in/", OWNER)["Location"] == STEP
    return client


def prove(client: Client, answer: str) -> int:
    return client.post(STEP, {"passkey": answer}).status_code


def at(host: str) -> Client:
    return Client(headers={"host": host})


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def actions() -> list[str]:
    with platform():
        return list(AuditEvent.objects.order_by("number").values_list("action", flat=True))


def test_the_first_one_turns_the_second_factor_on_and_brings_recovery_codes(
    recent: Client, person: User
) -> None:
    assert add(recent, Authenticator()) == 200

    assert second_factor.has_one(person)
    assert second_factor.holders([person.pk]) == {person.pk}
    assert len(RecoveryCodes.objects.get().hashes) == 10
    assert "Blue key" in recent.get(OVERVIEW).content.decode()
    assert actions() == ["session.began", "passkey.added"]
    assert is_in(recent)


def test_it_lets_its_person_in(waiting: Client, key: Authenticator) -> None:
    assert not is_in(waiting)
    assert prove(waiting, key.prove(options_on(waiting.get(STEP).content))) == 302

    assert is_in(waiting)
    assert Passkey.objects.get().last_used_at is not None


def test_a_recovery_code_does_as_well(waiting: Client, person: User) -> None:
    code = second_factor.new_codes(person)[0]

    assert waiting.post(STEP, {"code": code}).status_code == 302
    assert is_in(waiting)


def test_a_workspace_that_requires_a_second_factor_takes_it(
    waiting: Client, key: Authenticator, workspace: Workspace
) -> None:
    workspace.two_factor_required = True
    workspace.save()
    prove(waiting, key.prove(options_on(waiting.get(STEP).content)))

    assert waiting.get("/").status_code == 200


def test_several_stand_beside_an_app_and_each_works(
    recent: Client, person: User, workspace: Workspace
) -> None:
    first, second = Authenticator(), Authenticator()
    add(recent, first)
    assert add(recent, second, "Laptop") == 302
    device = give_second_factor(person)
    for proof in ("first", "second", "app"):
        client = client_of(workspace)
        client.post("/log-in/", OWNER)
        options = options_on(client.get(STEP).content)
        given = (
            {"code": code_of(device)}
            if proof == "app"
            else {"passkey": (first if proof == "first" else second).prove(options)}
        )
        assert client.post(STEP, given).status_code == 302
        assert is_in(client)


def test_what_is_known_already_is_not_offered_again(recent: Client, key: Authenticator) -> None:
    options = options_on(recent.get(NEW).content)
    assert [each["id"] for each in options["excludeCredentials"]] == [Passkey.objects.get().credential_id]
    assert recent.post(NEW, {"name": "Twin", "passkey": key.make(options)}).status_code == 422


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://rival.localhost", "http://acme.localhost.evil.example", "null"]
)
def test_an_answer_given_to_another_site_lets_nobody_in(
    waiting: Client, key: Authenticator, origin: str
) -> None:
    assert prove(waiting, key.prove(options_on(waiting.get(STEP).content), origin=origin)) == 422
    assert not is_in(waiting)


def test_an_answer_works_once(waiting: Client, key: Authenticator, workspace: Workspace) -> None:
    answer = key.prove(options_on(waiting.get(STEP).content))
    assert prove(waiting, answer) == 302

    again = client_of(workspace)
    again.post("/log-in/", OWNER)
    again.get(STEP)
    assert prove(again, answer) == 422
    assert not is_in(again)


def test_of_two_answers_to_one_challenge_the_second_is_late(waiting: Client, key: Authenticator) -> None:
    options = options_on(waiting.get(STEP).content)
    noted = waiting.session[passkeys._CHALLENGE]
    prove(waiting, key.prove({**options, "challenge": "AAAA"}))
    session = waiting.session
    session[passkeys._CHALLENGE] = noted  # as a request beside it still read it
    session.save()

    assert prove(waiting, key.prove(options)) == 422


def test_a_challenge_is_for_five_minutes(waiting: Client, key: Authenticator) -> None:
    answer = key.prove(options_on(waiting.get(STEP).content))
    later = time.time() + passkeys.CHALLENGE_SECONDS + 1
    with patch("tenants.passkeys.time.time", return_value=later):
        assert prove(waiting, answer) == 422
    assert not is_in(waiting)


def test_a_challenge_to_add_one_proves_nothing(recent: Client, key: Authenticator, waiting: Client) -> None:
    made = options_on(recent.get(NEW).content)
    session = waiting.session
    session[passkeys._CHALLENGE] = recent.session[passkeys._CHALLENGE]
    session.save()

    assert prove(waiting, key.prove({"challenge": made["challenge"], "rpId": made["rp"]["id"]})) == 422


def test_another_persons_passkey_lets_nobody_in(waiting: Client, workspace: Workspace) -> None:
    add_member(workspace, "mallory@acme.example", Role.AGENT)
    theirs, client = Authenticator(), client_of(workspace)
    client.post("/log-in/", {"email": "mallory@acme.example", "password": PASSWORD})
    add(client, theirs)

    assert prove(waiting, theirs.prove(options_on(waiting.get(STEP).content))) == 422
    assert not is_in(waiting)


def test_a_false_signature_lets_nobody_in(waiting: Client, key: Authenticator) -> None:
    false = Authenticator()
    false.id = key.id

    assert prove(waiting, false.prove(options_on(waiting.get(STEP).content))) == 422


def test_a_count_that_went_back_is_a_copy_and_is_told_of(waiting: Client, key: Authenticator) -> None:
    key.count = 1
    page = waiting.post(STEP, {"passkey": key.prove(options_on(waiting.get(STEP).content))})

    assert page.status_code == 422
    assert "may have been copied" in page.content.decode()
    assert not is_in(waiting)
    assert actions()[-1] == "passkey.refused_as_copy"


def test_an_authenticator_that_does_not_count_is_fine(recent: Client, workspace: Workspace) -> None:
    key = Authenticator()
    key.count = 0
    add(recent, key)
    client = client_of(workspace)
    client.post("/log-in/", OWNER)
    key.count = 0

    assert prove(client, key.prove(options_on(client.get(STEP).content))) == 302


def test_wrong_ones_are_counted_like_wrong_codes(waiting: Client, key: Authenticator) -> None:
    for _ in range(6):
        waiting.get(STEP)
        assert prove(waiting, Authenticator().prove({"challenge": "AAAA", "rpId": "acme.localhost"})) == 422
    right = key.prove(options_on(waiting.get(STEP).content))

    assert prove(waiting, right) == 429


@pytest.mark.parametrize(
    "answer",
    [
        "x",
        "[]",
        "{}",
        '{"id": 7}',
        '{"id": "AA", "rawId": "AA", "type": "public-key", "response": "x"}',
        "[" * 9000,
    ],
)
def test_nonsense_is_refused(waiting: Client, recent: Client, answer: str) -> None:
    waiting.get(STEP)
    recent.get(NEW)

    assert prove(waiting, answer) == 422
    assert recent.post(NEW, {"name": "Nonsense", "passkey": answer}).status_code == 422


def test_whoever_knows_the_password_alone_adds_none(
    waiting: Client, workspace: Workspace, person: User
) -> None:
    client = client_of(workspace, person)  # logged in without the second factor

    assert client.get(NEW)["Location"].startswith(STEP)
    assert client.get("/two-factor/set-up/")["Location"].startswith(STEP)


def test_long_after_the_log_in_adding_one_takes_the_password(owner_client: Client) -> None:
    key = Authenticator()
    answer = key.make(options_on(owner_client.get(NEW).content))
    assert owner_client.post(NEW, {"name": "Key", "passkey": answer}).status_code == 422
    answer = key.make(options_on(owner_client.get(NEW).content))
    assert owner_client.post(NEW, {"name": "Key", "passkey": answer, "password": PASSWORD}).status_code == 200


def test_removing_the_last_one_takes_the_password_and_turns_it_off(
    recent: Client, key: Authenticator
) -> None:
    path = f"/two-factor/passkeys/{Passkey.objects.get().pk}/remove/"
    assert recent.post(path, {"password": "a guess"}).status_code == 422
    assert recent.post(path, {"password": PASSWORD}).status_code == 302

    assert not Passkey.objects.exists()
    assert not RecoveryCodes.objects.exists()
    assert actions()[-1] == "passkey.removed"


def test_nobody_removes_anothers(key: Authenticator, workspace: Workspace) -> None:
    stranger = client_of(workspace, add_member(workspace, "mallory@acme.example", Role.ADMIN))
    stranger.post(f"/two-factor/passkeys/{Passkey.objects.get().pk}/remove/", {"password": PASSWORD})

    assert Passkey.objects.count() == 1


def test_the_anonymous_are_sent_to_log_in(anonymous_client: Client) -> None:
    assert anonymous_client.get(NEW)["Location"].startswith("/log-in/")
    assert anonymous_client.post("/two-factor/passkeys/1/remove/")["Location"].startswith("/log-in/")


def test_it_is_told_by_mail(
    recent: Client,
    eager: None,
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.EMAIL_BACKEND, mail.outbox = "django.core.mail.backends.locmem.EmailBackend", []
    with django_capture_on_commit_callbacks(execute=True):
        add(recent, Authenticator())

    assert "passkey “Blue key” was added" in mail.outbox[-1].body


def test_one_passkey_serves_every_host_of_a_real_domain(
    workspace: Workspace, other_workspace: Workspace, person: User, settings: Settings
) -> None:
    settings.ROOT_HOST, settings.ALLOWED_HOSTS = "netvexa.example", [".netvexa.example"]
    with platform():
        for each in (workspace, other_workspace):
            Domain.objects.create(domain=f"{each.slug}.netvexa.example", tenant=each, is_primary=False)
    add_member(other_workspace, "owner@acme.example", Role.AGENT)
    key, here, there = (
        Authenticator(),
        *(Client(headers={"host": f"{slug}.netvexa.example"}) for slug in ("acme", "rival")),
    )
    here.post("/log-in/", OWNER)
    made = options_on(here.get(NEW).content)
    here.post(NEW, {"name": "Key", "passkey": key.make(made, origin="http://acme.netvexa.example")})
    there.post("/log-in/", OWNER)
    answer = key.prove(options_on(there.get(STEP).content), origin="http://rival.netvexa.example")

    assert made["rp"]["id"] == "netvexa.example"
    assert prove(there, answer) == 302
    assert is_in(there)
