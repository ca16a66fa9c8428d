"""A workspace's host while its schema is being built."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.test import Client

from tenants import handover
from tenants.context import platform
from tenants.models import ProvisioningState, User, Workspace
from tests.plugins.people import client_of

pytestmark = pytest.mark.django_db
PAGE = {"accept": "text/html"}


def put(workspace: Workspace, state: ProvisioningState) -> None:
    with platform():
        Workspace.objects.filter(pk=workspace.pk).update(state=state, error="build_schema: out of space")


@pytest.mark.parametrize("path", ["/", "/welcome/", "/agents/", "/anything/at/all"])
def test_every_page_says_so_and_asks_again(anonymous_client: Client, workspace: Workspace, path: str) -> None:
    put(workspace, ProvisioningState.BUILDING)

    response = anonymous_client.get(path, headers=PAGE)

    assert response.status_code == 503
    assert 'http-equiv="refresh"' in response.content.decode()


def test_a_program_is_told_when_to_come_back(anonymous_client: Client, workspace: Workspace) -> None:
    put(workspace, ProvisioningState.PENDING)

    response = anonymous_client.get("/api/v1/agents/", headers={"accept": "application/json"})

    assert (response.status_code, response.json()["code"]) == (503, "workspace_not_ready")
    assert response["Retry-After"] == "2"


def test_one_is_logged_in_before_the_schema_stands(workspace: Workspace) -> None:
    put(workspace, ProvisioningState.BUILDING)
    address = urlsplit(handover.address_of(workspace, User.objects.get(), login_id="x", path="/welcome/"))
    client = client_of(workspace)

    assert client.get(f"{address.path}?{address.query}")["Location"] == "/welcome/"

    put(workspace, ProvisioningState.READY)
    assert client.get("/welcome/")["Location"] == "/welcome/agent/"


def test_a_failure_is_told_without_its_details_and_a_member_may_retry(
    owner_client: Client, workspace: Workspace
) -> None:
    put(workspace, ProvisioningState.FAILED)

    page = owner_client.get("/", headers=PAGE).content.decode()

    assert "could not be prepared" in page
    assert "out of space" not in page
    assert owner_client.post("/preparing/retry/").status_code == 302


def test_strangers_retry_nothing(
    stranger_client: Client, anonymous_client: Client, workspace: Workspace
) -> None:
    put(workspace, ProvisioningState.FAILED)

    assert stranger_client.post("/preparing/retry/").status_code == 404
    assert anonymous_client.post("/preparing/retry/").status_code == 404
