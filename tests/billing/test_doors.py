"""Who may do what about paying: owners everything, others look at the plan, strangers nothing."""

from __future__ import annotations

import pytest
from django.test import Client

from tenants.models import Role
from tests.plugins.people import ClientAs

DOORS = [
    ("get", "/plan/choose/"),
    ("post", "/plan/checkout/"),
    ("post", "/plan/portal/"),
    ("get", "/plan/change/"),
    ("post", "/plan/change/"),
    ("post", "/plan/keep/"),
    ("post", "/plan/cancel/"),
    ("post", "/plan/resume/"),
    ("get", "/plan/arrived/"),
]
pytestmark = [pytest.mark.django_db, pytest.mark.parametrize(("method", "path"), DOORS)]
PLAN = {"tier": "growth", "interval": "month"}


@pytest.mark.parametrize("role", [Role.ADMIN, Role.VIEWER])
def test_who_is_no_owner_may_not(method: str, path: str, role: Role, client_as: ClientAs) -> None:
    assert getattr(client_as(role), method)(path, PLAN).status_code == 403


def test_a_stranger_finds_nothing(method: str, path: str, stranger_client: Client) -> None:
    assert getattr(stranger_client, method)(path, PLAN).status_code == 404


def test_the_anonymous_are_asked_to_log_in(method: str, path: str, anonymous_client: Client) -> None:
    answer = getattr(anonymous_client, method)(path, PLAN)

    assert answer.status_code == 302
    assert "/log-in/" in answer["Location"]


def test_without_a_key_the_owner_is_told_that_staff_switch_plans(
    method: str, path: str, owner_client: Client
) -> None:
    answer = getattr(owner_client, method)(path, PLAN, follow=True)

    assert answer.status_code in (200, 204)
    assert not answer.content or "not available on this installation" in answer.content.decode()
