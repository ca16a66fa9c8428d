"""Every address of every host, tried with everything another workspace has."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from django.http import HttpRequest, HttpResponse
from django.urls import clear_url_caches, path

import netvexa.urls.workspace
from agents.models import Agent
from tenants.context import in_tenant, owner, platform
from tenants.models import Workspace
from tests.isolation import matrix
from tests.isolation.registry import NO_ROW, OPEN, ROUTES
from tests.isolation.surface import Route, routes
from tests.isolation.world import World, digest_of, make_world, models_without_rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def two() -> tuple[World, World]:
    return make_world("acme"), make_world("rival")


def test_every_route_says_what_it_is_to_a_stranger() -> None:
    assert matrix.uncovered() == []


def test_a_route_without_a_line_is_told() -> None:
    (sentence,) = matrix.uncovered([Route("workspace", "brand-new/<uuid:agent_id>/")])

    assert "'workspace brand-new/<uuid:agent_id>/'" in sentence
    assert "registry.py" in sentence


def test_no_route_opens_to_another_workspace(two: tuple[World, World]) -> None:
    own, victim = two

    findings = matrix.walk(own, victim)

    assert findings.leaks == []
    assert findings.tried > 1_500


def test_each_address_that_is_tried_leads_its_own_people_somewhere(two: tuple[World, World]) -> None:
    shut, shown = matrix.unreachable(two[1])

    assert shut == []
    assert shown > 10


def test_the_world_has_a_row_of_every_model(two: tuple[World, World]) -> None:
    assert set(models_without_rows(two[1])) <= NO_ROW.keys()


# A checker that cannot fail proves nothing.


def leaking(_request: HttpRequest, agent_id: UUID) -> HttpResponse:
    """A view that forgets where it stands."""
    with platform():
        row = Workspace.objects.get(slug="rival")
    with in_tenant(row):
        return HttpResponse(Agent.objects.get(pk=agent_id).instructions)


def defacing(_request: HttpRequest) -> HttpResponse:
    """A view that changes another workspace's rows and says nothing."""
    with platform():
        row = Workspace.objects.get(slug="rival")
    with in_tenant(row):
        Agent.objects.update(greeting="Owned")
    return HttpResponse("ok")


@pytest.fixture
def planted() -> Iterator[None]:
    patterns = netvexa.urls.workspace.urlpatterns
    new = [path("planted/<uuid:agent_id>/", leaking), path("planted/", defacing)]
    keys = ["workspace planted/<uuid:agent_id>/", "workspace planted/"]
    patterns[0:0] = new
    ROUTES.update(dict.fromkeys(keys, OPEN))
    clear_url_caches()
    yield
    del patterns[:2]
    for key in keys:
        del ROUTES[key]
    clear_url_caches()


@pytest.mark.usefixtures("planted")
def test_a_planted_leak_is_caught(two: tuple[World, World]) -> None:
    findings = matrix.walk(*two, only=lambda route: route.pattern.startswith("planted"))

    assert any("<uuid:agent_id>/ with nothing at the own host: the canary" in one for one in findings.leaks)
    assert any("planted/ changed own.agents_agent" in one for one in findings.leaks)


def test_the_fingerprint_sees_one_changed_field(two: tuple[World, World]) -> None:
    before = digest_of(two[1])

    with owner(two[1].workspace.schema_name):
        Agent.objects.update(greeting="Changed")

    assert [name for name, value in digest_of(two[1]).items() if value != before[name]] == [
        "own.agents_agent"
    ]


def test_all_five_hosts_are_walked() -> None:
    assert {route.host for route in routes()} == {"root", "workspace", "preparing", "api", "admin"}
