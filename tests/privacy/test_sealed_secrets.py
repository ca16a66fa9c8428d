"""Stripe's secrets: its webhook's stands sealed in the database and checks signatures; its key stands nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from djstripe.models import APIKey, WebhookEndpoint

from netvexa.lib.sealing import CannotOpen
from tenants.context import platform
from tests.plugins.payers import Stripe

pytestmark = pytest.mark.django_db
SECRET = "whsec_something_that_only_stripe_and_we_know"


@pytest.fixture(autouse=True)
def as_the_platform() -> Iterator[None]:
    with platform():
        yield


@pytest.fixture
def endpoint(as_the_platform: None) -> WebhookEndpoint:
    return WebhookEndpoint.objects.create(
        id="we_1",
        secret=SECRET,
        url="https://netvexa.example/",
        status="enabled",
        api_version="",
        enabled_events=[],
    )


def held() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM djstripe_webhookendpoint")
        return str(cursor.fetchone()[0])


def test_the_database_does_not_hold_it(endpoint: WebhookEndpoint) -> None:
    assert SECRET not in held()
    assert WebhookEndpoint.objects.get().secret == SECRET
    assert WebhookEndpoint.objects.exclude(secret="").exists()


def test_one_that_was_stored_in_clear_works_and_is_sealed_with_the_next_rotation(
    endpoint: WebhookEndpoint,
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE djstripe_webhookendpoint SET secret = %s", [SECRET])
    assert WebhookEndpoint.objects.get().secret == SECRET

    call_command("rotate_keys", "master")

    assert SECRET not in held()
    assert WebhookEndpoint.objects.get().secret == SECRET


def test_it_opens_with_no_other_key(endpoint: WebhookEndpoint, settings: Any) -> None:
    settings.SECRET_KEY = "another"

    with pytest.raises(CannotOpen):
        WebhookEndpoint.objects.get()


def rows_of_keys() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(t)::text FROM djstripe_apikey t")
        return "\n".join(row for (row,) in cursor.fetchall())


def test_the_key_is_not_stored_though_dj_stripe_keeps_a_row_for_it(
    stripe_side: Stripe, settings: Any
) -> None:
    key = settings.STRIPE_TEST_SECRET_KEY
    APIKey.objects.get_or_create_by_api_key(key)
    row, created = APIKey.objects.get_or_create_by_api_key(key)

    assert "sha256:" in rows_of_keys()
    assert key not in rows_of_keys()
    assert (row.secret, created) == (key, False)


def test_after_a_change_of_the_key_nothing_asks_with_the_old_one(stripe_side: Stripe, settings: Any) -> None:
    APIKey.objects.get_or_create_by_api_key(settings.STRIPE_TEST_SECRET_KEY)
    settings.STRIPE_TEST_SECRET_KEY = "sk_test_" + "n" * 40

    assert {row.secret for row in APIKey.objects.all()} == {settings.STRIPE_TEST_SECRET_KEY}
