"""Deleting a workspace: asked for in earnest, thirty days to come back, then everything, with proof."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from redis import Redis

from agents.models import Agent
from chat import persons
from chat.models import Visitor
from netvexa import departure
from netvexa.tasks import delete_workspaces
from tenants import receipts
from tenants.context import in_tenant, owner, platform
from tenants.models import AuditEvent, DataKey, Domain, ErasureReceipt, Membership, Role, User, Workspace
from tests.plugins.people import PASSWORD, ClientAs, client_of

pytestmark = pytest.mark.django_db


def ask(client: Client, *, name: str = "Acme", password: str = PASSWORD) -> int:
    return client.post("/settings/delete/", {"name": name, "password": password}).status_code


def is_open(workspace: Workspace) -> bool:
    return bool(Workspace.objects.get(pk=workspace.pk).is_ready)


def end_grace(workspace: Workspace) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(deletion_due_at=timezone.now() - timedelta(minutes=1))
    tonight()


def tonight() -> None:
    with platform():
        departure.delete_due()


def schemas() -> set[str]:
    with owner(), connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace")
        return {name for (name,) in cursor.fetchall()}


def test_an_owner_closes_it_with_its_name_and_the_own_password(
    owner_client: Client, anonymous_client: Client, client_as: ClientAs, workspace: Workspace
) -> None:
    teammate = client_as(Role.AGENT)
    assert ask(owner_client) == 302

    page = owner_client.get("/", headers={"accept": "text/html"})
    assert page.status_code == 503
    assert "Restore the workspace" in page.content.decode()
    seen = teammate.get("/", headers={"accept": "text/html"}).content.decode()
    assert "is being deleted" in seen
    assert "Restore the workspace" not in seen
    outside = anonymous_client.get("/", headers={"accept": "text/html"}).content.decode()
    assert "This workspace is closed" in outside
    assert "owner@" not in outside


@pytest.mark.parametrize("given", [{"name": "Acne"}, {"password": "wrong"}, {"name": ""}])
def test_otherwise_nothing_happens(given: dict[str, str], owner_client: Client, workspace: Workspace) -> None:
    assert ask(owner_client, **given) == 422
    assert is_open(workspace)


def test_nobody_but_an_owner_may(
    client_as: ClientAs, stranger_client: Client, anonymous_client: Client, workspace: Workspace
) -> None:
    for role in (Role.ADMIN, Role.AGENT, Role.VIEWER):
        assert ask(client_as(role)) == 403
    assert ask(stranger_client) == 404
    assert ask(anonymous_client) == 302
    assert is_open(workspace)


def test_visitors_are_told_in_a_plain_sentence(owner_client: Client, workspace: Workspace) -> None:
    with in_tenant(workspace):
        agent = Agent.objects.create(name="Mia")
    ask(owner_client)

    answer = Client(headers={"host": "acme.localhost"}).get(f"/widget/{agent.public_id}/data/")

    assert (answer.status_code, answer.json()["code"]) == (403, "workspace_closed")
    assert answer.json()["detail"].startswith("This chat is closed.")
    tonight()
    assert workspace.schema_name in schemas()


def test_an_owner_has_it_back_and_nobody_else(
    owner_client: Client, client_as: ClientAs, stranger_client: Client, workspace: Workspace
) -> None:
    admin = client_as(Role.ADMIN)
    with in_tenant(workspace):
        Agent.objects.create(name="Mia")
    ask(owner_client)

    assert admin.post("/preparing/restore/").status_code == 403
    assert stranger_client.post("/preparing/restore/").status_code == 404
    assert not is_open(workspace)
    assert owner_client.post("/preparing/restore/").status_code == 302
    assert "Mia" in owner_client.get("/agents/").content.decode()
    with platform():
        actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"workspace.deletion_asked", "workspace.deletion_taken_back"} <= actions


@pytest.mark.django_db(transaction=True)
def test_after_the_grace_everything_is_gone_and_a_receipt_says_so(
    owner_client: Client, workspace: Workspace, other_workspace: Workspace, settings: object
) -> None:
    redis = Redis.from_url(settings.REDIS_URL)  # type: ignore[attr-defined]
    redis.set(f"nv:1:{workspace.key}:something", 1)
    default_storage.save(f"workspaces/{workspace.key}/chat/file", ContentFile(b"x"))
    with in_tenant(workspace):
        Visitor.objects.create(email="ada@lovelace.example")
        persons.erase(persons.find("ada@lovelace.example"), actor="owner@acme.example")
    ask(owner_client)

    Workspace.objects.filter(pk=workspace.pk).update(deletion_due_at=timezone.now())
    delete_workspaces()

    assert workspace.schema_name not in schemas()
    assert other_workspace.schema_name in schemas()
    assert not default_storage.exists(f"workspaces/{workspace.key}/chat/file")
    assert not redis.exists(f"nv:1:{workspace.key}:something")
    with platform():
        assert list(Workspace.objects.all()) == [other_workspace]
        assert Domain.objects.filter(domain="acme.localhost").count() == 0
        for model in (Membership, DataKey, AuditEvent):
            assert not model.objects.filter(workspace_id=workspace.pk).exists()
        row = ErasureReceipt.objects.get(workspace_id=workspace.pk)
    assert receipts.holds(row)
    assert "@" not in str(receipts.as_json(row))
    assert User.objects.filter(email="owner@acme.example").exists(), "a person's account is their own"
    assert owner_client.get("/").status_code == 404


def test_a_deletion_that_was_cut_short_is_taken_up_again(
    owner_client: Client, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(owner_client)
    with monkeypatch.context() as patch:
        patch.setattr("netvexa.departure._delete_rows", lambda _workspace: 1 / 0)
        end_grace(workspace)
    with platform():
        assert Workspace.objects.filter(pk=workspace.pk).exists()

    tonight()

    with platform():
        assert not Workspace.objects.exists()
        assert ErasureReceipt.objects.count() == 1


def test_a_workspace_that_a_backup_brought_back_is_closed_and_deleted_again(
    owner_client: Client, workspace: Workspace
) -> None:
    with platform():
        receipts.bury(workspace, visitors=[], leads=[], name=workspace.pk, is_workspace=True)

    call_command("apply_tombstones")

    assert not is_open(workspace)
    tonight()
    assert client_of(workspace).get("/").status_code == 404
