"""What the chat's tests share. The product is imported late: pytest reads this before the servers stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from agents.models import Agent
    from tenants.models import Workspace


@pytest.fixture
def agent(workspace: Workspace) -> Agent:
    """An agent of `workspace` that knows a little shop's terms."""
    from tests.chat.visitor import agent_of

    return agent_of(workspace)
