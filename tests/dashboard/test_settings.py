"""Settings of the workspace and its audit log."""

from __future__ import annotations

import pytest
from django.test import Client

from tenants.context import platform
from tenants.models import AuditEvent, Workspace


def saved(workspace: Workspace) -> Workspace:
    row: Workspace = Workspace.objects.get(pk=workspace.pk)
    return row


def note(workspace: Workspace, **fields: object) -> None:
    with platform():
        AuditEvent.objects.create(workspace=workspace, **fields)


def test_name_and_time_zone_are_changed_and_noted(owner_client: Client, workspace: Workspace) -> None:
    response = owner_client.post("/settings/", {"name": "Acme Ltd", "time_zone": "Europe/Berlin"})

    assert response.status_code == 302
    assert (saved(workspace).name, saved(workspace).time_zone) == ("Acme Ltd", "Europe/Berlin")
    shown = owner_client.get("/audit-log/").content.decode()
    assert "workspace.changed" in shown
    assert "Acme Ltd" in shown


@pytest.mark.parametrize(
    "given",
    [
        {"name": "", "time_zone": "UTC"},
        {"name": "x" * 81, "time_zone": "UTC"},
        {"name": "A", "time_zone": "Mars"},
    ],
)
def test_a_wrong_setting_changes_nothing(
    given: dict[str, str], owner_client: Client, workspace: Workspace
) -> None:
    response = owner_client.post("/settings/", given)

    assert response.status_code == 422
    assert (saved(workspace).name, saved(workspace).time_zone) == ("Acme", "UTC")


def test_the_address_cannot_be_changed(owner_client: Client, workspace: Workspace) -> None:
    owner_client.post("/settings/", {"name": "Acme", "time_zone": "UTC", "slug": "other", "key": "other"})

    assert (saved(workspace).slug, saved(workspace).key) == (workspace.slug, workspace.key)


def test_the_log_is_filtered_by_action_and_person(owner_client: Client, workspace: Workspace) -> None:
    note(workspace, actor="mia@acme.example", action="member.removed", subject="Somebody")
    note(workspace, actor="tom@acme.example", action="api_key.created", subject="A key")

    by_action = owner_client.get("/audit-log/", {"action": "api_key.created"}).content.decode()
    by_person = owner_client.get("/audit-log/", {"actor": "MIA"}).content.decode()

    assert "A key" in by_action
    assert "Somebody" not in by_action
    assert "Somebody" in by_person
    assert "A key" not in by_person


@pytest.mark.parametrize("query", [{"actor": "\0"}, {"action": "nothing"}, {"page": "x"}, {"page": "999"}])
def test_a_strange_filter_is_answered(query: dict[str, str], owner_client: Client) -> None:
    assert owner_client.get("/audit-log/", query).status_code == 200


def test_the_log_of_another_workspace_is_not_shown(
    owner_client: Client, workspace: Workspace, other_workspace: Workspace
) -> None:
    note(other_workspace, actor="owner@rival.example", action="member.removed", subject="Secret")

    assert "Secret" not in owner_client.get("/audit-log/").content.decode()


def test_a_long_log_has_pages_that_keep_the_filter(owner_client: Client, workspace: Workspace) -> None:
    for number in range(51):
        note(workspace, actor="mia@acme.example", action="member.removed", subject=f"Person {number}")

    first = owner_client.get("/audit-log/", {"actor": "mia"}).content.decode()

    assert "Page 1 of 2" in first
    assert "?actor=mia&amp;page=2" in first
