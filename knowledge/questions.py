"""Pairs of question and answer: checked, read from a sheet, kept as one set that has versions."""

from __future__ import annotations

import csv
from collections.abc import Sequence

from django.conf import settings

from knowledge.models import Source, SourceKind
from knowledge.parsing.cleaning import one_line
from knowledge.parsing.csv import read_rows
from knowledge.parsing.decoding import decode
from knowledge.parsing.errors import DocumentTooLarge
from knowledge.parsing.qa import MAX_ANSWER, MAX_QUESTION, Pair, load
from knowledge.versions import content_of
from netvexa.lib.errors import Invalid

MAX_PAIRS = 5_000
_HEADINGS = (
    {"question", "frage", "pregunta", "domanda", "q"},
    {"answer", "antwort", "respuesta", "réponse", "a"},
)


def checked_pairs(pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs, trimmed; the last of a question that stands twice counts. Raises Invalid with its number."""
    kept: dict[str, Pair] = {}
    for number, pair in enumerate(pairs, start=1):
        question, answer = one_line(pair.question), pair.answer.strip()
        if not question and not answer:
            continue
        if not question or not answer:
            missing = "an answer" if question else "a question"
            raise Invalid(
                f"Pair {number} has no {missing.partition(' ')[2]}. Add {missing} or remove the pair."
            )
        if len(question) > MAX_QUESTION or len(answer) > MAX_ANSWER:
            raise Invalid(
                f"Pair {number} is too long: a question has up to {MAX_QUESTION} characters,"
                f" an answer up to {MAX_ANSWER:,}."
            )
        kept[question.casefold()] = Pair(question, answer)
    if not kept:
        raise Invalid("Add at least one question with its answer.")
    if len(kept) > MAX_PAIRS:
        raise Invalid(f"A set holds up to {MAX_PAIRS:,} pairs. Split it into several sets.")
    return list(kept.values())


def pairs_of_csv(data: bytes) -> list[Pair]:
    """Two columns, question and answer, in this order or by name in the first row. Raises Invalid."""
    if len(data) > settings.MAX_UPLOAD_BYTES:
        raise DocumentTooLarge
    try:
        rows = [row for row in read_rows(decode(data)) if any(cell.strip() for cell in row)]
    except csv.Error:
        raise Invalid("This file is not a table: its quotes do not match.") from None
    if not rows:
        raise Invalid("This file holds no rows.")
    question, answer, has_header = _columns(rows[0])
    short = next((number for number, row in enumerate(rows, start=1) if len(row) <= max(question, answer)), 0)
    if short:
        raise Invalid(f"Row {short} has no answer. Each row needs two columns: question and answer.")
    return checked_pairs([Pair(row[question], row[answer]) for row in rows[has_header:]])


def _columns(first: Sequence[str]) -> tuple[int, int, int]:
    """Index of the question's column, of the answer's, and how many rows are a header."""
    names = [one_line(cell).casefold() for cell in first]
    places = [next((at for at, name in enumerate(names) if name in known), None) for known in _HEADINGS]
    if places[0] is None or places[1] is None:
        return 0, 1, 0
    return places[0], places[1], 1


def pairs_of(source: Source) -> list[Pair]:
    """What the newest version of a set holds, drafts included. Raises Invalid for other sources."""
    if source.kind != SourceKind.QUESTIONS:
        raise Invalid("This source is not a set of questions and answers.")
    version = source.documents.get().versions.order_by("-number").first()
    return load(content_of(version)) if version is not None and version.file else []
