"""Every way a provider fails, as a visitor meets it: a whole answer from elsewhere, or one that says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from agents.models import Agent
from tenants.models import Workspace
from tests.chat.visitor import chatting
from tests.fakes.llm import FakeLLM
from tests.faults import chats as many
from tests.plugins.processes import Site

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def site_of_fakes(fake_llm: FakeLLM, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("upstream")
    with many.site_with_models(fake_llm, folder, ANTHROPIC_BASE_URL=fake_llm.url) as site:
        yield site


@pytest.mark.parametrize(
    "behaviour",
    [
        {"status": 429, "retry_after": 30},
        {"status": 500},
        {"status": 404, "message": "model not found"},
        {"cut_after": 0},
        {"malformed_at": 0},
        {"first_token_after": 12.0},
    ],
    ids=lambda behaviour: next(iter(behaviour.items())),
)
async def test_before_the_first_word_another_model_answers(
    site_of_fakes: Site, agent: Agent, workspace: Workspace, fake_llm: FakeLLM, behaviour: dict[str, Any]
) -> None:
    many.models(fake_llm, "openai", **behaviour)
    many.models(fake_llm, "anthropic", words=many.WORDS)
    async with chatting(site_of_fakes, agent) as chat:
        end = await chat.answer(many.QUESTION)
    assert len(end["text"].split()) == many.WORDS
    assert "stopped" not in end
    many.assert_once_and_in_order(chat.numbered())


@pytest.mark.parametrize(
    "behaviour", [{"cut_after": 9}, {"malformed_at": 9}, {"error_event_at": 9}], ids=lambda b: next(iter(b))
)
async def test_once_words_were_shown_the_answer_stays_and_says_that_it_broke_off(
    site_of_fakes: Site, agent: Agent, workspace: Workspace, fake_llm: FakeLLM, behaviour: dict[str, Any]
) -> None:
    for provider in ("openai", "anthropic"):
        many.models(fake_llm, provider, gap=0.02, **behaviour)
    async with chatting(site_of_fakes, agent) as chat:
        end = await chat.answer(many.QUESTION)
    assert end["stopped"] == "error"
    assert end["text"].startswith("word0 word1")
    await many.settled(workspace, chats=1)
