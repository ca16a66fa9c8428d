"""Questions and answers as they are kept: JSON pairs. A pair is a passage of its own, its question on top."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from knowledge.blocks import Block, BlockKind, ParsedDocument
from knowledge.parsing.cleaning import cleaned
from knowledge.parsing.errors import ParseError
from knowledge.parsing.limits import Limits

MEDIA_TYPE = "application/vnd.netvexa.questions+json"
NAME = "questions.qa"
MAX_QUESTION = 300
MAX_ANSWER = 20_000


@dataclass(frozen=True, slots=True)
class Pair:
    question: str
    answer: str


def dump(pairs: Sequence[Pair]) -> bytes:
    return json.dumps([asdict(pair) for pair in pairs], ensure_ascii=False, indent=1).encode()


def load(data: bytes) -> list[Pair]:
    """Raises ParseError where the bytes are not pairs."""
    try:
        return [Pair(str(row["question"]), str(row["answer"])) for row in json.loads(data)]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ParseError from error


def parse(data: bytes, *, limits: Limits, charset: str = "") -> ParsedDocument:
    return ParsedDocument(
        title="", language="", blocks=tuple(cleaned(_blocks(load(data)))), media_type=MEDIA_TYPE
    )


def _blocks(pairs: Sequence[Pair]) -> Iterator[Block]:
    for number, pair in enumerate(pairs, start=1):
        yield Block(BlockKind.HEADING, pair.question, level=1, anchor=f"q{number}", alone=True)
        for part in pair.answer.split("\n\n"):
            yield Block(BlockKind.PARAGRAPH, part, anchor=f"q{number}")
