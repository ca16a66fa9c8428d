"""What the tests of logging in share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tenants.models import User, Workspace


@pytest.fixture(autouse=True)
def _no_attempts_yet() -> Iterator[None]:
    from django.core.cache import cache

    yield
    cache.clear()


@pytest.fixture
def person(workspace: Workspace) -> User:
    """The owner of the workspace."""
    from tenants.models import User

    return User.objects.get(email="owner@acme.example")
