"""The questions of an agent's test set: written, made of what a visitor got, or taken from a sheet.

Runs inside the workspace.
"""

from __future__ import annotations

import csv
import io

from agents import audiences
from agents.models import Agent
from chat.gaps import asked_in
from chat.models import Expectation, Message, Outcome
from chat.quality_models import Expected
from chat.turns import audiences_of
from netvexa.lib.errors import Invalid

MAX_QUESTIONS = 200  # of one agent's test set
MAX_SHEET = 1_000_000  # bytes
_COLUMNS = ("question", "must contain", "must not contain", "source", "outcome", "facts", "audiences")


def check_room(agent: Agent, *, adding: int = 1) -> None:
    """Raises Invalid where the set is full."""
    if agent.expectations.count() + adding > MAX_QUESTIONS:
        raise Invalid(f"A test set holds up to {MAX_QUESTIONS} questions. Remove some first.")


def expect_from(answer: Message) -> Expectation:
    """A test question from an answer that a visitor got: the same outcome, and the source it cited first. A question
    that leaned on the one before it is completed, since a test has nothing before it.
    """
    agent = answer.conversation.agent
    asked = asked_in(answer)[:500]
    if not asked:
        raise Invalid("This answer has no question to test.")
    known = agent.expectations.filter(question=asked, audiences=list(audiences_of(answer))).first()
    if known is not None:
        return known
    check_room(agent)
    abstained = answer.outcome == Outcome.ABSTAINED
    source = answer.citations[0]["title"][:300] if answer.citations else ""
    made: Expectation = Expectation.objects.create(
        agent=agent,
        question=asked,
        outcome=Expected.ABSTAINED if abstained else Expected.ANSWERED,
        source="" if abstained else source,
        audiences=list(audiences_of(answer)),
        message=answer,
    )
    return made


def import_csv(agent: Agent, data: bytes) -> int:
    """Add the questions of a sheet; how many. Several words in one cell are parted by “;”. Raises Invalid."""
    rows = [_expected(agent, number, row) for number, row in enumerate(_rows(data), start=2)]
    if not rows:
        raise Invalid("This file holds no questions.")
    known = {(row.question, *row.audiences) for row in agent.expectations.all()}
    new = {key: row for row in rows if (key := (row.question, *row.audiences)) not in known}
    check_room(agent, adding=len(new))
    Expectation.objects.bulk_create(new.values())
    return len(new)


def _rows(data: bytes) -> list[dict[str, str]]:
    if len(data) > MAX_SHEET:
        raise Invalid("The file is larger than 1 MB. Split it.")
    try:
        text = data.decode("utf-8-sig").replace("\0", "")  # which PostgreSQL does not store
        first = text.partition("\n")[0]
        reader = csv.DictReader(
            io.StringIO(text), delimiter=";" if first.count(";") > first.count(",") else ","
        )
        names = [name.strip().casefold() for name in reader.fieldnames or ()]
        reader.fieldnames = names
        rows = [{name: str(row.get(name) or "").strip() for name in _COLUMNS} for row in reader]
    except (UnicodeDecodeError, csv.Error):
        raise Invalid("This file is no CSV table in UTF-8.") from None
    if "question" not in names:
        raise Invalid(f"The first row needs the column “question”. Others may be: {', '.join(_COLUMNS[1:])}.")
    return rows


def _expected(agent: Agent, number: int, row: dict[str, str]) -> Expectation:
    outcome = row["outcome"].casefold() or Expected.ANSWERED
    if not row["question"] or len(row["question"]) > 500:
        raise Invalid(f"Row {number} has no question of up to 500 characters.")
    if outcome not in Expected.values:
        raise Invalid(f"Row {number}: outcome is “answered” or “abstained”.")
    return Expectation(
        agent=agent,
        question=row["question"],
        outcome=outcome,
        source=row["source"][:300],
        must=_listed(row["must contain"]),
        must_not=_listed(row["must not contain"]),
        facts=row["facts"][:1000],
        audiences=audiences.checked_all(_listed(row["audiences"])),
    )


def _listed(cell: str) -> list[str]:
    return [part.strip()[:200] for part in cell.split(";") if part.strip()]
