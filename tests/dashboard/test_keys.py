"""API keys, as an admin makes and revokes them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tenants import keys
from tenants.context import in_tenant, platform
from tenants.models import ApiKey, AuditEvent, Workspace

NEW = {"name": "CMS sync", "scopes": ["read:knowledge", "write:knowledge"], "expires": "30"}
SECRET = re.compile(r"nvx_live_[\w-]{40,}")


def test_a_key_is_shown_once_and_works(owner_client: Client, workspace: Workspace) -> None:
    response = owner_client.post("/api-keys/new/", NEW)
    secret = SECRET.search(response.content.decode())

    assert secret
    recognised = keys.recognise(secret[0])
    assert recognised is not None
    assert recognised.workspace_id == workspace.pk
    assert recognised.scopes == NEW["scopes"]
    assert recognised.expires_at is not None
    assert timedelta(days=29) < recognised.expires_at - timezone.now() <= timedelta(days=30)
    assert "no-store" in response["Cache-Control"]
    assert not SECRET.search(owner_client.get("/api-keys/").content.decode())


def test_a_key_may_work_for_ever(owner_client: Client, workspace: Workspace) -> None:
    owner_client.post("/api-keys/new/", {**NEW, "expires": "never"})

    with platform():
        assert ApiKey.objects.get(workspace=workspace).expires_at is None


def test_the_log_holds_no_secret(owner_client: Client, workspace: Workspace) -> None:
    secret = SECRET.search(owner_client.post("/api-keys/new/", NEW).content.decode())

    assert secret
    with platform():
        event = AuditEvent.objects.get(workspace=workspace)
    assert event.action == "api_key.created"
    assert secret[0] not in f"{event.subject}{event.before}{event.after}"


@pytest.mark.parametrize(
    "given",
    [{**NEW, "name": ""}, {**NEW, "scopes": []}, {**NEW, "scopes": ["all"]}, {**NEW, "expires": "9999"}],
)
def test_a_wrong_form_makes_no_key(
    given: dict[str, object], owner_client: Client, workspace: Workspace
) -> None:
    response = owner_client.post("/api-keys/new/", given)

    assert response.status_code == 422
    assert 'aria-invalid="true"' in response.content.decode()
    with platform():
        assert not ApiKey.objects.filter(workspace=workspace).exists()


def test_a_revoked_key_is_refused_and_gone_from_the_list(owner_client: Client, workspace: Workspace) -> None:
    with in_tenant(workspace):
        new = keys.make_key(name="Old", scopes=[keys.Scope.ADMIN], created_by=None)

    owner_client.post(f"/api-keys/{new.row.pk}/revoke/")

    assert keys.recognise(new.secret) is None
    assert new.row.prefix not in owner_client.get("/api-keys/").content.decode()


def test_a_key_of_another_workspace_is_not_found(
    owner_client: Client, workspace: Workspace, other_workspace: Workspace
) -> None:
    with in_tenant(other_workspace):
        new = keys.make_key(name="Theirs", scopes=[keys.Scope.ADMIN], created_by=None)

    assert owner_client.post(f"/api-keys/{new.row.pk}/revoke/").status_code == 404
    assert keys.recognise(new.secret) is not None


def test_a_name_is_shown_as_it_was_typed(owner_client: Client) -> None:
    shown = owner_client.post("/api-keys/new/", {**NEW, "name": "<script>alert(1)</script>"}).content.decode()

    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert" in shown
