"""Personal data and secrets stand sealed in the database, and are found and shown as before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import FieldError
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from agents.models import Agent, ModelSettings
from chat.models import Conversation, Lead, Visitor
from netvexa.lib import master_key
from netvexa.lib.sealing import CannotOpen
from tenants import data_keys, resealing
from tenants.context import identity, in_tenant, owner, platform
from tenants.models import DataKey, Workspace

SECRET = "Ada Lovelace"
ADDRESS = "ada@lovelace.example"


@pytest.fixture
def lead(inside: Workspace) -> Lead:
    """What a visitor left, in a workspace with one of each sealed field."""
    agent = Agent.objects.create(name="Mia", identity_secret=SECRET)
    ModelSettings.objects.create(keys={"openai": {"key": SECRET}})
    visitor = Visitor.objects.create(name=SECRET, email=ADDRESS)
    talk = Conversation.objects.create(agent=agent, visitor=visitor)
    extra = {"order": SECRET}
    return Lead.objects.create(
        conversation=talk, name=SECRET, email=ADDRESS, phone=SECRET, company=SECRET, extra=extra
    )


def stored(workspace: Workspace) -> str:
    """Everything that the database holds in the tables with sealed fields, as text."""
    found = ""
    with owner(workspace.schema_name), connection.cursor() as cursor:
        for table in {model._meta.db_table for model, _ in resealing.sealed_fields()}:
            cursor.execute(f"SELECT string_agg(t::text, ' ') FROM {table} t")  # noqa: S608  our own table
            found += cursor.fetchone()[0] or ""
    return found


def unseal_by_hand(workspace: Workspace) -> None:
    """As rows stood before there was sealing."""
    with owner(workspace.schema_name), connection.cursor() as cursor:
        cursor.execute("UPDATE chat_lead SET name = 'Plain Jane', extra = '{\"order\": \"4711\"}'")


@pytest.mark.django_db
def test_the_database_holds_neither_names_nor_secrets(lead: Lead, workspace: Workspace) -> None:
    held = stored(workspace)

    assert str(lead.pk) in held
    assert SECRET not in held
    assert ADDRESS not in held


@pytest.mark.django_db
def test_what_was_sealed_reads_as_before(lead: Lead) -> None:
    read = Lead.objects.select_related("conversation__visitor", "conversation__agent").get()

    assert (read.name, read.email, read.extra) == (SECRET, ADDRESS, {"order": SECRET})
    assert read.conversation is not None
    assert read.conversation.visitor.email == ADDRESS
    assert read.conversation.agent.identity_secret == SECRET
    assert ModelSettings.current().keys == {"openai": {"key": SECRET}}


@pytest.mark.django_db
def test_an_address_is_found_however_it_is_written_and_another_is_not(lead: Lead) -> None:
    assert Lead.objects.get(email=" Ada@Lovelace.example ") == lead
    assert not Lead.objects.filter(email="ada@lovelace.example.org").exists()
    assert Visitor.objects.filter(email="").count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize("look_up", [{"name": "Ada"}, {"email__icontains": "ada"}, {"extra__order": "1"}])
def test_a_look_up_that_could_never_find_anything_is_refused(lead: Lead, look_up: dict[str, str]) -> None:
    with pytest.raises(FieldError):
        list(Lead.objects.filter(**look_up))


@pytest.mark.django_db
def test_the_pages_search_by_part_of_a_name_and_by_the_whole_address(
    lead: Lead, owner_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert SECRET in owner_client.get("/leads/", {"q": "lovel"}).content.decode()
    assert SECRET in owner_client.get("/conversations/", {"q": "lovel"}).content.decode()
    monkeypatch.setattr("chat.seeking.NEWEST", 0)
    assert SECRET not in owner_client.get("/leads/", {"q": "lovel"}).content.decode()
    assert SECRET in owner_client.get("/leads/", {"q": ADDRESS.upper()}).content.decode()


@pytest.mark.django_db
def test_a_sealed_value_opens_in_no_other_column_and_no_other_workspace(
    inside: Workspace, other_workspace: Workspace
) -> None:
    sealed = data_keys.seal(SECRET, "chat_lead.name")

    assert data_keys.open_text(sealed, "chat_lead.name") == SECRET
    with pytest.raises(CannotOpen):
        data_keys.open_text(sealed, "chat_lead.phone")
    with in_tenant(other_workspace), pytest.raises(CannotOpen):
        data_keys.open_text(sealed, "chat_lead.name")


@pytest.mark.django_db
def test_rows_from_before_read_as_they_are_and_are_sealed_by_the_command(
    lead: Lead, workspace: Workspace
) -> None:
    unseal_by_hand(workspace)
    assert Lead.objects.get().name == "Plain Jane"

    call_command("rotate_keys", "rows", workspace="acme")

    assert "Plain Jane" not in stored(workspace)
    assert "4711" not in stored(workspace)
    assert (Lead.objects.get().name, Lead.objects.get().extra) == ("Plain Jane", {"order": "4711"})


@pytest.mark.django_db
def test_a_new_data_key_seals_everything_anew_and_the_old_one_goes(lead: Lead, workspace: Workspace) -> None:
    call_command("rotate_keys", "data", workspace="acme")

    assert f"{data_keys.PREFIX}1." not in stored(workspace)
    assert Lead.objects.get(email=ADDRESS).name == SECRET
    with platform():
        assert DataKey.objects.count() == 2, "another process may seal with the old one for a minute yet"
        DataKey.objects.update(created_at=timezone.now() - timedelta(hours=2))
    resealing.reseal(workspace)
    with platform():
        assert [key.generation for key in DataKey.objects.all()] == [2]
    data_keys.forget_ring(workspace)
    assert Lead.objects.get().name == SECRET


@pytest.mark.django_db
def test_a_process_that_knows_the_old_key_only_reads_what_a_newer_one_has_sealed(inside: Workspace) -> None:
    data_keys.seal("fills this process' memory", "x")
    with platform():
        data_keys.make(inside, generation=2)
    before = dict(data_keys._rings)
    data_keys.forget_ring(inside)
    sealed = data_keys.seal(SECRET, "x")
    data_keys._rings.update(before)

    assert data_keys.open_text(sealed, "x") == SECRET


@pytest.mark.django_db
def test_after_the_master_key_is_changed_the_old_one_is_not_needed(
    lead: Lead, workspace: Workspace, settings: Any
) -> None:
    settings.MASTER_KEYS = ["new" * 12]
    call_command("rotate_keys", "master")
    settings.SECRET_KEY = "another, so that what it had wrapped is lost"
    _forget(workspace)

    assert Lead.objects.get().name == SECRET
    settings.MASTER_KEYS = ["wrong" * 10]
    _forget(workspace)
    with pytest.raises(CannotOpen):
        Lead.objects.get()


@pytest.mark.django_db
def test_aws_wraps_the_data_keys_and_names_the_workspace_to_do_it(
    lead: Lead, workspace: Workspace, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import boto3
    from moto import mock_aws

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        settings.MASTER_KEY_KMS = boto3.client("kms", "eu-central-1").create_key()["KeyMetadata"]["Arn"]
        call_command("rotate_keys", "master")
        _forget(workspace)

        assert Lead.objects.get().name == SECRET
        with platform():
            row = DataKey.objects.get(workspace=workspace)
        assert row.wrapped_by == f"aws {settings.MASTER_KEY_KMS}"
        with pytest.raises(CannotOpen):
            master_key.unwrap(row.wrapped, wrapped_by=row.wrapped_by, owner="another workspace")


@pytest.mark.django_db
def test_the_application_may_read_its_own_key_only_and_change_none(
    inside: Workspace, other_workspace: Workspace
) -> None:
    with identity():
        assert {key.workspace_id for key in DataKey.objects.all()} == {inside.pk}
        with pytest.raises(Exception, match="permission denied"):
            DataKey.objects.all().delete()


def _forget(workspace: Workspace) -> None:
    data_keys.forget_ring(workspace)
    master_key._unwrapped.cache_clear()
    master_key._of_aws.cache_clear()
