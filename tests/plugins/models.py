"""Language models for tests: the vendors' fakes on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.llm import FakeLLM, running


@pytest.fixture(scope="session")
def fake_llm() -> Iterator[FakeLLM]:
    """One server for the run. A test has models of its own by `behaves()`, or a vendor's for as long as it runs."""
    with running() as fake:
        yield fake


@pytest.fixture(autouse=True)
def _vendors_as_before(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test makes a vendor's model do is forgotten after it."""
    if "fake_llm" not in request.fixturenames:
        yield
        return
    fake: FakeLLM = request.getfixturevalue("fake_llm")
    before = dict(fake.behaviours)
    yield
    fake.behaviours = before
    fake.requests.clear()
