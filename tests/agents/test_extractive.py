"""The built-in model quotes what fits, as it stands, and nothing else."""

from __future__ import annotations

import re

from agents.providers import Delta, Passage, stream
from agents.providers.extractive import ANSWER_FLOOR, compose
from tests.agents.builders import EXTRACTIVE_RUNG, a_passage, a_plan, a_prompt, answer

GUIDE = """# Billing

We refund within 14 days of purchase. This covers annual plans too. Our offices are in Lisbon.

To cancel your plan:

1. Open Settings.
2. Click **Cancel plan**
   and confirm.
3. Read the mail.

| Plan | Price |
| --- | --- |
| Starter | $29 |
| Growth | $99 |

Invoices are sent by mail.
"""


def guide(**scores: float) -> Passage:
    return a_passage(GUIDE, scores={part.replace("_", " "): score for part, score in scores.items()})


def test_it_quotes_the_best_sentences_with_their_mark() -> None:
    assert compose([guide(offices=0.8)]) == "Our offices are in Lisbon. [1]"


def test_a_sentence_that_leans_on_the_one_before_brings_it_along() -> None:
    assert compose([guide(covers=0.8)]) == (
        "We refund within 14 days of purchase. This covers annual plans too. [1]"
    )


def test_sentences_come_in_reading_order_whatever_their_scores() -> None:
    text = compose([guide(offices=0.9, We_refund=0.8)])
    assert text.index("refund") < text.index("offices")


def test_passages_come_in_the_order_of_their_numbers() -> None:
    first = a_passage("Refunds take a week.", scores={"Refunds": 0.8}, n=1)
    second = a_passage("Money comes back by card.", scores={"Money": 0.9}, n=2)
    assert compose([first, second]) == "Refunds take a week. [1]\n\nMoney comes back by card. [2]"


def test_one_step_of_instructions_brings_all_steps_and_what_introduces_them() -> None:
    assert compose([guide(Click=0.8)]) == (
        "To cancel your plan:\n\n"
        "1. Open Settings.\n2. Click **Cancel plan** and confirm.\n3. Read the mail. [1]"
    )


def test_a_sentence_that_introduces_a_list_brings_the_list() -> None:
    assert "1. Open Settings.\n2. Click" in compose([guide(To_cancel=0.8)])


def test_a_table_row_stands_under_its_header() -> None:
    assert compose([guide(Growth=0.8)]) == "| Plan | Price |\n|---|---|\n| Growth | $99 |\n\n[1]"


def test_a_table_row_whose_header_was_cut_off_is_still_a_table() -> None:
    passage = a_passage("| Growth | $99 |\n| Business | $899 |", scores={"Business": 0.8})
    assert compose([passage]) == "| | |\n|---|---|\n| Business | $899 |\n\n[1]"


def test_a_heading_is_never_quoted_but_lends_its_score_to_what_follows() -> None:
    text = compose([a_passage("## Where is my data?\n\nIt stands in Frankfurt.", scores={"Where": 0.9})])
    assert text == "It stands in Frankfurt. [1]"


def test_the_answer_of_a_question_and_answer_pair_wins_over_its_question() -> None:
    passage = a_passage(
        "Q: Can I get an invoice?\nA: Yes. It is under Billing.\nQ: Can I pay by card?\nA: Cards are fine.",
        scores={"invoice": 0.9},
    )
    assert compose([passage]) == "Yes. It is under Billing. [1]"


def test_what_two_passages_say_alike_is_said_once_with_both_marks() -> None:
    passages = [a_passage("Refunds take 14 days.", scores={"Refunds": 0.8}, n=n) for n in (1, 2)]
    assert compose(passages) == "Refunds take 14 days. [1][2]"


def test_bullets_letters_and_nested_items_become_markdown() -> None:
    passage = a_passage("You need:\n• a card\n• an address", scores={"You need": 0.8})
    assert compose([passage]) == "You need:\n\n- a card\n- an address [1]"
    lettered = a_passage("You need:\na) a card\nb) an address", scores={"You need": 0.8})
    assert compose([lettered]) == "You need:\n\n- a) a card\n- b) an address [1]"


def test_code_is_quoted_whole() -> None:
    passage = a_passage("Paste this:\n\n```html\n<script>\n\n</script>\n```\n", scores={"Paste": 0.8})
    assert compose([passage]) == "Paste this:\n\n```html\n<script>\n\n</script>\n```\n[1]"


def test_a_sources_own_footnote_is_no_citation() -> None:
    text = compose([a_passage("Refunds take 14 days [7].", scores={"Refunds": 0.8})])
    assert re.findall(r"(?<!\\)\[(\d+)\]", text) == ["1"]


def test_lines_broken_by_a_page_are_joined() -> None:
    passage = a_passage("Refunds take\n14 days\nat most.", scores={"Refunds": 0.8, "days": 0.8})
    assert "\n" not in compose([passage])


def test_a_long_answer_is_capped_at_whole_sentences() -> None:
    sentences = [f"Sentence {i} {'is very long indeed ' * 12}end." for i in range(4)]
    passage = a_passage(" ".join(sentences), scores={"Sentence": 0.8})
    text = compose([passage], most_chars=600)
    assert len(text) < 640
    assert text.endswith("end. [1]")


def test_weak_sentences_do_not_dilute_a_strong_one() -> None:
    passage = a_passage("Refunds take 14 days. Dogs are nice.", scores={"Refunds": 0.9, "Dogs": 0.4})
    assert compose([passage]) == "Refunds take 14 days. [1]"


def test_nothing_is_said_where_nothing_fits() -> None:
    weak = ANSWER_FLOOR - 0.01
    assert compose([a_passage("Our offices are in Lisbon.", scores={"offices": weak}, score=weak)]) == ""
    assert compose([]) == ""


def test_an_introduction_without_what_it_introduces_is_left_out() -> None:
    assert compose([a_passage("It is easy. Open the chat from a button:", scores={"Open": 0.8})]) == ""


def test_of_two_like_sentences_the_one_in_the_better_passage_counts_more() -> None:
    better = a_passage("Refunds take a week.", scores={"Refunds": 0.6}, n=1, score=0.9)
    worse = a_passage("Parcels take a week.", scores={"Parcels": 0.6}, n=2, score=0.3)
    assert compose([better, worse]) == "Refunds take a week. [1]"


async def test_it_abstains_with_a_typed_reason_and_no_text() -> None:
    unfit = a_passage("Our offices are in Lisbon.", scores={}, score=0.1)
    text, finished = await answer(a_prompt(unfit), a_plan(EXTRACTIVE_RUNG))
    assert text == ""
    assert (finished.reason, finished.rung) == ("abstained", "extractive")


async def test_it_says_what_it_is_and_costs_nothing() -> None:
    text, finished = await answer(a_prompt(guide(offices=0.8)), a_plan(EXTRACTIVE_RUNG))
    assert text == "Our offices are in Lisbon. [1]"
    assert (finished.provider, finished.model) == ("netvexa", "extractive-1")
    assert finished.usage.cost_micro_usd == 0
    assert not finished.usage.estimated


async def test_it_streams_groups_of_words_that_add_up_to_the_answer() -> None:
    prompt = a_prompt(guide(Click=0.8))
    pieces = [e.text async for e in stream(prompt, plan=a_plan(EXTRACTIVE_RUNG)) if isinstance(e, Delta)]
    assert len(pieces) > 3
    assert "".join(pieces) == compose(prompt.passages)
