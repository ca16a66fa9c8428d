"""A citation quotes the words that the answer rests on, and names their page, whatever fits the question best."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from agents.models import Agent
from agents.providers import Passage
from agents.providers.extractive import compose
from chat.citations import Marks, claims_of
from chat.protocol import Citation
from tenants.models import Workspace
from tests.agents.builders import a_passage
from tests.improve.test_exact_answers import QUESTION, asked

TERMS = (
    "You can return goods to the shop by post. Unused goods may be returned within 30 days of delivery. "
    "Gift cards cannot be returned. We pay the postage of a return above 50 euros."
)
BEST = "You can return goods"


def cited(passage: Passage, answer: str) -> Citation:
    marks = Marks([passage])
    text = marks.feed(answer) + marks.rest()
    return marks.citations(text)[0]


def terms(**other: Any) -> Passage:
    return a_passage(TERMS, scores={BEST: 0.9}, **other)


def paged(**other: Any) -> Passage:
    """The terms on pages 16 and 17 of a PDF: its last two sentences stand on the second."""
    passage = replace(terms(**other), url="https://shop.example/terms.pdf", page_number=16)
    pages = zip(passage.sentences, (16, 16, 17, 17), strict=True)
    return replace(passage, sentences=tuple(replace(one, page=page) for one, page in pages))


@pytest.mark.parametrize(
    ("answer", "quoted"),
    [
        ("You have 30 days from the delivery to return what is unused [1].", "Unused goods may be"),
        ("Sorry, no: a gift card can't be returned [1].", "Gift cards cannot"),
        ("Happy to help!\n\nAbove 50 euros we pay for the postage. [1]", "We pay the postage"),
        ("**Returns**\n- by post\n- gift cards cannot be returned [1]", "Gift cards cannot"),
        ("Ja, per Post [1].", BEST),
        ("[1]", BEST),
    ],
)
def test_the_snippet_begins_where_the_answer_rests(answer: str, quoted: str) -> None:
    assert cited(terms(), answer)["snippet"].startswith(quoted)


def test_of_two_sentences_that_are_quoted_the_question_decides() -> None:
    answer = "Gift cards cannot be returned. You can return goods to the shop by post. [1]"
    assert cited(terms(), answer)["snippet"].startswith(BEST)


def test_each_mark_stands_behind_its_own_words() -> None:
    said = claims_of("Returns are free [1]. Cards are not [2], [3].\n\nAsk us. We help. [1]")
    assert said == {
        1: ["Returns are free", "Ask us.", "We help."],
        2: ["Cards are not"],
        3: ["Cards are not"],
    }


def test_what_the_built_in_model_quotes_is_what_is_cited() -> None:
    text = "Our shop is in Graz.\n\nSteps:\n1. Print the label.\n2. Bring the parcel to the post."
    passage = a_passage(text, scores={"Bring the parcel": 0.8, "Print": 0.75})
    assert "Bring the parcel" in cited(passage, compose([passage]))["snippet"]


def test_the_page_is_that_of_the_words_and_a_pdf_opens_there() -> None:
    citation = cited(paged(page="16"), "A gift card can't be returned [1].")
    assert (citation["page"], citation["url"]) == ("17", "https://shop.example/terms.pdf#page=17")


@pytest.mark.parametrize(("printed", "shown"), [("4", "5"), ("iv", "iv"), (None, None)])
def test_a_page_is_named_as_it_is_printed_and_opened_as_it_is_counted(
    printed: str | None, shown: str | None
) -> None:
    citation = cited(paged(page=printed), "A gift card can't be returned [1].")
    assert (citation.get("page"), citation["url"]) == (shown, "https://shop.example/terms.pdf#page=17")


@pytest.mark.django_db(transaction=True)
def test_an_answer_of_a_hosted_model_is_cited_by_its_own_words(
    agent: Agent, workspace: Workspace, says: Callable[..., None]
) -> None:
    says("Express takes a single working day [1].")
    assert asked(workspace, agent, QUESTION)["citations"][0]["snippet"].startswith("Express delivery takes")
