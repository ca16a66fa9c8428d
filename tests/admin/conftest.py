"""NETVEXA's staff, logged in with a second factor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from django.test import Client


@pytest.fixture
def staff(db: None) -> Client:
    from django.test import Client

    from tenants.models import User
    from tests.plugins.people import PASSWORD, verify

    user = User.objects.create_superuser("staff@netvexa.example", PASSWORD)
    client = Client(headers={"host": "admin.localhost"})
    client.force_login(user)
    return verify(client, user)
