"""Who gets into which page of a workspace: every page, every kind of visitor."""

from __future__ import annotations

import pytest
from django.test import Client

from tenants.models import Role
from tests.plugins.people import ClientAs

ID = "01890000-0000-7000-8000-000000000000"
READ = ["/leads/", "/leads/export/", "/members/", "/plan/", "/api-keys/", "/settings/", "/audit-log/"]
SEND = [
    "/members/invite/",
    "/members/leave/",
    f"/members/{ID}/role/",
    f"/members/{ID}/remove/",
    f"/members/invitations/{ID}/resend/",
    f"/members/invitations/{ID}/withdraw/",
    "/api-keys/new/",
    f"/api-keys/{ID}/revoke/",
    "/settings/",
]
FOR_EVERYBODY = ["/leads/", "/leads/export/", "/members/", "/plan/"]
FOR_ADMINS = ["/api-keys/", "/settings/", "/audit-log/"]


@pytest.mark.parametrize("path", READ)
def test_the_anonymous_are_sent_to_the_log_in(path: str, anonymous_client: Client) -> None:
    response = anonymous_client.get(path)

    assert response.status_code == 302
    assert response["Location"].startswith("/log-in/?next=")


@pytest.mark.parametrize("path", READ)
def test_for_a_stranger_the_page_does_not_exist(path: str, stranger_client: Client) -> None:
    assert stranger_client.get(path).status_code == 404


@pytest.mark.parametrize("path", SEND)
def test_the_anonymous_and_strangers_change_nothing(
    path: str, anonymous_client: Client, stranger_client: Client
) -> None:
    assert anonymous_client.post(path).status_code == 302
    assert stranger_client.post(path).status_code == 404


@pytest.mark.parametrize("path", FOR_EVERYBODY)
def test_a_viewer_reads(path: str, client_as: ClientAs) -> None:
    assert client_as(Role.VIEWER).get(path).status_code == 200


@pytest.mark.parametrize("path", FOR_ADMINS)
def test_a_support_agent_does_not_enter_what_is_for_admins(path: str, client_as: ClientAs) -> None:
    assert client_as(Role.AGENT).get(path).status_code == 403


@pytest.mark.parametrize("path", [path for path in SEND if path != "/members/leave/"])
def test_a_support_agent_does_not_change_the_workspace(path: str, client_as: ClientAs) -> None:
    assert client_as(Role.AGENT).post(path).status_code == 403


@pytest.mark.parametrize("path", READ)
def test_an_admin_reads_all(path: str, client_as: ClientAs) -> None:
    assert client_as(Role.ADMIN).get(path).status_code == 200


@pytest.mark.parametrize("path", [path for path in SEND if ID in path and "role" not in path])
def test_what_is_not_in_this_workspace_is_not_found(path: str, owner_client: Client) -> None:
    assert owner_client.post(path).status_code == 404


@pytest.mark.parametrize("path", [path for path in SEND if path != "/settings/"])
def test_what_changes_something_is_not_a_link(path: str, owner_client: Client) -> None:
    assert owner_client.get(path).status_code == 405
