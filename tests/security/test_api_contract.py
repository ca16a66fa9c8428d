"""The API does what its schema says, for a caller with every right: schemathesis reads the schema and tries.

NETVEXA_CONTRACT is how many made-up requests each operation gets, beside those that try each field's edges.

"""

from __future__ import annotations

import os

import pytest
from rest_framework.response import Response

from tests.isolation.world import World, make_world
from tests.plugins.integrators import at_host
from tests.security.contract import failures

EXAMPLES = int(os.environ.get("NETVEXA_CONTRACT", "3"))
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("NETVEXA_CONTRACT" not in os.environ, reason="takes minutes: `make security` runs it"),
]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("billing.throttling.ApiCalls.allow_request", lambda *_: True)
    monkeypatch.setattr("tenants.api._take", lambda *_: None)
    return make_world("acme")


def test_the_api_does_what_its_schema_says(world: World) -> None:
    document = at_host(world.workspace, "").get("schema/").json()
    assert len(document["paths"]) > 30

    found = list(failures(document, world, examples=EXAMPLES, is_thorough=True))

    assert not found, "\n\n".join(found)


def broken(*_: object, **__: object) -> None:
    raise RuntimeError("planted")


def test_a_view_that_breaks_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    document = at_host(world.workspace, "").get("schema/").json()
    document["paths"] = {path: shape for path, shape in document["paths"].items() if path.endswith("/usage/")}
    monkeypatch.setattr("netvexa.views.usage.UsageView.get", broken)

    (sentence,) = failures(document, world, examples=1)

    assert "Server error" in sentence


def test_an_answer_that_the_schema_does_not_know_is_found(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = at_host(world.workspace, "").get("schema/").json()
    document["paths"] = {path: shape for path, shape in document["paths"].items() if path.endswith("/usage/")}
    monkeypatch.setattr("netvexa.views.usage.UsageView.get", lambda *_, **__: Response({"secret": 1}))

    (sentence,) = failures(document, world, examples=1)

    assert "violates schema" in sentence
