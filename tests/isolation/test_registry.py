"""Nothing that can be called from outside is forgotten: each thing has its line in the registry."""

from __future__ import annotations

import pytest

from tenants.context import PlatformTask, TenantTask
from tests.isolation import matrix, surface
from tests.isolation.registry import COMMANDS, FRAMES, SOCKETS, TASKS
from tests.isolation.surface import Route, routes

REGISTRY = "tests/isolation/registry.py"


def test_every_route_says_what_it_is_to_a_stranger() -> None:
    assert matrix.uncovered() == []


def test_a_route_without_a_line_is_told() -> None:
    (sentence,) = matrix.uncovered([Route("workspace", "brand-new/<uuid:agent_id>/")])

    assert "'workspace brand-new/<uuid:agent_id>/'" in sentence
    assert REGISTRY in sentence


def test_all_five_hosts_are_read() -> None:
    assert {route.host for route in routes()} == {"root", "workspace", "preparing", "api", "admin"}


@pytest.mark.django_db  # loading the tasks runs Django's checks
def test_every_task_and_command_says_what_it_does_with_workspaces() -> None:
    unknown = (surface.tasks().keys() - TASKS.keys()) | (surface.commands() - COMMANDS.keys())

    assert not unknown, f"Add {sorted(unknown)} to TASKS or COMMANDS of {REGISTRY}."


@pytest.mark.django_db  # loading the tasks runs Django's checks
def test_a_task_works_in_one_workspace_or_for_the_platform() -> None:
    for name, kind in surface.tasks().items():
        if not isinstance(TASKS[name], str):
            assert issubclass(kind, TenantTask), name
        elif name != "tenants.tasks.deliver_mail" and not name.startswith("billing."):
            assert issubclass(kind, PlatformTask), name


def test_every_frame_and_socket_says_how_it_would_be_misused() -> None:
    unknown = (surface.frames() - FRAMES.keys()) | (surface.sockets() - SOCKETS)

    assert not unknown, f"Add {sorted(unknown)} to FRAMES or SOCKETS of {REGISTRY}."


def test_no_module_uses_channel_groups() -> None:
    assert surface.channel_groups() == [], "Names of groups are shared by all workspaces: use chat.feed."
