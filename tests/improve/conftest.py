"""What these tests share: the shop's agent of the chat's tests, and a hosted model of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.chat.conftest import agent
from tests.improve.hosted import says

if TYPE_CHECKING:
    from agents.models import Agent
    from tenants.models import Workspace

__all__ = ["agent", "says"]


@pytest.fixture
def tested(agent: Agent, workspace: Workspace) -> Agent:
    """The shop's agent, which must know how long delivery takes."""
    from tests.improve.test_test_sets import expect

    expect(workspace, agent, must=["three to five"])
    return agent
