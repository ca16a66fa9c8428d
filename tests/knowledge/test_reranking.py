"""A cross-encoder that the operator names orders the best passages; nothing depends on it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from pytest_django import Settings
from sentence_transformers import CrossEncoder
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

from agents.models import Agent
from knowledge import reranking
from knowledge.documents import add_text
from knowledge.ingest import ingest
from knowledge.matching import Match
from knowledge.retrieval import SearchResult, search
from tests.knowledge.candidates import SOME_CANDIDATE

pytestmark = pytest.mark.django_db

QUESTION = "When does the ferry to the island leave?"
TOPICS = ("ferry", "island", "ferry to the island", "train", "bus to the island", "ferry in winter")
NO_MATCH = Match(score=0.0, cosine=0.0, lexical=0.0, words=0.0, sentences=())
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


@pytest.fixture(scope="session")
def cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real one, in sentence-transformers' form, tiny and with weights by chance: its order is nobody's else."""
    words = sorted({word for topic in TOPICS for word in f"{topic} leaves at when does".split()})
    vocabulary = {word: place for place, word in enumerate((*SPECIAL, *words))}
    tokeniser = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokeniser.normalizer = normalizers.BertNormalizer()
    tokeniser.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokeniser.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    torch.manual_seed(7)
    network = BertForSequenceClassification(
        BertConfig(
            vocab_size=len(vocabulary),
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=128,
            initializer_range=1.0,
            num_labels=1,  # type: ignore[call-arg]
        )
    )
    folder = tmp_path_factory.mktemp("cross-encoder")
    network.save_pretrained(folder)
    PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokeniser,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=128,
    ).save_pretrained(folder)
    return folder


@pytest.fixture
def ferries(agent: Agent) -> Agent:
    for number, topic in enumerate(TOPICS, start=6):
        text = f"The {topic} leaves at {number} o'clock. Tickets for the {topic} are sold on board."
        ingest(add_text(agent, title=topic.capitalize(), text=text).documents.get().pk)
    return agent


@pytest.fixture
def reranking_with(settings: Settings) -> Iterator[Settings]:
    """The model is kept for a process's life: forget it before and after."""
    reranking._model.cache_clear()
    yield settings
    reranking._model.cache_clear()


def titles(found: SearchResult) -> list[str]:
    return [passage.title for passage in found.passages]


def test_passages_come_in_the_order_of_the_model_and_evidence_stays(
    ferries: Agent, cross_encoder: Path, reranking_with: Settings
) -> None:
    plain = search(QUESTION, agent_id=ferries.pk)
    assert {passage.rerank_score for passage in plain.passages} == {None}

    reranking._model.cache_clear()
    reranking_with.RERANK_MODEL = str(cross_encoder)
    found = search(QUESTION, agent_id=ferries.pk)

    model = CrossEncoder(str(cross_encoder), device="cpu", local_files_only=True)
    texts = [f"{' › '.join(passage.heading_path)}\n{passage.text}" for passage in plain.passages]
    scores = model.predict([(QUESTION, text) for text in texts], activation_fn=torch.nn.Sigmoid())
    expected = dict(sorted(zip(titles(plain), scores.tolist(), strict=True), key=lambda pair: -pair[1]))
    assert titles(found) == list(expected) != titles(plain)
    assert [passage.rerank_score for passage in found.passages] == pytest.approx(list(expected.values()))
    assert [passage.score for passage in found.passages] == [passage.score for passage in plain.passages]
    assert (found.evidence, found.features) == (plain.evidence, plain.features)
    assert found.timings.rerank > 0


def test_the_model_reads_the_best_before_the_limit_cuts(
    ferries: Agent, cross_encoder: Path, reranking_with: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    reranking_with.RERANK_MODEL = str(cross_encoder)
    whole = search(QUESTION, agent_id=ferries.pk)
    assert titles(search(QUESTION, agent_id=ferries.pk, limit=2)) == titles(whole)[:2]

    monkeypatch.setattr(reranking, "READ", 2)
    cut = search(QUESTION, agent_id=ferries.pk)
    assert [passage.rerank_score is not None for passage in cut.passages[:3]] == [True, True, False]
    assert sorted(titles(cut)) == sorted(titles(whole))


def test_searches_at_once_get_what_each_gets_alone(cross_encoder: Path, reranking_with: Settings) -> None:
    reranking_with.RERANK_MODEL = str(cross_encoder)
    questions = ["ferry " * length for length in range(1, 65)]
    ranked = [
        (replace(SOME_CANDIDATE, text=text), NO_MATCH)
        for text in ("the ferry leaves", "the train", "the bus to the island " * 9)
    ]
    alone = [reranking.reranked(question, ranked) for question in questions]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda question: reranking.reranked(question, ranked), questions))
    assert together == alone
    assert all(None not in scores for _, scores in together)


@pytest.mark.parametrize("damage", ["{", '{"model_type": "bert"}'])
def test_a_broken_model_is_told_once_and_the_search_goes_on(
    ferries: Agent,
    tmp_path: Path,
    reranking_with: Settings,
    caplog: pytest.LogCaptureFixture,
    damage: str,
) -> None:
    plain = search(QUESTION, agent_id=ferries.pk)
    reranking._model.cache_clear()
    (tmp_path / "config.json").write_text(damage)
    reranking_with.RERANK_MODEL = str(tmp_path)
    with caplog.at_level(logging.ERROR, logger="knowledge.reranking"):
        for _ in range(2):
            assert titles(search(QUESTION, agent_id=ferries.pk)) == titles(plain)
    assert ["cannot be loaded" in record.message for record in caplog.records] == [True]


def test_a_model_that_fails_on_a_question_leaves_the_order(
    ferries: Agent,
    cross_encoder: Path,
    reranking_with: Settings,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = search(QUESTION, agent_id=ferries.pk)
    reranking._model.cache_clear()
    reranking_with.RERANK_MODEL = str(cross_encoder)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(CrossEncoder, "predict", fail)
    with caplog.at_level(logging.ERROR, logger="knowledge.reranking"):
        found = search(QUESTION, agent_id=ferries.pk)
    assert titles(found) == titles(plain)
    assert "keep the order" in caplog.text
