"""Language models for tests: the vendors' fakes on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.llm import FakeLLM, running


@pytest.fixture(scope="session")
def fake_llm() -> Iterator[FakeLLM]:
    """One server for the run. Tests do not disturb each other: each has models of its own by `behaves()`."""
    with running() as fake:
        yield fake
