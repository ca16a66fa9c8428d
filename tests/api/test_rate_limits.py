"""How often the API is called: by plan, by key, by address, by cost, and without Redis."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.cache import cache

from billing.models import Entitlement
from billing.plans import Tier
from netvexa.lib import ratelimit
from netvexa.lib.client import believed, counted_as
from tenants.context import in_tenant, platform
from tenants.keys import Scope, make_key
from tenants.models import Workspace
from tests.plugins.integrators import at_host, new_key

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _buckets_full() -> Iterator[None]:
    yield
    cache.clear()
    ratelimit._local.clear()


def statuses(integrator: object, times: int, path: str = "agents/") -> list[int]:
    return [integrator.get(path).status_code for _ in range(times)]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("tier", "limit"),
    [(Tier.STARTER, 100), (Tier.GROWTH, 1000), (Tier.PROFESSIONAL, 5000), (Tier.BUSINESS, 50_000)],
)
def test_the_plan_says_how_many(workspace: Workspace, secret: str, tier: Tier, limit: int) -> None:
    with platform():
        Entitlement.objects.create(workspace=workspace, tier=tier)

    answer = at_host(workspace, secret).get("agents/")

    assert answer["RateLimit-Limit"] == str(limit)
    assert answer["RateLimit-Remaining"] == str(limit - 1)
    assert answer["RateLimit-Policy"] == f"{limit};w=3600"


def test_the_hundred_and_first_call_of_a_starter_is_refused(workspace: Workspace, secret: str) -> None:
    with platform():
        Entitlement.objects.create(workspace=workspace, tier=Tier.STARTER)
    integrator = at_host(workspace, secret)

    answers = statuses(integrator, 100)
    refused = integrator.get("agents/")

    assert set(answers) == {200}
    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 36


def test_a_keys_own_limit_leaves_the_plans_calls_to_others(workspace: Workspace, secret: str) -> None:
    with in_tenant(workspace):
        small = make_key(name="CI", scopes=[Scope.ADMIN], created_by=None, hourly_limit=10).secret

    assert statuses(at_host(workspace, small), 11) == [200] * 10 + [429]
    assert at_host(workspace, secret).get("agents/").status_code == 200


def test_one_workspaces_calls_are_not_anothers(
    workspace: Workspace, other_workspace: Workspace, secret: str
) -> None:
    statuses(at_host(workspace, secret), 5)

    answer = at_host(other_workspace, new_key(other_workspace, Scope.ADMIN).secret).get("agents/")

    assert answer["RateLimit-Remaining"] == "999"


def test_an_upload_costs_more_than_a_look(workspace: Workspace, secret: str) -> None:
    integrator = at_host(workspace, secret)
    before = int(integrator.get("agents/")["RateLimit-Remaining"])

    after = int(integrator.post("sources/", {})["RateLimit-Remaining"])

    assert before - after == 5


def test_an_address_is_stopped_before_its_key_is_looked_at(
    workspace: Workspace, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "API_CALLS_PER_ADDRESS", 3)
    guessing = at_host(workspace, "nvx_live_wrong")

    assert statuses(guessing, 2) == [401, 429]
    stopped = at_host(workspace, secret).get("agents/")
    assert stopped.status_code == 429
    told = [stopped[name] for name in ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Policy")]
    assert told == ["3", "0", "3;w=60"]
    assert 0 < int(stopped["Retry-After"]) <= 60


def test_without_redis_a_process_limits_by_itself(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "REDIS_URL", "redis://127.0.0.1:1")
    ratelimit.shared.cache_clear()
    with in_tenant(workspace):
        small = make_key(name="CI", scopes=[Scope.ADMIN], created_by=None, hourly_limit=10).secret
    try:
        assert statuses(at_host(workspace, small), 11) == [200] * 10 + [429]
    finally:
        ratelimit.shared.cache_clear()


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("198.51.100.1", ["192.0.2.1"], "198.51.100.1"),
        ("10.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", ["6.6.6.6, 192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", ["6.6.6.6, 192.0.2.1, 10.0.0.2"], "192.0.2.1"),
        ("10.0.0.1", ["nonsense"], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
    ],
)
def test_a_forwarded_address_is_believed_of_our_own_proxies_only(
    monkeypatch: pytest.MonkeyPatch, peer: str, forwarded: list[str], client: str
) -> None:
    monkeypatch.setattr(settings, "TRUSTED_PROXIES", ["10.0.0.0/8"])

    assert believed(peer, forwarded) == client


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::9", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("-", "-"),
    ],
)
def test_addresses_of_one_ipv6_network_count_as_one(address: str, counted: str) -> None:
    assert counted_as(address) == counted
