"""Who gets into the API, and what they are told who do not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tenants.context import in_tenant
from tenants.keys import Scope, revoke
from tenants.models import ProvisioningState, Workspace
from tests.plugins.integrators import Integrator, at_api_host, at_host, new_key

pytestmark = pytest.mark.django_db


def test_a_key_opens_both_doors(api: Integrator) -> None:
    assert api.get("agents/").status_code == 200


@pytest.mark.parametrize("door", ["host", "api"])
@pytest.mark.parametrize("given", ["", "nvx_live_wrong", "nonsense"])
def test_without_a_valid_key_nobody_gets_in(workspace: Workspace, door: str, given: str) -> None:
    integrator = at_host(workspace, given) if door == "host" else at_api_host(given)

    answer = integrator.get("agents/")

    assert answer.status_code == 401
    assert set(answer.json()) == {"code", "detail"}
    assert answer["WWW-Authenticate"] == "Bearer"


def test_another_workspaces_key_is_not_valid_here(workspace: Workspace, other_workspace: Workspace) -> None:
    foreign = new_key(other_workspace, Scope.ADMIN).secret

    assert at_host(workspace, foreign).get("agents/").status_code == 401


def test_a_revoked_key_is_dead_at_once(workspace: Workspace) -> None:
    key = new_key(workspace, Scope.ADMIN)
    assert at_host(workspace, key.secret).get("agents/").status_code == 200

    with in_tenant(workspace):
        revoke(key.row)

    assert at_host(workspace, key.secret).get("agents/").status_code == 401


def test_an_expired_key_is_dead(workspace: Workspace) -> None:
    key = new_key(workspace, Scope.ADMIN, expires_at=timezone.now() - timedelta(seconds=1))

    assert at_api_host(key.secret).get("agents/").status_code == 401


SCOPE_OF = {
    ("get", "agents/"): Scope.READ_AGENTS,
    ("post", "agents/"): Scope.WRITE_AGENTS,
    ("get", "sources/"): Scope.READ_KNOWLEDGE,
    ("post", "sources/"): Scope.WRITE_KNOWLEDGE,
    ("get", "documents/"): Scope.READ_KNOWLEDGE,
    ("get", "conversations/"): Scope.READ_CONVERSATIONS,
    ("get", "leads/"): Scope.READ_LEADS,
    ("get", "usage/"): Scope.READ_ANALYTICS,
}


@pytest.mark.parametrize(("method", "path"), SCOPE_OF)
def test_a_key_without_the_scope_is_refused(workspace: Workspace, method: str, path: str) -> None:
    others = [scope for scope in Scope if scope not in (Scope.ADMIN, SCOPE_OF[method, path])]
    integrator = at_host(workspace, new_key(workspace, *others).secret)

    answer = getattr(integrator, method)(path)

    assert answer.status_code == 403
    assert "scope" in answer.json()["detail"]


@pytest.mark.parametrize(("method", "path"), SCOPE_OF)
def test_a_key_with_just_the_scope_is_let_in(workspace: Workspace, method: str, path: str) -> None:
    integrator = at_host(workspace, new_key(workspace, SCOPE_OF[method, path]).secret)

    assert getattr(integrator, method)(path).status_code in (200, 400)


@pytest.mark.parametrize("door", ["host", "api"])
def test_a_workspace_that_is_not_ready_is_not_entered(workspace: Workspace, secret: str, door: str) -> None:
    workspace.state = ProvisioningState.SUSPENDED
    workspace.save()

    integrator = at_host(workspace, secret) if door == "host" else at_api_host(secret)

    assert integrator.get("agents/").json()["code"] == "workspace_closed"


def test_every_answer_tells_how_many_calls_are_left(api: Integrator) -> None:
    first, second = api.get("agents/"), api.get("agents/nothing/")
    third = api.get("usage/")

    assert int(first["RateLimit-Limit"]) == 1000  # the trial's plan
    assert int(first["RateLimit-Remaining"]) == 999
    assert int(third["RateLimit-Remaining"]) <= 998
    assert second.status_code == 404


def test_past_the_hours_calls_it_is_said_when_to_come_back(
    workspace: Workspace, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("billing.throttling.ABUSE_CEILING", 2)
    monkeypatch.setattr("billing.throttling.standing_of", lambda _: _Unlimited)
    integrator = at_host(workspace, secret)

    answers = [integrator.get("agents/") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["code"] == "rate_limited"
    assert int(answers[2]["Retry-After"]) > 60
    assert answers[2]["RateLimit-Remaining"] == "0"


class _Unlimited:
    from billing.plans import PLANS, Tier

    limits = PLANS[Tier.BUSINESS].limits


def test_the_schema_and_the_reference_are_open_to_all_at_both_hosts(workspace: Workspace) -> None:
    for host, root in (("acme.localhost", "/api/v1/"), ("api.localhost", "/v1/")):
        client = Client(headers={"host": host})
        schema = client.get(f"{root}schema/").json()
        page = client.get(f"{root}docs/").content.decode()

        assert schema["openapi"].startswith("3.")
        assert f"{root}agents/" in schema["paths"]
        assert f"{root}agents/{{id}}/" in page or f"{root}agents/" in page
