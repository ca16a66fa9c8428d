"""Two workspaces with everything in them, for what one may try at the other."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from tests.security.trap import Trap

if TYPE_CHECKING:
    from tests.isolation.world import World


@pytest.fixture
def acme(db: None) -> World:
    from tests.isolation.world import make_world

    return make_world("acme")


@pytest.fixture
def rival(db: None) -> World:
    from tests.isolation.world import make_world

    return make_world("rival")


@pytest.fixture
def trap() -> Iterator[Trap]:
    with Trap() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
