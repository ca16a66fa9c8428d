"""Which host leads where, and what stands behind it."""

from __future__ import annotations

import pytest
from django.test import Client

from tenants.context import WorkspaceNotReady, current_workspace, in_tenant
from tenants.models import ProvisioningState, Workspace

pytestmark = pytest.mark.django_db


def test_an_unknown_host_is_not_found() -> None:
    assert Client(headers={"host": "nobody.localhost"}).get("/").status_code == 404


def test_a_foreign_host_is_not_found() -> None:
    assert Client(headers={"host": "evil.example"}).get("/").status_code == 404


def test_the_root_host_says_that_it_is_alive() -> None:
    assert Client(headers={"host": "localhost"}).get("/healthz").json() == {"status": "ok"}


def test_readiness_covers_database_and_redis() -> None:
    answer = Client(headers={"host": "localhost"}).get("/readyz")
    assert answer.json() == {"status": "ok", "database": True, "redis": True}


def test_a_workspace_is_entered_only_when_ready(workspace: Workspace) -> None:
    workspace.state = ProvisioningState.BUILDING
    with pytest.raises(WorkspaceNotReady), in_tenant(workspace):
        pytest.fail("entered")


def test_inside_a_workspace_the_code_knows_where_it_stands(workspace: Workspace) -> None:
    with in_tenant(workspace):
        assert current_workspace() == workspace
