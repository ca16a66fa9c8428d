"""Which model reads an agent's knowledge, and changing it."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest

from agents.models import Agent, KnowledgeLanguages
from knowledge import passages, profiles, vectors
from knowledge.documents import add_text
from knowledge.embedding import (
    DEFAULT_PROFILE,
    MULTILINGUAL_PROFILE,
    Embedded,
    EmbeddingInput,
    EmbeddingProfile,
    embed_texts,
)
from knowledge.ingest import ingest
from knowledge.models import Chunk, Source, Term
from knowledge.retrieval import search

pytestmark = pytest.mark.django_db

GERMAN = (
    "# Rückgabe\n\nSie können jeden Artikel innerhalb von dreißig Tagen zurückgeben. Die Kosten der Rücksendung "
    "tragen wir, wenn der Artikel beschädigt ist. Das Geld wird auf die Karte zurückgezahlt, mit der bezahlt wurde."
)
ENGLISH = (
    "# Delivery\n\nWe deliver within five working days. The parcel is handed to the neighbours when nobody is at home. "
    "Delivery to an island takes two days more."
)


def read(agent: Agent, text: str, title: str = "Page") -> Source:
    source = add_text(agent, title=title, text=text)
    ingest(source.documents.get().pk)
    return source


def profiles_of(agent: Agent) -> set[str]:
    return set(Chunk.objects.filter(agent_id=agent.pk).values_list("profile", flat=True))


def test_english_knowledge_is_read_with_the_english_model(agent: Agent) -> None:
    read(agent, ENGLISH)
    assert profiles_of(agent) == {DEFAULT_PROFILE.id}


def test_a_question_in_english_finds_a_german_page(agent: Agent) -> None:
    read(agent, GERMAN)
    assert profiles_of(agent) == {MULTILINGUAL_PROFILE.id}
    found = search("Who pays for sending a broken item back?", agent_id=agent.pk)
    assert "Rücksendung" in found.passages[0].text


def test_a_german_page_beside_english_ones_moves_all_to_the_multilingual_model(agent: Agent) -> None:
    read(agent, ENGLISH, "Delivery")
    read(agent, GERMAN, "Rückgabe")
    agent.refresh_from_db()
    assert not profiles.is_settled(agent)
    profiles.settle(agent.pk)
    assert profiles_of(agent) == {MULTILINGUAL_PROFILE.id}
    assert "island" in search("How long to an island?", agent_id=agent.pk).passages[0].text
    assert "Rücksendung" in search("Wer zahlt die Rücksendung?", agent_id=agent.pk).passages[0].text


def test_the_old_index_serves_until_the_new_one_is_whole(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(agent, ENGLISH, "One")
    read(agent, ENGLISH.replace("island", "mountain"), "Two")
    Agent.objects.filter(pk=agent.pk).update(knowledge_languages=KnowledgeLanguages.MULTILINGUAL)
    seen: list[str] = []
    original = passages.chunk_row

    def watched(*args: object, **more: object) -> Chunk:
        seen.append(search("Who gets the parcel?", agent_id=agent.pk).passages[0].text)
        return original(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(profiles, "chunk_row", watched)
    profiles.settle(agent.pk)
    assert len(seen) == 2
    assert all("neighbours" in text for text in seen)
    assert profiles_of(agent) == {MULTILINGUAL_PROFILE.id}


def test_what_another_agent_has_in_the_model_is_not_embedded_again(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Agent.objects.create(name="Ole", knowledge_languages=KnowledgeLanguages.MULTILINGUAL)
    read(other, ENGLISH)
    read(agent, ENGLISH)
    Agent.objects.filter(pk=agent.pk).update(knowledge_languages=KnowledgeLanguages.MULTILINGUAL)
    embedded: list[EmbeddingInput] = []

    def watched(
        texts: list[EmbeddingInput], *, profile: EmbeddingProfile, **more: Any
    ) -> list[Future[Embedded]]:
        embedded.extend(texts)
        return embed_texts(texts, profile=profile, **more)

    monkeypatch.setattr(vectors, "embed_texts", watched)
    profiles.settle(agent.pk)
    assert profiles_of(agent) == {MULTILINGUAL_PROFILE.id}
    assert embedded == []


def test_changing_the_model_leaves_the_counts_of_terms_as_they_were(agent: Agent) -> None:
    source = read(agent, ENGLISH)
    before = dict(Term.objects.values_list("lexeme", "chunks"))
    Agent.objects.filter(pk=agent.pk).update(knowledge_languages=KnowledgeLanguages.MULTILINGUAL)
    profiles.settle(agent.pk)
    assert dict(Term.objects.values_list("lexeme", "chunks")) == before
    source.documents.get().refresh_from_db()
    assert search("island", agent_id=agent.pk).passages


def test_the_setting_wins_over_what_the_documents_are_written_in(agent: Agent) -> None:
    Agent.objects.filter(pk=agent.pk).update(knowledge_languages=KnowledgeLanguages.MULTILINGUAL)
    agent.refresh_from_db()
    read(agent, ENGLISH)
    assert profiles_of(agent) == {MULTILINGUAL_PROFILE.id}


def test_only_its_audience_gets_answers_from_a_source(agent: Agent) -> None:
    source = read(agent, ENGLISH)
    Source.objects.filter(pk=source.pk).update(audience="partners")
    assert not search("Delivery to an island", agent_id=agent.pk).passages
    assert not search("Delivery to an island", agent_id=agent.pk, audiences=["staff"]).passages
    assert search("Delivery to an island", agent_id=agent.pk, audiences=["staff", "partners"]).passages
