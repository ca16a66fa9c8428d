"""Passages whose best words stand at an edge, joined with what follows or precedes in the same section.

A long section is cut into several chunks, and an answer may run over the cut: the next step of a list, the next row
of a table, what "it" in a first sentence means. The neighbour is fetched for the best few passages only, in one
statement by primary key and place, and not at all where nothing stands at an edge.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from knowledge.candidates import Candidate, quads
from knowledge.matching import Match, Question, match
from tenants.postgresql.prepared import rows_of

LOOKED_AT = 3  # of the best passages
CARRIED = 600  # characters of a neighbour, in whole sentences
_ITEM = re.compile(r"\s*(?:[-*•–|]|\d{1,3}[.)])\s")

_STATEMENT = """
SELECT c.id, n.id, n.page, n.page_label, n.text, n.spans, n.words
FROM unnest(%(ids)s::uuid[], %(steps)s::int[]) AS wanted(id, step) JOIN knowledge_chunk c ON c.id = wanted.id
JOIN knowledge_chunk n ON n.version_id = c.version_id AND n.ordinal = c.ordinal + wanted.step
 AND n.profile = c.profile AND n.heading_path = c.heading_path
"""

Ranked = tuple[Candidate, Match]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """The chunk beside another one: `step` is 1 for the next, -1 for the one before."""

    chunk: Candidate
    step: int


def joined(question: Question, shown: Sequence[Ranked]) -> list[Ranked]:
    """The passages, the first of them with their neighbours where the best words stand at an edge.

    A neighbour that is shown itself is not said twice.
    """
    steps = {found.chunk_id: step for found, scored in shown[:LOOKED_AT] if (step := _step(found, scored))}
    if not steps:
        return list(shown)
    there = {found.chunk_id for found, _ in shown}
    beside = {
        chunk_id: neighbour
        for chunk_id, neighbour in _fetched(steps, {found.chunk_id: found for found, _ in shown}).items()
        if neighbour.chunk.chunk_id not in there
    }
    return [
        _extended(question, found, scored, beside[found.chunk_id])
        if found.chunk_id in beside
        else (found, scored)
        for found, scored in shown
    ]


def _step(found: Candidate, scored: Match) -> int:
    """Which neighbour the best sentence asks for; 0 where it stands inside."""
    if not scored.sentences:
        return 0
    best = max(range(len(scored.sentences)), key=scored.sentences.__getitem__)
    after = [found.text[start:end] for start, end, _, _ in found.spans[best + 1 :]]
    if all(
        _ITEM.match(text) for text in after
    ):  # the last one, or at the head of what is listed up to the end
        return 1
    return -1 if best == 0 else 0


def _fetched(steps: dict[UUID, int], chunks: dict[UUID, Candidate]) -> dict[UUID, Neighbour]:
    rows = rows_of(_STATEMENT, {"ids": list(steps), "steps": list(steps.values())})
    return {row[0]: Neighbour(_candidate(chunks[row[0]], row), steps[row[0]]) for row in rows}


def _candidate(beside: Candidate, row: tuple[Any, ...]) -> Candidate:
    _, chunk_id, page, page_label, text, spans, words = row
    return replace(
        beside,
        chunk_id=chunk_id,
        page=page,
        page_label=page_label,
        text=text,
        spans=quads(spans),
        words=bytes(words),
    )


def _extended(question: Question, found: Candidate, scored: Match, neighbour: Neighbour) -> Ranked:
    """The passage with its neighbour's nearest sentences. It is cited by the page on which its best words stand."""
    other = neighbour.chunk
    own = list(zip(found.spans, scored.sentences, strict=True))
    theirs = list(zip(other.spans, match(question, [other])[0].sentences, strict=True))
    if neighbour.step > 0:
        theirs = [pair for pair in theirs if pair[0][1] <= CARRIED]
        piece = other.text[: theirs[-1][0][1]] if theirs else ""
        text, pairs = f"{found.text}\n{piece}", own + _moved(theirs, by=len(found.text) + 1)
    else:
        theirs = [pair for pair in theirs if len(other.text) - pair[0][0] <= CARRIED]
        first = theirs[0][0][0] if theirs else 0
        piece = other.text[first:] if theirs else ""
        text = f"{piece}\n{found.text}"
        pairs = _moved(theirs, by=-first) + _moved(own, by=len(piece) + 1)
    if not piece:
        return found, scored
    best_there = max(score for _, score in theirs) > max(scored.sentences)
    place = other if best_there else found
    return (
        replace(
            found,
            text=text,
            spans=tuple(span for span, _ in pairs),
            page=place.page,
            page_label=place.page_label,
        ),
        replace(scored, sentences=tuple(score for _, score in pairs)),
    )


Span = tuple[int, int, int, int]


def _moved(pairs: Sequence[tuple[Span, float]], *, by: int) -> list[tuple[Span, float]]:
    return [((start + by, end + by, page, words), score) for (start, end, page, words), score in pairs]
