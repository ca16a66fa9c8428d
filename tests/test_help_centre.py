"""The help centre: every link leads somewhere, and its evaluation questions fit its pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

import pytest

HELP = Path(__file__).resolve().parent.parent / "docs" / "help"
PAGES = sorted(path.name for path in HELP.glob("*.md"))
TOPICS = [name for name in PAGES if name != "index.md"]
LINK = re.compile(r"\]\(([^)#\s]+)\)")
MARKUP = re.compile(r"\*\*|`|\[|\]\([^)]*\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


class Question(TypedDict):
    """One line of questions.json; the last three are null where the help centre has no answer."""

    question: str
    page: str | None
    heading: str | None
    must_contain: str | None


def read(name: str) -> str:
    return (HELP / name).read_text(encoding="utf-8")


def sections(name: str) -> Iterator[tuple[str, str]]:
    """Each heading of a page with the text below it, as plain text; `#` inside code is no heading."""
    text = FENCE.sub(lambda fence: fence[0].replace("\n#", "\n"), read(name))
    parts = re.split(r"^#{1,2} (.+)$", text, flags=re.MULTILINE)
    for heading, body in zip(parts[1::2], parts[2::2], strict=True):
        yield heading, MARKUP.sub("", body)


def questions() -> list[Question]:
    rows: list[Question] = json.loads(read("questions.json"))
    return rows


ANSWERED = [row for row in questions() if row["page"]]


@pytest.mark.parametrize("name", PAGES)
def test_every_link_of_a_page_leads_to_a_page(name: str) -> None:
    missing = [link for link in LINK.findall(read(name)) if link.endswith(".md") and link not in PAGES]
    assert missing == []


@pytest.mark.parametrize("name", TOPICS)
def test_a_page_has_a_title_an_answer_and_a_readable_length(name: str) -> None:
    title, answer = read(name).split("\n", maxsplit=3)[0:3:2]
    assert title.startswith("# ")
    assert answer.endswith((".", ":"))
    assert 250 <= len(read(name).split()) <= 700


def test_the_index_lists_every_page_once() -> None:
    assert sorted(LINK.findall(read("index.md"))) == TOPICS


@pytest.mark.parametrize("row", ANSWERED, ids=lambda row: row["question"])
def test_a_question_finds_its_fact_under_its_heading(row: Question) -> None:
    found = dict(sections(str(row["page"])))
    assert row["must_contain"]
    assert row["must_contain"] in found[str(row["heading"])]


def test_there_are_enough_questions_with_and_without_an_answer() -> None:
    asked = [row["question"] for row in questions()]
    assert len(ANSWERED) >= 60
    assert len(asked) - len(ANSWERED) >= 20
    assert len(set(asked)) == len(asked)
