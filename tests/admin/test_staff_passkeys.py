"""Staff at the admin host with a passkey: asked for at every log-in, and of no use to whoever is staff no more."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client

from tenants.models import Passkey, User
from tests.accounts.authenticator import Authenticator, options_on
from tests.plugins.people import PASSWORD

pytestmark = pytest.mark.django_db
ORIGIN = "http://admin.localhost"
NEW, STEP, PAGE = "/two-factor/passkeys/new/", "/log-in/code/", "/tenants/workspace/"


@pytest.fixture(autouse=True)
def no_attempts_yet() -> None:
    cache.clear()


@pytest.fixture
def person() -> User:
    return User.objects.create_superuser("staff@netvexa.example", PASSWORD)


def after_the_password() -> Client:
    client = Client(headers={"host": "admin.localhost"})
    client.post("/log-in/", {"email": "staff@netvexa.example", "password": PASSWORD})
    return client


@pytest.fixture
def key(person: User) -> Authenticator:
    """The passkey that this member of the staff set up at the first log-in."""
    made, client = Authenticator(), after_the_password()
    answer = made.make(options_on(client.get(NEW).content), origin=ORIGIN)
    assert client.post(NEW, {"name": "Blue key", "passkey": answer}).status_code == 200
    assert client.get(PAGE).status_code == 200
    return made


def proved(client: Client, key: Authenticator) -> int:
    answer = key.prove(options_on(client.get(STEP).content), origin=ORIGIN)
    return client.post(STEP, {"passkey": answer}).status_code


def opens(client: Client) -> bool:
    return client.get(PAGE).status_code == 200


def test_it_is_asked_for_at_every_log_in_and_opens_the_admin(key: Authenticator) -> None:
    client = after_the_password()
    assert not opens(client)

    assert proved(client, key) == 302
    assert opens(client)


def test_staff_without_a_second_factor_see_no_page_until_they_have_one(person: User) -> None:
    client = after_the_password()

    assert client.get(PAGE, follow=True).redirect_chain[-1][0].startswith("/two-factor/set-up/")
    assert client.post(PAGE, {"action": "retry_provisioning"}).status_code == 302
    assert not opens(client)


def test_a_passkey_nobody_added_opens_nothing(key: Authenticator) -> None:
    client, false = after_the_password(), Authenticator()
    false.id = key.id

    assert proved(client, false) == 422
    assert not opens(client)


def test_of_who_is_staff_no_more_it_opens_nothing_and_a_session_ends(
    key: Authenticator, person: User
) -> None:
    inside = after_the_password()
    proved(inside, key)
    User.objects.filter(pk=person.pk).update(is_staff=False, is_superuser=False)

    assert inside.get(PAGE, follow=True).status_code == 403
    again = after_the_password()
    again.post(STEP, {"passkey": "{}"})
    assert not opens(again)


def test_whose_account_was_closed_is_not_even_asked(key: Authenticator, person: User) -> None:
    inside = after_the_password()
    proved(inside, key)
    User.objects.filter(pk=person.pk).update(is_active=False)

    assert not opens(inside)
    assert after_the_password().get(STEP)["Location"].startswith("/log-in/")


def test_a_passkey_that_was_removed_ends_what_it_opened(key: Authenticator) -> None:
    inside = after_the_password()
    proved(inside, key)
    Passkey.objects.all().delete()

    assert not opens(inside)
