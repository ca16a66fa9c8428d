"""What people are sent, and the links in it: confirmation, password, invitation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from tenants import confirmation
from tenants.context import platform
from tenants.models import Invitation, User, Workspace
from tests.plugins.people import PASSWORD

pytestmark = pytest.mark.django_db
Sent = Callable[[Callable[[], object]], str]


@pytest.fixture(autouse=True)
def _fresh(eager: None) -> Iterator[None]:
    """Mails are delivered at once, in this process; nobody has tried anything yet."""
    yield
    cache.clear()


@pytest.fixture
def sent(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    monkeypatch: pytest.MonkeyPatch,
) -> Sent:
    """Do something and return the path of the link in the mail it sends."""
    monkeypatch.setattr(settings, "EMAIL_BACKEND", "django.core.mail.backends.locmem.EmailBackend")

    def do(act: Callable[[], object]) -> str:
        mail.outbox = []
        with django_capture_on_commit_callbacks(execute=True):
            act()
        if not mail.outbox:
            return ""
        body = str(mail.outbox[-1].body)
        found = re.search(r"http://\S+", body)
        assert found
        return urlsplit(found[0]).path

    return do


@pytest.fixture
def visitor(workspace: Workspace) -> Client:
    """Nobody in particular, at the root host."""
    return Client(headers={"host": "localhost"})


def test_a_confirmation_link_confirms_the_address(visitor: Client, sent: Sent) -> None:
    user = User.objects.get()

    link = sent(lambda: confirmation.ask(user))

    assert visitor.get(link).status_code == 200
    user.refresh_from_db()
    assert user.email_confirmed_at is not None
    assert visitor.get(link).status_code == 200


def test_a_confirmation_link_of_an_older_address_confirms_nothing(visitor: Client, sent: Sent) -> None:
    user = User.objects.get()
    link = sent(lambda: confirmation.ask(user))
    User.objects.update(email="new@acme.example")

    assert visitor.get(link).status_code == 400
    assert User.objects.get().email_confirmed_at is None


def test_a_forgotten_password_is_set_by_a_link_that_works_once(visitor: Client, sent: Sent) -> None:
    link = sent(lambda: visitor.post("/password/", {"email": "owner@acme.example"}))
    given = {"new_password1": "seven grey pelicans", "new_password2": "seven grey pelicans"}

    assert visitor.post(link, given).status_code == 302
    assert User.objects.get().check_password("seven grey pelicans")
    assert visitor.post(link, given).status_code == 404


def test_setting_a_password_ends_every_session(visitor: Client, owner_client: Client, sent: Sent) -> None:
    link = sent(lambda: visitor.post("/password/", {"email": "owner@acme.example"}))

    visitor.post(link, {"new_password1": "seven grey pelicans", "new_password2": "seven grey pelicans"})

    assert owner_client.get("/").status_code == 302


def test_nobody_learns_whether_there_is_an_account(visitor: Client, sent: Sent) -> None:
    known = visitor.post("/password/", {"email": "owner@acme.example"})
    unknown = visitor.post("/password/", {"email": "nobody@acme.example"})

    assert known.status_code == unknown.status_code == 200
    for answer in (known, unknown):
        assert "If there is an account" in answer.content.decode()
    assert sent(lambda: visitor.post("/password/", {"email": "nobody@acme.example"})) == ""


@pytest.mark.parametrize(
    "path", ["/password/x/y/", "/password/AAAA/token/", "/confirm/forged/", "/invitations/forged/"]
)
def test_made_up_links_lead_nowhere(visitor: Client, path: str) -> None:
    assert visitor.get(path).status_code in (400, 404)


def test_an_invited_stranger_makes_an_account_and_is_in(
    owner_client: Client, visitor: Client, workspace: Workspace, sent: Sent
) -> None:
    link = sent(lambda: owner_client.post("/members/invite/", {"email": "mia@acme.example", "role": "agent"}))

    response = visitor.post(link, {"name": "Mia", "password": "four slow tractors"})

    assert urlsplit(response["Location"]).hostname == "acme.localhost"
    assert User.objects.get(email="mia@acme.example").email_confirmed_at is not None
    assert visitor.get(link).status_code == 404


def test_an_invitation_that_has_expired_lets_nobody_in(
    owner_client: Client, visitor: Client, workspace: Workspace, sent: Sent
) -> None:
    link = sent(lambda: owner_client.post("/members/invite/", {"email": "mia@acme.example", "role": "agent"}))
    with platform():
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert visitor.get(link).status_code == 404
    assert visitor.post(link, {"name": "Mia", "password": "four slow tractors"}).status_code == 404
    assert not User.objects.filter(email="mia@acme.example").exists()


def test_an_invitation_is_for_the_invited_person(
    owner_client: Client, visitor: Client, other_workspace: Workspace, sent: Sent
) -> None:
    link = sent(lambda: owner_client.post("/members/invite/", {"email": "mia@acme.example", "role": "agent"}))
    visitor.post("/log-in/", {"email": "owner@rival.example", "password": PASSWORD})

    assert visitor.post(link).status_code == 403


def test_mails_have_a_text_and_a_page(sent: Sent, workspace: Workspace) -> None:
    sent(lambda: confirmation.ask(User.objects.get()))

    message = mail.outbox[0]
    assert message.subject == "Please confirm your e-mail address"
    assert message.to == ["owner@acme.example"]
    assert "text/html" in str(message.alternatives)  # type: ignore[attr-defined]
