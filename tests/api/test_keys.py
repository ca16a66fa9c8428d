"""API keys: how they look, where from and how often they work, and how one replaces another."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tenants import keys
from tenants.context import in_tenant, platform
from tenants.keys import Scope
from tenants.models import ApiKey, AuditEvent, Workspace
from tests.plugins.integrators import at_api_host, at_host, new_key

pytestmark = pytest.mark.django_db
DOCUMENTED = re.compile(r"\bnvx_live_[0-9A-Za-z]{49}\b")


def limited(workspace: Workspace, **limits: object) -> keys.NewKey:
    with in_tenant(workspace):
        return keys.make_key(name="CI", scopes=[Scope.ADMIN], created_by=None, **limits)  # type: ignore[arg-type]


def test_a_scanner_finds_a_key_and_its_checksum_tells_it_from_chance(secret: str) -> None:
    found = DOCUMENTED.findall(f"curl -H 'Authorization: Bearer {secret}' # leaked")

    assert found == [secret]
    assert keys.is_well_formed(secret)
    assert not keys.is_well_formed(secret[:-1] + ("a" if secret[-1] != "a" else "b"))


@pytest.mark.parametrize(
    ("networks", "status"),
    [(["127.0.0.0/8"], 200), (["192.0.2.0/24", "127.0.0.1/32"], 200), (["192.0.2.0/24"], 403), ([], 200)],
)
def test_a_key_works_from_its_addresses_only(workspace: Workspace, networks: list[str], status: int) -> None:
    secret = limited(workspace, allowed_addresses=networks).secret

    for integrator in (at_host(workspace, secret), at_api_host(secret)):
        assert integrator.get("agents/").status_code == status


@pytest.mark.parametrize(
    ("networks", "address", "status"),
    [
        (["2001:db8::/32"], "2001:db8:1::7", 200),
        (["2001:db8::/32"], "2001:db9::1", 403),
        (["192.0.2.0/24"], "::ffff:192.0.2.9", 200),  # as a socket for both versions tells it
        (["192.0.2.0/24"], "::192.0.2.9", 403),
        (["0.0.0.0/0"], "2001:db8::1", 403),
        (["::/0"], "192.0.2.9", 403),
        (["192.0.2.9"], "", 403),
    ],
)
def test_networks_of_both_versions_are_told_apart(
    workspace: Workspace, networks: list[str], address: str, status: int
) -> None:
    secret = limited(workspace, allowed_addresses=networks).secret

    answer = at_host(workspace, secret).client.get("/api/v1/agents/", REMOTE_ADDR=address)

    assert answer.status_code == status


def test_a_forwarded_address_is_not_believed(workspace: Workspace) -> None:
    integrator = at_host(workspace, limited(workspace, allowed_addresses=["192.0.2.0/24"]).secret)

    answer = integrator.client.get("/api/v1/agents/", headers={"X-Forwarded-For": "192.0.2.1"})

    assert answer.status_code == 403
    assert answer.json()["code"] == "address_not_allowed"


def test_a_replaced_key_works_on_for_a_while_beside_the_new_one(workspace: Workspace) -> None:
    old = limited(workspace, allowed_addresses=["127.0.0.1/32"], hourly_limit=50)

    with in_tenant(workspace):
        new = keys.rotate(old.row, overlap=timedelta(hours=1), by=None)

    assert at_host(workspace, old.secret).get("agents/").status_code == 200
    assert at_host(workspace, new.secret).get("agents/").status_code == 200
    assert (new.row.scopes, new.row.hourly_limit) == (old.row.scopes, 50)
    assert new.row.allowed_addresses == ["127.0.0.1/32"]
    with platform():
        ApiKey.objects.filter(pk=old.row.pk).update(expires_at=timezone.now())
    assert at_host(workspace, old.secret).get("agents/").status_code == 401
    assert at_host(workspace, new.secret).get("agents/").status_code == 200


def test_an_overlap_never_lengthens_a_keys_life(workspace: Workspace) -> None:
    ends = timezone.now() + timedelta(minutes=5)
    old = limited(workspace, expires_at=ends)

    with in_tenant(workspace):
        keys.rotate(old.row, overlap=timedelta(days=7), by=None)

    assert old.row.expires_at == ends


def test_the_dashboard_replaces_a_key_and_shows_the_new_one_once(
    owner_client: Client, workspace: Workspace
) -> None:
    old = limited(workspace)

    page = owner_client.post(f"/api-keys/{old.row.pk}/rotate/", {"overlap": "24"}).content.decode()

    new = DOCUMENTED.search(page)
    assert new
    assert at_host(workspace, new[0]).get("agents/").status_code == 200
    with in_tenant(workspace):
        assert AuditEvent.objects.get().action == "api_key.rotated"


def test_the_dashboard_takes_networks_and_a_limit(owner_client: Client, workspace: Workspace) -> None:
    given = {"name": "CI", "scopes": ["admin"], "expires": "30", "hourly_limit": "50"}

    wrong = owner_client.post("/api-keys/new/", {**given, "allowed_addresses": "acme.example"})
    right = owner_client.post("/api-keys/new/", {**given, "allowed_addresses": "192.0.2.9/24, 2001:db8::1"})

    assert (wrong.status_code, right.status_code) == (422, 200)
    with platform():
        row = ApiKey.objects.get()
    assert row.allowed_addresses == ["192.0.2.0/24", "2001:db8::1/128"]
    assert row.hourly_limit == 50


def test_another_workspaces_key_is_not_replaced(owner_client: Client, other_workspace: Workspace) -> None:
    theirs = limited(other_workspace)

    assert owner_client.post(f"/api-keys/{theirs.row.pk}/rotate/", {"overlap": "1"}).status_code == 404


@pytest.mark.parametrize("scope", list(Scope))
def test_a_key_cannot_do_more_than_its_one_scope(workspace: Workspace, scope: Scope) -> None:
    integrator = at_host(workspace, new_key(workspace, scope).secret)
    reads = ("agents/", "sources/", "conversations/", "leads/", "usage/")

    allowed = {path for path in reads if integrator.get(path).status_code == 200}

    expected = {
        Scope.READ_AGENTS: {"agents/"},
        Scope.READ_KNOWLEDGE: {"sources/"},
        Scope.READ_CONVERSATIONS: {"conversations/"},
        Scope.READ_LEADS: {"leads/"},
        Scope.READ_ANALYTICS: {"usage/"},
        Scope.ADMIN: set(reads),
    }
    assert allowed == expected.get(scope, set())
