"""One's own account: devices, alerts, the e-mail address, passwords that are guessed too soon."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.core import mail
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from tenants import devices
from tenants.models import EmailChange, Session, User, Workspace
from tenants.passwords import GuessableValidator
from tests.plugins.people import PASSWORD, client_of

pytestmark = pytest.mark.django_db
OWNER = {"email": "owner@acme.example", "password": PASSWORD}
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(autouse=True)
def _mails_at_once(monkeypatch: pytest.MonkeyPatch, eager: None) -> Iterator[None]:
    monkeypatch.setattr(settings, "EMAIL_BACKEND", "django.core.mail.backends.locmem.EmailBackend")
    mail.outbox = []
    yield
    cache.clear()


def log_in(workspace: Workspace, agent: str = CHROME, address: str = "192.0.2.1", **given: str) -> Client:
    """A browser that has tried to log in from somewhere."""
    client = client_of(workspace)
    client.defaults.update(HTTP_USER_AGENT=agent, REMOTE_ADDR=address)
    client.post("/log-in/", {**OWNER, **given})
    return client


def alerts() -> list[str]:
    return [str(sent.body) for sent in mail.outbox if sent.subject == "New log-in to your account"]


def test_a_new_kind_of_browser_is_told_by_mail_and_an_old_one_is_not(
    workspace: Workspace, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        log_in(workspace)
        log_in(workspace)
        assert alerts() == []
        log_in(workspace, FIREFOX, "198.51.100.7")

    assert len(alerts()) == 1
    assert "Firefox on Linux, from 198.51.100.7" in alerts()[0]


def test_a_browser_is_known_by_its_cookie_wherever_it_is(
    workspace: Workspace, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        client = log_in(workspace)
        client.post("/log-out/")
        client.defaults.update(REMOTE_ADDR="203.0.113.9")
        client.post("/log-in/", OWNER)

    assert alerts() == []
    assert client.cookies[devices.COOKIE]["httponly"] is True


def test_whoever_guesses_elsewhere_does_not_lock_a_known_browser_out(workspace: Workspace) -> None:
    usual = log_in(workspace)
    usual.post("/log-out/")
    for _ in range(11):
        log_in(workspace, FIREFOX, "198.51.100.7", password="a guess")

    assert log_in(workspace, FIREFOX, "198.51.100.8").get("/account/").status_code == 302
    assert usual.post("/log-in/", OWNER).status_code == 302
    assert usual.get("/account/").status_code == 200


def test_the_list_of_devices_tells_browser_address_and_when(workspace: Workspace) -> None:
    client = log_in(workspace)
    log_in(workspace, FIREFOX, "198.51.100.7")

    page = client.get("/account/").content.decode()

    assert "Chrome on Windows" in page
    assert "Firefox on Linux" in page
    assert "198.51.100.7" in page


def test_when_a_device_was_last_seen_is_kept(workspace: Workspace, person: User) -> None:
    client = log_in(workspace)
    Session.objects.update(last_seen_at=timezone.now() - timedelta(hours=1))
    client.defaults.update(REMOTE_ADDR="203.0.113.9")

    client.get("/account/")

    session = Session.objects.get(user_id=person.pk)
    assert timezone.now() - session.last_seen_at < timedelta(minutes=1)
    assert session.address == "203.0.113.9"


def test_one_device_is_logged_out_and_the_others_stay(workspace: Workspace, person: User) -> None:
    clients = [log_in(workspace), log_in(workspace, FIREFOX), log_in(workspace, FIREFOX)]
    login_id = clients[1].session["login_id"]

    clients[0].post(f"/account/devices/{login_id}/")

    assert [client.get("/account/").status_code for client in clients] == [200, 302, 200]


def test_somebody_elses_device_is_not_ended(
    owner_client: Client, workspace: Workspace, other_workspace: Workspace
) -> None:
    theirs = client_of(other_workspace)
    theirs.post("/log-in/", {"email": "owner@rival.example", "password": PASSWORD})

    owner_client.post(f"/account/devices/{theirs.session['login_id']}/")

    assert theirs.get("/account/").status_code == 200


@pytest.fixture
def links(
    owner_client: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> list[str]:
    with django_capture_on_commit_callbacks(execute=True):
        owner_client.post("/account/e-mail/", {"email": "Ada@new.example", "password": PASSWORD})
    assert [sent.to for sent in mail.outbox] == [["owner@acme.example"], ["ada@new.example"]]
    return [next(word for word in str(sent.body).split() if "/e-mail/" in word) for sent in mail.outbox]


@pytest.fixture
def anyone() -> Client:
    return Client(headers={"host": "localhost"})


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_an_address_changes_once_both_mailboxes_agree(
    links: list[str], anyone: Client, owner_client: Client, order: tuple[int, int]
) -> None:
    anyone.post(links[order[0]])
    assert User.objects.get().email == "owner@acme.example"

    anyone.post(links[order[1]])

    assert User.objects.get().email == "ada@new.example"
    assert owner_client.get("/account/").status_code == 302


def test_opening_a_link_is_not_agreeing(links: list[str], anyone: Client) -> None:
    for link in links:
        assert anyone.get(link).status_code == 200

    assert User.objects.get().email == "owner@acme.example"


def test_a_change_that_was_taken_back_is_dead(links: list[str], anyone: Client, owner_client: Client) -> None:
    owner_client.post("/account/e-mail/take-back/")

    assert [anyone.post(link).status_code for link in links] == [400, 400]
    assert User.objects.get().email == "owner@acme.example"


def test_a_change_takes_the_password(owner_client: Client) -> None:
    answer = owner_client.post("/account/e-mail/", {"email": "ada@new.example", "password": "a guess"})

    assert answer.status_code == 422
    assert not EmailChange.objects.exists()


def test_an_address_that_is_taken_is_sent_nothing_and_nothing_is_told(
    owner_client: Client,
    other_workspace: Workspace,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answer = owner_client.post("/account/e-mail/", {"email": "owner@rival.example", "password": PASSWORD})

    assert answer.status_code == 302
    assert [sent.to for sent in mail.outbox] == [["owner@acme.example"]]


def test_an_address_taken_meanwhile_is_not_taken_twice(links: list[str], anyone: Client) -> None:
    User.objects.create_user("ada@new.example", PASSWORD)

    assert [anyone.post(link).status_code for link in links] == [200, 400]
    assert EmailChange.objects.exists()


def test_a_forged_link_changes_nothing(anyone: Client) -> None:
    assert anyone.post("/e-mail/forged/").status_code == 400


@pytest.mark.parametrize(
    "password", ["password123", "Password2024!", "qwertyuiop12", "iloveyou2025", "aaaaaaaaaaaaaaaaaaaa"]
)
def test_a_password_that_is_guessed_soon_is_refused(password: str) -> None:
    with pytest.raises(ValidationError):
        GuessableValidator().validate(password)


def test_ones_own_address_is_a_bad_password() -> None:
    person = User(email="ada.lovelace@acme.example", name="Ada")

    with pytest.raises(ValidationError):
        GuessableValidator().validate("ada.lovelace@acme.example", person)


@pytest.mark.parametrize(
    "password", [PASSWORD, "seven grey pelicans", "k9#vLq2mXzP", "x" * 8 + "Ω≈ç√∫˜µ≤" * 25]
)
def test_a_good_password_is_taken_however_long(password: str) -> None:
    GuessableValidator().validate(password)


def test_a_reset_answers_alike_for_an_address_without_an_account(
    anyone: Client, workspace: Workspace, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        pages = [
            re.sub(
                r'"X-CSRFToken": "\w+"', "", anyone.post("/password/", {"email": email}).content.decode()
            ).replace(email, "")
            for email in ("owner@acme.example", "nobody@acme.example")
        ]

    assert pages[0] == pages[1]
    assert [sent.to for sent in mail.outbox] == [["owner@acme.example"]]
