"""A hosted model that says what a test wants, behind the product in this very process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from pytest_django import Settings

from tests.fakes.llm import FakeLLM

MODELS = ("gpt-6-luna", "gpt-6.1-terra", "gpt-6.1-sol", "gpt-6-astra")  # of all plans


@pytest.fixture
def says(fake_llm: FakeLLM, settings: Settings) -> Callable[..., None]:
    """Set what the hosted model says."""
    settings.OPENAI_BASE_URL = f"{fake_llm.url}/v1"

    def behave(text: str, **behaviour: Any) -> None:
        settings.OPENAI_API_KEY = f"sk-{uuid4().hex}"  # faults before are another key's
        for model in MODELS:
            fake_llm.behaves(model, says=text, **behaviour)

    return behave
