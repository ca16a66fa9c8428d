"""Agents through the API."""

from __future__ import annotations

from uuid import uuid4

import pytest

from agents.models import Agent
from billing.models import Entitlement
from billing.plans import Tier
from tenants.context import in_tenant, platform
from tenants.models import Workspace
from tests.plugins.integrators import Integrator

pytestmark = pytest.mark.django_db


def test_an_agent_is_made_read_changed_and_deleted(api: Integrator, workspace: Workspace) -> None:
    made = api.post("agents/", {"name": "Ada", "suggestions": ["What does it cost?"]})
    assert made.status_code == 201
    path = f"agents/{made.json()['id']}/"
    assert made.json()["public_id"].startswith(workspace.key)

    changed = api.patch(path, {"tone": "formal", "allowed_origins": ["https://shop.example"]})
    assert (changed.status_code, changed.json()["tone"], changed.json()["version"]) == (200, "formal", 2)
    assert api.get(path).json() == changed.json()
    assert [agent["name"] for agent in api.get("agents/").json()["results"]] == ["Ada"]

    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 61),
        ("tone", "rude"),
        ("evidence_threshold", 1.5),
        ("suggestions", ["a"] * 7),
        ("suggestions", "a"),
        ("allowed_origins", ["javascript:alert(1)"]),
        ("allowed_origins", ["https://shop.example/path"]),
        ("colour", "red"),
        ("contact_email", "nobody"),
        ("model", "no-such-model"),
        ("id", "018f4e1c-0000-7000-8000-000000000001"),
        ("public_id", "mine"),
        ("version", 9),
        ("identity_secret", "known"),
        ("nonsense", True),
    ],
)
def test_a_wrong_field_is_named(api: Integrator, field: str, value: object) -> None:
    answer = api.post("agents/", {"name": "Ada", field: value})

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"
    assert field in answer.json()["fields"]


def test_broken_json_is_a_clear_error(api: Integrator) -> None:
    answer = api.client.post(api.root + "agents/", b"{", "application/json")

    assert answer.status_code == 400
    assert answer.json()["code"] == "parse_error"


def test_a_stranger_finds_no_agent(api: Integrator, rival: Integrator) -> None:
    path = f"agents/{api.post('agents/', {'name': 'Ada'}).json()['id']}/"

    assert rival.get(path).status_code == 404
    assert rival.patch(path, {"name": "Mine"}).status_code == 404
    assert rival.delete(path).status_code == 404
    assert rival.get("agents/").json()["results"] == []
    assert api.get(path).json()["name"] == "Ada"


def test_past_the_plans_agents_it_says_so(api: Integrator, workspace: Workspace) -> None:
    with platform():
        Entitlement.objects.create(workspace=workspace, tier=Tier.STARTER)
    api.post("agents/", {"name": "Ada"})

    answer = api.post("agents/", {"name": "Bob"})

    assert answer.status_code == 403
    assert answer.json()["code"] == "limit_reached"
    assert (answer.json()["limit"], answer.json()["used"], answer.json()["maximum"]) == ("agents", 1, 1)


def test_the_same_idempotency_key_makes_one_agent(api: Integrator, workspace: Workspace) -> None:
    key = str(uuid4())

    first = api.post("agents/", {"name": "Ada"}, **{"idempotency-key": key})
    again = api.post("agents/", {"name": "Ada"}, **{"idempotency-key": key})

    assert (again.status_code, again.json()) == (201, first.json())
    assert again["Idempotency-Replayed"] == "true"
    with in_tenant(workspace):
        assert Agent.objects.count() == 1


def test_an_idempotency_key_is_not_reused_for_something_else(api: Integrator) -> None:
    key = str(uuid4())
    api.post("agents/", {"name": "Ada"}, **{"idempotency-key": key})

    answer = api.post("agents/", {"name": "Bob"}, **{"idempotency-key": key})

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


def test_a_refused_request_may_be_sent_again_with_its_key(api: Integrator) -> None:
    key = str(uuid4())
    assert api.post("agents/", {"name": ""}, **{"idempotency-key": key}).status_code == 400

    assert api.post("agents/", {"name": "Ada"}, **{"idempotency-key": key}).status_code == 201


def test_pages_follow_each_other(api: Integrator, workspace: Workspace) -> None:
    with in_tenant(workspace):
        for number in range(5):
            Agent.objects.create(name=f"Agent {number}")

    first = api.get("agents/", page_size=3).json()
    second = api.client.get(first["next"]).json()

    names = [agent["name"] for agent in first["results"] + second["results"]]
    assert names == [f"Agent {number}" for number in range(5)]
    assert second["next"] is None
