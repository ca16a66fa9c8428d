"""Questions find their passage, by meaning and by words, and evidence tells what is known from what is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from agents.models import Agent
from knowledge import candidates
from knowledge.candidates import driving_terms
from knowledge.documents import add_file, add_text
from knowledge.embedding import DEFAULT_PROFILE
from knowledge.follow_ups import standalone
from knowledge.ingest import ingest
from knowledge.matching import Question, match
from knowledge.models import Chunk
from knowledge.retrieval import search
from tenants.postgresql import prepared
from tenants.postgresql.prepared import Row
from tests.knowledge import files
from tests.knowledge.candidates import SOME_CANDIDATE

pytestmark = pytest.mark.django_db

FACTS = {
    "Delivery": "Parcels reach Norway within seven working days. Express parcels need two days.",
    "Passwords": "If you forgot your password, choose Reset on the log-in page. We send you a link by e-mail.",
    "Error codes": "Error XK-4711 means that the printer's lid is open. Close the lid and press the green button.",
    "Prices": "The Pro plan costs $49 a month and includes five seats. The Team plan costs $99.",
    "Öffnungszeiten": "Unser Laden ist montags bis freitags von neun bis achtzehn Uhr geöffnet und sonst zu.",
    "Пароль": "Чтобы сбросить пароль, откройте настройки и нажмите кнопку сброса пароля на странице входа.",
    "密码": "如果您忘记了密码，请在登录页面点击重置密码，我们会向您发送一封电子邮件。",
}


@pytest.fixture
def shop(agent: Agent) -> Agent:
    """An agent that knows FACTS."""
    for title, text in FACTS.items():
        ingest(add_text(agent, title=title, text=text).documents.get().pk)
    return agent


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("How long does shipping to Norway take?", "Delivery"),
        ("I can't remember my login, what now?", "Passwords"),
        ("what does XK-4711 mean", "Error codes"),
        ("monthly cost of pro", "Prices"),
        ("Wann ist der Laden geöffnet?", "Öffnungszeiten"),
        ("Как сбросить пароль?", "Пароль"),
        ("忘记密码怎么办？", "密码"),
    ],
)
def test_a_question_finds_its_passage(shop: Agent, question: str, title: str) -> None:
    assert search(question, agent_id=shop.pk).passages[0].title == title


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines of PostgreSQL's plans for the searches of this test."""
    lines: list[str] = []

    def rows_of(statement: str, values: Any = (), **given: Any) -> list[Row]:
        lines.extend(line for (line,) in prepared.rows_of(f"EXPLAIN {statement}", values, **given))
        return prepared.rows_of(statement, values, **given)

    monkeypatch.setattr(candidates, "rows_of", rows_of)
    return lines


def test_words_are_looked_up_in_their_index_before_there_are_statistics(
    shop: Agent, plans: list[str]
) -> None:
    assert search("monthly cost of pro", agent_id=shop.pk).passages
    assert any("chunk_search_gin" in line for line in plans)


def test_the_graph_is_walked_for_the_agent_that_holds_most_of_a_small_workspace(
    shop: Agent, plans: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def walks(agent: Agent) -> bool:
        plans.clear()
        assert search("monthly cost of pro", agent_id=agent.pk).passages[0].title == "Prices"
        return any("hnsw" in line for line in plans)

    other = Agent.objects.create(name="Other")
    ingest(add_text(other, title="Prices", text=FACTS["Prices"]).documents.get().pk)
    assert not walks(shop)
    monkeypatch.setattr(candidates, "MANY_CHUNKS", len(FACTS))
    assert walks(shop)
    assert not walks(other)


def test_the_sentence_that_answers_scores_best(shop: Agent) -> None:
    passage = search("How much is the Team plan?", agent_id=shop.pk).passages[0]
    best = max(passage.sentences, key=lambda sentence: sentence.score)
    assert best.text == "The Team plan costs $99."
    assert passage.text[best.start : best.end] == best.text


def test_evidence_is_high_for_what_is_known_and_low_for_what_is_not(shop: Agent) -> None:
    known = search("How long does a parcel to Norway take?", agent_id=shop.pk)
    unknown = search("Who won the chess championship in 1972?", agent_id=shop.pk)
    assert known.evidence > 0.8
    assert unknown.evidence < 0.3


@pytest.mark.parametrize(
    ("question", "lacks"),
    [
        ("How many seats does the Pro plan include?", False),
        ("How much is the Team plan?", False),
        ("How long do parcels to Norway take?", False),
        ("How many people press the green button on the printer?", True),
        ("When was the reset link sent by e-mail?", True),
        ("When do you send the reset link?", False),
    ],
)
def test_what_asks_for_a_number_is_not_answered_by_a_sentence_without_one(
    shop: Agent, question: str, lacks: bool
) -> None:
    assert search(question, agent_id=shop.pk).features["quantity"] == float(lacks)


def test_nothing_is_found_where_nothing_is_known(agent: Agent) -> None:
    found = search("anything", agent_id=agent.pk)
    assert (found.passages, found.evidence) == ((), 0.0)


@pytest.mark.parametrize("query", ["", "???", "'; DROP TABLE x; --", "\\", "a" * 5000, "\x00 zero", "🙂"])
def test_strange_questions_break_nothing(shop: Agent, query: str) -> None:
    assert 0.0 <= search(query, agent_id=shop.pk).evidence <= 1.0


def test_a_follow_up_leans_on_the_question_before(shop: Agent) -> None:
    first = "How long do parcels to Norway take?"
    assert search("and express?", agent_id=shop.pk, history=[first]).passages[0].title == "Delivery"
    assert standalone("What does the Pro plan cost a month?", history=[first], languages=["en"]) != first


def test_the_same_content_in_two_documents_is_shown_once(shop: Agent) -> None:
    for name in ("one.pdf", "two.pdf"):
        ingest(add_file(shop, name=name, content=files.pdf()).documents.get().pk)
    texts = [passage.text for passage in search("refunds of order type 2", agent_id=shop.pk).passages]
    assert len(texts) == len(set(texts))


def test_what_better_passages_say_already_is_left_out(shop: Agent) -> None:
    part = "The maple desk is oiled twice a year. The oak desk is waxed once a year."
    ingest(add_text(shop, title="Care", text=f"{part} Leather is fed in autumn.").documents.get().pk)
    ingest(add_text(shop, title="Leaflet", text=part).documents.get().pk)
    found = search("How often is the maple desk oiled, and leather fed?", agent_id=shop.pk).passages
    assert [passage.title for passage in found if "maple" in passage.text] == ["Care"]


@pytest.fixture
def manual(agent: Agent) -> list[Chunk]:
    """One long list, cut into chunks of one section."""
    steps = "\n".join(
        f"- Step {number}: fasten part {number * 7} of the {thing} with a screw of size {number + 2}."
        for number, thing in enumerate(["cabinet", "drawer", "hinge", "shelf", "door", "handle"] * 7)
    )
    ingest(add_text(agent, title="Assembly", text=f"# Assembly\n\n{steps}").documents.get().pk)
    chunks = list(Chunk.objects.order_by("ordinal"))
    assert len(chunks) > 2
    return chunks


def sentences_of(chunk: Chunk) -> list[str]:
    return [chunk.text[start:end] for start, end in zip(chunk.spans[::4], chunk.spans[1::4], strict=True)]


def test_a_passage_goes_on_where_its_best_words_stand_at_the_edge(agent: Agent, manual: list[Chunk]) -> None:
    here, following = manual[0], manual[1]
    last = sentences_of(here)[-1]
    (passage,) = search(last, agent_id=agent.pk, limit=1).passages
    assert (passage.chunk_id, passage.best) == (here.pk, last)
    assert passage.text.startswith(here.text)
    assert sentences_of(following)[0] in passage.text
    assert all(passage.text[one.start : one.end] == one.text for one in passage.sentences)
    assert sum(sentences_of(following)[0] == one.text for one in passage.sentences) == 1


def test_a_neighbour_that_is_shown_itself_is_not_said_twice(agent: Agent, manual: list[Chunk]) -> None:
    last = sentences_of(manual[0])[-1]
    text = "\n".join(passage.text for passage in search(last, agent_id=agent.pk, limit=20).passages)
    assert text.count(sentences_of(manual[1])[0]) == 1


def test_nothing_is_joined_over_the_end_of_a_section(agent: Agent) -> None:
    text = "# One\n\n{}\n\n# Two\n\n{}".format(*(" ".join([word] * 60) for word in ("maple.", "birch.")))
    ingest(add_text(agent, title="Wood", text=text).documents.get().pk)
    (passage,) = search("maple", agent_id=agent.pk, limit=1).passages
    assert "birch" not in passage.text


def test_rare_words_drive_the_search_and_common_ones_only_count() -> None:
    frequencies = {"the": 90_000, "rare": 3, "usual": 900}
    assert driving_terms(frequencies, list(frequencies)) == ["rare", "usual"]
    assert driving_terms({"common": 90_000}, ["common"]) == ["common"]


def words_of(*numbers: int) -> bytes:
    """Words with nothing in common but their number, as a passage keeps them."""
    return (np.eye(64, dtype=np.int8)[list(numbers)] * 127).tobytes()


def matched(asked: list[int], *passages: list[int]) -> list[float]:
    """The scores of passages that are alike in all but the order of their words."""
    question = Question(
        text="",
        profile=DEFAULT_PROFILE,
        vector=np.zeros(384, dtype=np.float32),
        words=np.frombuffer(words_of(*asked), dtype=np.int8).reshape(-1, 64),
        forms=tuple(frozenset({str(number)}) for number in asked),
        frequencies={},
        weights=tuple(1.0 for _ in asked),
    )
    found = [
        replace(SOME_CANDIDATE, words=words_of(*passage), spans=((0, 1, 0, len(passage)),))
        for passage in passages
    ]
    return [one.score for one in match(question, found)]


def test_words_that_stand_together_in_the_question_are_worth_more_together() -> None:
    together, apart, empty = matched([1, 2, 3], [9, 1, 2, 3], [2, 9, 1, 3], [])
    assert together > apart > empty


def test_the_last_word_of_a_passage_and_the_first_of_the_next_are_no_neighbours() -> None:
    (alone,) = matched([1, 2, 3], [2, 3, 1])
    assert matched([1, 2, 3], [2, 3, 1], [2, 3, 1])[0] == alone
    assert matched([1, 2, 3], [], [2, 3, 1], [])[1] == alone


def test_one_pair_of_words_says_nothing_yet() -> None:
    together, apart = matched([1, 2], [9, 1, 2], [2, 9, 1])
    assert together == apart
