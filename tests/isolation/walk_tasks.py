"""Background work: called for one workspace with another's ids, it finds nothing, changes nothing, tells nothing."""

from __future__ import annotations

import pytest
from django.core import mail

from netvexa.celery import app as celery
from tenants.context import PlatformTask, TenantTask
from tests.isolation import surface
from tests.isolation.registry import COMMANDS, TASKS
from tests.isolation.world import World, digest_of, make_world

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_task_and_command_says_what_it_does_with_workspaces() -> None:
    unknown = (surface.tasks().keys() - TASKS.keys()) | (surface.commands() - COMMANDS.keys())

    assert not unknown, f"Add {sorted(unknown)} to TASKS or COMMANDS of tests/isolation/registry.py."


def test_a_task_works_in_one_workspace_or_for_the_platform() -> None:
    for name, kind in surface.tasks().items():
        if isinstance(TASKS[name], str):
            assert issubclass(kind, PlatformTask) or name == "tenants.tasks.deliver_mail", name
        else:
            assert issubclass(kind, TenantTask), name


def test_no_task_of_a_workspace_reaches_anothers_rows() -> None:
    own, victim = make_world("acme"), make_world("rival")
    before = digest_of(victim)

    for name in surface.tasks():
        given = TASKS[name]
        if not isinstance(given, str):
            celery.tasks[name].apply(args=(str(own.workspace.pk), *given(victim)))

    assert digest_of(victim) == before
    assert told(victim) == []


def test_the_same_task_in_its_own_workspace_does_tell() -> None:
    world = make_world("rival")

    celery.tasks["chat.tasks.notify_lead"].apply(args=(str(world.workspace.pk), str(world.ids["lead"])))

    assert told(world) != []


def told(world: World) -> list[str]:
    """The mails that hold the workspace's canary."""
    return [
        str(letter.subject) for letter in mail.outbox if world.canary in f"{letter.subject} {letter.body}"
    ]
