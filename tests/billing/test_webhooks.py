"""The door for Stripe's webhooks, on the root host only."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client

from tenants.models import Workspace

pytestmark = pytest.mark.django_db


def test_an_unknown_endpoint_is_not_found() -> None:
    answer = Client(headers={"host": "localhost"}).post(
        f"/stripe/webhook/{uuid4()}/", {}, "application/json", headers={"stripe-signature": "t=1,v1=x"}
    )

    assert answer.status_code == 404


def test_it_is_only_posted_to() -> None:
    assert Client(headers={"host": "localhost"}).get(f"/stripe/webhook/{uuid4()}/").status_code == 405


def test_a_workspaces_host_has_no_such_door(workspace: Workspace) -> None:
    answer = Client(headers={"host": "acme.localhost"}).post(f"/stripe/webhook/{uuid4()}/")

    assert answer.status_code == 404
