"""Where things of a workspace lie beside its tables: files, search, groups."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db.models import FileField
from django.test import Client

from knowledge import retrieval
from tenants.context import in_tenant
from tests.isolation import surface
from tests.isolation.registry import FILES
from tests.isolation.world import TENANT_APPS, World, make_world

pytestmark = pytest.mark.django_db
HOSTS = ("localhost", "acme.localhost", "rival.localhost", "api.localhost", "admin.localhost")


def file_fields() -> set[str]:
    return {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        if model._meta.app_label in TENANT_APPS
        for field in model._meta.get_fields()
        if isinstance(field, FileField)
    }


def files_of(world: World) -> dict[str, str]:
    """The name in the storage of a file of each kind that the workspace has."""
    found = {}
    with in_tenant(world.workspace):
        for label in file_fields():
            model, _, name = label.rpartition(".")
            row = apps.get_model(model).objects.exclude(**{name: ""}).first()
            if row is not None:
                found[label] = getattr(row, name).name
    return found


def test_every_field_of_files_says_where_they_stand() -> None:
    unknown = file_fields() - FILES.keys()

    assert not unknown, f"Add {sorted(unknown)} to FILES of tests/isolation/registry.py."


def test_files_stand_under_the_workspaces_own_key() -> None:
    world = make_world("rival")
    found = files_of(world)

    assert len(found) >= 2
    for label, name in found.items():
        assert name.startswith(FILES[label].format(key=world.workspace.key)), label


def test_no_host_serves_the_storage() -> None:
    world = make_world("rival")

    for host in HOSTS:
        for name in files_of(world).values():
            assert Client(headers={"host": host}).get(f"/media/{name}").status_code in (302, 404)


def test_search_finds_nothing_of_another_workspace() -> None:
    own, victim = make_world("acme"), make_world("rival")
    question = f"What is the secret word {victim.canary}?"

    with in_tenant(own.workspace):
        found = [retrieval.search(question, agent_id=one.agent.pk) for one in (own, victim)]
    with in_tenant(victim.workspace):
        control = retrieval.search(question, agent_id=victim.agent.pk)

    assert victim.canary not in str(found).replace(question, "")
    assert victim.canary in str(control.passages)


def test_no_module_uses_channel_groups() -> None:
    assert surface.channel_groups() == [], "Names of groups are shared by all: prove them here first."
