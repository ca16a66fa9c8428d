"""The plan page: what is included, what is used, what runs on a default."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from agents.models import Agent
from billing.models import Entitlement, UsageKind
from billing.plans import Tier
from billing.usage import reserve
from netvexa.lib.sizes import size_in_words
from netvexa.pages.plan import Meter
from tenants.context import in_tenant, platform
from tenants.models import Role, Workspace
from tests.plugins.people import ClientAs


def test_a_new_workspace_sees_its_trial(owner_client: Client) -> None:
    shown = owner_client.get("/plan/").content.decode()

    assert "Trial" in shown
    assert "0 of 200" in shown


def test_what_is_used_is_counted(owner_client: Client, workspace: Workspace) -> None:
    with in_tenant(workspace):
        Agent.objects.create(name="Mia")
        reserve(workspace, kind=UsageKind.ANSWERS, limit=None, reference="a message")

    shown = owner_client.get("/plan/").content.decode()

    assert "1 of 200" in shown
    assert "Agents: 1 of 3" in shown


def test_a_trial_that_is_over_says_that_nothing_was_deleted(
    owner_client: Client, workspace: Workspace
) -> None:
    with platform():
        Workspace.objects.filter(pk=workspace.pk).update(created_at=timezone.now() - timedelta(days=20))

    assert "Nothing was deleted" in owner_client.get("/plan/").content.decode()


def test_a_plan_is_shown_with_its_price_and_who_switches_it(
    owner_client: Client, workspace: Workspace
) -> None:
    with platform():
        Entitlement.objects.create(workspace=workspace, tier=Tier.BUSINESS)

    shown = owner_client.get("/plan/").content.decode()

    assert "$899 a month" in shown
    assert "no Stripe key is set" in shown


def test_only_who_manages_the_workspace_reads_about_the_installation(
    owner_client: Client, client_as: ClientAs
) -> None:
    assert "What runs on a default" in owner_client.get("/plan/").content.decode()
    assert "What runs on a default" not in client_as(Role.VIEWER).get("/plan/").content.decode()


@pytest.mark.parametrize(
    ("used", "maximum", "percent", "level"),
    [(0, 5, 0, "ok"), (4, 5, 80, "near"), (5, 5, 100, "full"), (9, 5, 100, "full"), (9, None, 0, "ok")],
)
def test_a_meter_tells_how_near_the_limit_is(
    used: int, maximum: int | None, percent: int, level: str
) -> None:
    meter = Meter("Agents", used, maximum)

    assert (meter.percent, meter.level) == (percent, level)


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 KB"),
        (1536, "1.5 KB"),
        (100 * 1024**2, "100 MB"),
        (10 * 1024**3, "10 GB"),
        (1000 * 1024**2, "1,000 MB"),
    ],
)
def test_sizes_are_said_as_people_say_them(size: int, words: str) -> None:
    assert size_in_words(size) == words
