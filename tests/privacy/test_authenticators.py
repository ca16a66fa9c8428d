"""The secret of an authenticator app stands sealed in the database."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django_otp.plugins.otp_totp.models import TOTPDevice

from netvexa.lib.sealing import CannotOpen
from tenants.context import platform
from tenants.models import User
from tests.plugins.people import code_of, give_second_factor

pytestmark = pytest.mark.django_db


@pytest.fixture
def device() -> TOTPDevice:
    return give_second_factor(User.objects.create_user("ada@acme.example"))


def held() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT key FROM otp_totp_totpdevice")
        (key,) = cursor.fetchone()
    return str(key)


def test_the_database_does_not_hold_it_and_its_codes_work(device: TOTPDevice) -> None:
    read = TOTPDevice.objects.get()

    assert device.key not in held()
    assert read.key == device.key
    assert read.verify_token(code_of(device))


def test_one_that_was_stored_in_clear_works_and_is_sealed_with_the_next_rotation(device: TOTPDevice) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE otp_totp_totpdevice SET key = %s", [device.key])
    assert TOTPDevice.objects.get().key == device.key

    call_command("rotate_keys", "master")

    assert device.key not in held()
    assert TOTPDevice.objects.get().key == device.key


def test_it_follows_the_master_key_and_opens_with_no_other(device: TOTPDevice, settings: Any) -> None:
    settings.MASTER_KEYS = ["new" * 12]
    call_command("rotate_keys", "master")
    settings.SECRET_KEY = "another"
    with platform():
        assert TOTPDevice.objects.get().key == device.key
    settings.MASTER_KEYS = []
    with pytest.raises(CannotOpen):
        TOTPDevice.objects.get()
