"""A question that was asked before is answered again at once, and only then."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.utils import timezone

from agents.models import Agent
from agents.providers import Usage
from chat import cache, conversations, turns
from chat.answers import Answer
from chat.conversations import Door
from chat.models import Attachment, CachedAnswer, CacheState, Channel, Message, Outcome
from chat.turns import Turn
from knowledge import documents, ingest, recall
from knowledge.embedding import DEFAULT_PROFILE, MULTILINGUAL_PROFILE
from knowledge.models import Chunk, Document
from tenants.models import Workspace

pytestmark = pytest.mark.django_db(transaction=True)
RETURNS = "How can I return an item?"


def a_turn(agent: Agent, question: str, **door: Any) -> Turn:
    accepted = turns.accept(
        Door(agent=agent, **door), client_id=uuid4(), text=question, writer=turns.new_writer("test")
    )
    assert accepted.turn is not None
    return accepted.turn


def an_answer(agent: Agent, text: str = "Within 30 days [1].", **other: Any) -> Answer:
    chunk = Chunk.objects.filter(agent_id=agent.pk).first()
    given: dict[str, Any] = {
        "text": text,
        "outcome": Outcome.ANSWERED,
        "grounded": True,
        "citations": [{"n": 1, "title": "Help", "snippet": text, "chunk": str(chunk.pk if chunk else "")}],
        "rung": "primary",
        "model": "openai:fake",
        "usage": Usage(900, 60, 1_500),
        "total_ms": 1_300,
        "receipt": {"attempts": [{}]},
    }
    return Answer(**{**given, **other})


def asked(agent: Agent, question: str = RETURNS, **answer: Any) -> Turn:
    """A question that was asked and answered, stored and kept if it may be."""
    turn, made = a_turn(agent, question), an_answer(agent, **answer)
    turns.store(turn, made, seq=1, shown={})
    cache.keep(turn, made)
    return turn


def found(agent: Agent, question: str, **door: Any) -> cache.Hit | None:
    agent.refresh_from_db()
    return cache.look_up(a_turn(agent, question, **door))


@pytest.mark.parametrize(
    "question",
    [RETURNS, "how can i RETURN an item", "How do I return an item?", "Please tell me how to return an item"],
)
def test_the_same_question_in_these_words_gets_the_kept_answer(
    inside: Workspace, agent: Agent, question: str
) -> None:
    asked(agent)
    hit = found(agent, question)
    assert hit is not None
    assert (hit.answer().text, hit.answer().cached, hit.answer().usage.cost_micro_usd) == (
        "Within 30 days [1].",
        True,
        0,
    )


@pytest.mark.parametrize(
    ("kept", "question"),
    [
        ("Does it cost ₽500?", "Does it cost ₺500?"),
        ("Is it stored at -5 degrees?", "Is it stored at 5 degrees?"),
        ("Is it 3.5 km to the shop?", "Is it 3/5 km to the shop?"),
        ("Is < allowed in names?", "Is > allowed in names?"),
        ("Do you support C?", "Do you support C*?"),
    ],
)
def test_words_are_not_the_same_where_signs_differ(kept: str, question: str) -> None:
    assert cache.words_in(kept) != cache.words_in(question)


@pytest.mark.parametrize(
    "question", ["how CAN i return an item", "“How can I return an item?!”", "How can I – return an (item) …"]
)
def test_case_and_punctuation_make_no_other_words(question: str) -> None:
    assert cache.words_in(question) == cache.words_in(RETURNS)


@pytest.mark.parametrize(
    ("kept", "question"),
    [
        ("How do I cancel my order?", "How do I not cancel my order?"),
        ("Can I return an item after 30 days?", "Can I return an item after 60 days?"),
        ("Do you deliver to Austria?", "Do you deliver to Australia?"),
        ("How long is delivery from Graz to Vienna?", "How long is delivery from Vienna to Graz?"),
        ("How do I turn on notifications?", "How do I turn off notifications?"),
        ("Is the parcel limit 5 kg?", "Is the parcel limit 5 lb?"),
        ("When do you open?", "When do you close?"),
        ("Do I need to pay for returns?", "Can I pay for returns?"),
        ("What does plan A include?", "What does plan B include?"),
        ("Wie kann ich bestellen?", "Wie kann ich nicht bestellen?"),
    ],
)  # fmt: skip
def test_a_question_that_only_looks_alike_is_asked_anew(
    inside: Workspace, agent: Agent, kept: str, question: str
) -> None:
    Agent.objects.filter(pk=agent.pk).update(cache_similarity=0.8)
    agent.refresh_from_db()
    asked(agent, kept)
    assert found(agent, kept) is not None
    assert found(agent, question) is None


def test_a_question_between_two_answers_gets_neither(inside: Workspace, agent: Agent) -> None:
    asked(agent)
    other = CachedAnswer.objects.get()
    other.pk, other.key, other.question, other.chunks = (
        uuid4(),
        "other",
        "Is there a way to return an item?",
        [uuid4()],
    )
    other._state.adding = True
    other.save()
    assert found(agent, "How do I return an item?") is None


def test_an_entry_dies_with_the_passage_it_cites(inside: Workspace, agent: Agent) -> None:
    asked(agent)
    CachedAnswer.objects.update(state=CacheState.PINNED)
    Document.objects.all().delete()
    assert found(agent, RETURNS) is None
    assert not CachedAnswer.objects.exists()


def test_new_knowledge_is_asked_anew_but_a_pinned_answer_stays(inside: Workspace, agent: Agent) -> None:
    asked(agent)
    documents.add_text(agent, title="More", text="Items can also be returned in the shop in Linz.")
    for document in Document.objects.unfinished():
        ingest.ingest(document.pk)
    assert found(agent, RETURNS) is None
    CachedAnswer.objects.update(state=CacheState.PINNED)
    assert found(agent, RETURNS) is not None


def test_an_agent_that_changed_answers_anew(inside: Workspace, agent: Agent) -> None:
    asked(agent)
    Agent.objects.filter(pk=agent.pk).update(version=agent.version + 1)
    assert found(agent, RETURNS) is None


def test_an_entry_ends_with_its_time_and_bridges_an_outage_for_a_day(inside: Workspace, agent: Agent) -> None:
    turn = asked(agent)
    CachedAnswer.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    assert found(agent, RETURNS) is None
    assert cache.look_up(turn, stale=True) is not None


def test_an_answer_with_a_thumb_down_is_not_given_again(inside: Workspace, agent: Agent) -> None:
    turn = asked(agent)
    conversations.give_feedback(turn.conversation_id, turn.answer_id, value=-1, comment="")
    assert found(agent, RETURNS) is None
    asked(agent, text="Another answer [1].")
    assert found(agent, RETURNS) is None


def test_a_thumb_down_on_a_repeated_answer_takes_it_out_as_well(inside: Workspace, agent: Agent) -> None:
    asked(agent)
    again = a_turn(agent, RETURNS)
    hit = cache.look_up(again)
    assert hit is not None
    turns.store(again, hit.answer(), seq=1, shown={})
    conversations.give_feedback(again.conversation_id, again.answer_id, value=-1, comment="")
    assert found(agent, RETURNS) is None


def test_what_is_like_a_banned_question_is_not_kept_or_given(inside: Workspace, agent: Agent) -> None:
    asked(agent)
    CachedAnswer.objects.update(state=CacheState.BANNED)
    asked(agent, "How do I return an item?")
    assert found(agent, RETURNS) is None
    assert found(agent, "Please tell me how to return an item") is None


@pytest.mark.parametrize(
    "question",
    ["Where is my order 1234567?", "Can you write to ada@acme.example?", "My name is Ada, can I return it?"],
)
def test_a_personal_question_is_not_kept(inside: Workspace, agent: Agent, question: str) -> None:
    asked(agent, question)
    assert not CachedAnswer.objects.exists()


@pytest.mark.parametrize(
    "answer",
    [
        {"outcome": Outcome.ABSTAINED},
        {"grounded": False},
        {"stopped": "budget"},
        {"receipt": {"why": "The day's budget is used up.", "attempts": [{}]}},
        {"receipt": {"attempts": [{}, {}]}},
    ],
)
def test_only_a_whole_answer_of_the_usual_model_is_kept(
    inside: Workspace, agent: Agent, answer: dict[str, Any]
) -> None:
    asked(agent, **answer)
    assert not CachedAnswer.objects.exists()


def test_a_question_that_leans_on_the_one_before_is_asked_anew(inside: Workspace, agent: Agent) -> None:
    asked(agent, "How long does it take?")
    first = asked(agent, "Do you deliver to Austria?")
    door = {"conversation_id": first.conversation_id}
    assert found(agent, "How long does it take?", **door) is None
    assert CachedAnswer.objects.count() == 2


def test_a_question_with_a_file_neither_fills_nor_uses_the_cache(inside: Workspace, agent: Agent) -> None:
    visitor = uuid4()
    file = Attachment.objects.create(
        agent=agent, visitor_id=visitor, name="a.png", media_type="image/png", size=20, file="a.png"
    )
    door = Door(agent=agent, visitor_id=visitor)
    accepted = turns.accept(door, client_id=uuid4(), text=RETURNS, writer="me.1", attachments=[file.pk])
    assert accepted.turn is not None
    assert not cache.keep(accepted.turn, an_answer(agent))
    asked(agent)
    assert cache.look_up(accepted.turn) is None
    Message.objects.filter(pk=accepted.turn.answer_id).update(
        lease_until=timezone.now() - timedelta(minutes=1)
    )
    taken_up = turns.claim(accepted.turn.answer_id, writer="other.1")
    assert taken_up is not None
    assert taken_up.has_files


def test_the_same_likeness_is_another_cosine_in_another_model() -> None:
    usual, other = (
        recall.Fingerprint(profile.id, np.array([1.0, 0.0], dtype=np.float32))
        for profile in (DEFAULT_PROFILE, MULTILINGUAL_PROFILE)
    )
    assert usual.cosine(0.95) == pytest.approx(0.95)
    assert other.cosine(0.95) == pytest.approx(0.986, abs=0.001)
    assert other.likeness(other.cosine(0.95)) == pytest.approx(0.95)


def test_the_teams_own_tries_neither_fill_nor_use_the_cache(inside: Workspace, agent: Agent) -> None:
    asked(agent)
    assert found(agent, RETURNS, channel=Channel.PREVIEW) is None
    turn = replace(a_turn(agent, "When is the shop open?"), channel=Channel.PREVIEW.value)
    assert not cache.keep(turn, an_answer(agent))


def test_an_agent_without_a_cache_keeps_nothing(inside: Workspace, agent: Agent) -> None:
    Agent.objects.filter(pk=agent.pk).update(cache_enabled=False)
    agent.refresh_from_db()
    asked(agent)
    assert not CachedAnswer.objects.exists()


def test_a_hit_counts_what_it_saved(inside: Workspace, agent: Agent) -> None:
    asked(agent)
    for _ in range(3):
        hit = found(agent, RETURNS)
        assert hit is not None
        cache.count(hit.answer())
    entry = CachedAnswer.objects.get()
    assert (entry.hits, entry.saved_micro_usd, entry.saved_ms) == (3, 4_500, 3_900)


def test_a_kept_answer_goes_with_the_conversation_it_came_from(inside: Workspace, agent: Agent) -> None:
    turn = asked(agent)
    Message.objects.get(pk=turn.answer_id).conversation.delete()
    assert not CachedAnswer.objects.exists()
