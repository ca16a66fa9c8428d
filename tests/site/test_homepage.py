"""What the curious see on the root host."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.test import Client

from agents.models import Agent
from billing.plans import PLANS
from tenants.context import in_tenant
from tests.plugins.people import MakeWorkspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitor() -> Client:
    return Client(headers={"host": settings.ROOT_HOST})


def test_the_homepage_says_what_netvexa_is_and_where_to_sign_up(visitor: Client) -> None:
    shown = visitor.get("/").content.decode()

    assert "you can check" in shown
    assert "/sign-up/" in shown
    assert "data-agent-id" not in shown


def test_the_homepage_shows_the_demo_agent_where_there_is_one(
    visitor: Client, make_workspace: MakeWorkspace
) -> None:
    with in_tenant(make_workspace("demo")):
        agent = Agent.objects.create(name="Vexa", suggestions=["Which files can I upload?"])

    shown = visitor.get("/").content.decode()

    assert f'data-agent-id="{agent.public_id}"' in shown
    assert 'data-ask="Which files can I upload?"' in shown


def test_a_paused_demo_agent_is_not_shown(visitor: Client, make_workspace: MakeWorkspace) -> None:
    with in_tenant(make_workspace("demo")):
        Agent.objects.create(name="Vexa", is_active=False)

    assert "data-agent-id" not in visitor.get("/").content.decode()


def test_the_prices_are_those_that_are_charged(visitor: Client) -> None:
    monthly = visitor.get("/pricing/").content.decode()
    yearly = visitor.get("/pricing/", {"period": "year"}).content.decode()

    for plan in PLANS.values():
        assert plan.name in monthly
        if plan.monthly_usd is not None:
            assert f"${plan.monthly_usd:,}<" in monthly
            assert f"${plan.yearly_usd:,}<" in yearly


def test_researchers_find_whom_to_tell(visitor: Client) -> None:
    lines = visitor.get("/.well-known/security.txt").content.decode().splitlines()

    assert any(re.fullmatch(r"Contact: mailto:[^\s<>]+@[^\s<>]+", line) for line in lines)
    assert any(line.startswith("Expires: 2") and line.endswith("Z") for line in lines)


def test_robots_may_read_the_site(visitor: Client) -> None:
    response = visitor.get("/robots.txt")

    assert response["Content-Type"].startswith("text/plain")
    assert "Disallow: /\n" not in response.content.decode()


@pytest.mark.parametrize("path", ["/", "/pricing/", "/help/", "/robots.txt", "/.well-known/security.txt"])
def test_these_pages_are_only_read(path: str, visitor: Client) -> None:
    assert visitor.post(path).status_code == 405


@pytest.mark.parametrize("path", ["/", "/pricing/", "/help/", "/help/security/"])
def test_pages_carry_a_policy_that_runs_no_foreign_script(path: str, visitor: Client) -> None:
    policy = visitor.get(path)["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
