"""Reads the text of a passage as what it is: sentences, list items, table rows, headings, questions, answers.

The extractive model needs this to quote a step of a list as a step and a table row under its header, and to
give the answer of a question-and-answer pair instead of its question.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from .contract import Passage, Sentence

Kind = Literal["prose", "item", "row", "heading", "question", "code"]
BlockKind = Literal[Kind, "answer", "rule"]
PROSE = ("prose", "answer")

ITEM = re.compile(r"^(?P<indent>\s*)(?P<marker>[-*+•·–▪]|\d{1,3}[.)]|[a-z][.)])\s+(?P<text>\S.*)$")
ROW = re.compile(r"^\s*\|.*\|\s*$")
RULE = re.compile(r"^\s*\|?[\s:|-]*-{2,}[\s:|-]*\|?\s*$")
HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(?P<text>.+?)\s*#*\s*$")
BOLD_LINE = re.compile(r"^\s*(\*\*|__)(?P<text>[^*_]+)\1:?\s*$")
QUESTION = re.compile(r"^\s*(?:\*\*)?(?:Q|Question|Frage|Pregunta)\s*[:.]\s*(?:\*\*)?\s*(?P<text>.+)$")
ANSWER = re.compile(r"^\s*(?:\*\*)?(?:A|Answer|Antwort|Respuesta|Réponse)\s*[:.]\s*(?:\*\*)?\s*(?P<text>.+)$")
FENCE = re.compile(r"^\s*(```|~~~)")
ENDS_SENTENCE = re.compile(r"[.!?…:;。！？؟][\"'”’)\]]*$")
HEADING_CHARS = 80
ASKS = ("?", "？", "؟")  # how a question ends


@dataclass(frozen=True)
class Block:
    """A run of lines of one kind; `start` and `end` are offsets into the passage's text."""

    kind: BlockKind
    start: int
    end: int
    text: str
    marker: str = ""


@dataclass(frozen=True)
class Unit:
    """The smallest thing that is quoted. Units of one `group` stand next to each other in the source.

    `header` is the header row of the table that a row belongs to. `own` is its score before its passage's is added.
    """

    n: int
    position: int
    group: int
    kind: Kind
    text: str
    score: float
    marker: str = ""
    header: str = ""
    own: float = 0.0

    @property
    def leads_in(self) -> bool:
        return self.kind == "prose" and self.text.endswith((":", "："))

    @property
    def ordered(self) -> bool:
        return self.kind == "item" and self.marker[:1].isalnum()


def read_units(passage: Passage) -> list[Unit]:
    """Return the units of `passage` in reading order, each with the score of the sentences it is made of."""
    units: list[Unit] = []
    group, header, last = 0, "", ""
    for block in _blocks(passage.text):
        if block.kind == "rule":  # the row above a table's rule is its header
            header = units.pop().text if last == "row" else ""
            continue
        if block.kind != last or block.kind == "prose":
            group += 1
            header = header if block.kind == "row" else ""
        last = block.kind
        for text, score in _scored(block, passage.sentences):
            asks = block.kind in PROSE and text.endswith(ASKS)
            kind: Kind = "question" if asks else "prose" if block.kind == "answer" else block.kind
            units.append(Unit(passage.n, len(units), group, kind, text, score, block.marker, header))
    return units


def _scored(block: Block, sentences: tuple[Sentence, ...]) -> Iterator[tuple[str, float]]:
    """Split prose into its sentences; anything else is one unit that takes its best sentence's score."""
    inside = [s for s in sentences if s.start < block.end and s.end > block.start]
    if block.kind not in PROSE:
        yield block.text, max((s.score for s in inside), default=0.0)
        return
    for sentence in inside:
        first, last = max(sentence.start, block.start), min(sentence.end, block.end)
        text = " ".join(block.text[first - block.start : last - block.start].split())
        if text:
            yield text, sentence.score


def _blocks(text: str) -> list[Block]:
    blocks: list[Block] = []
    fenced = False
    for start, line in _lines(text):
        fence = bool(FENCE.match(line))
        code = Block("code", start, start + len(line), line)
        _append(blocks, code if fence or fenced else _read_line(start, line), text)
        fenced = fenced != fence
    kept = [block for block in blocks if block.text.strip()]
    return [_settled(block, last=block is kept[-1]) for block in kept]


def _lines(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    for line in text.splitlines(keepends=True):
        yield start, line.rstrip()
        start += len(line)


def _read_line(start: int, line: str) -> Block:
    """Read one line outside of code; an empty prose block marks a blank line."""
    end = start + len(line)
    if RULE.match(line):
        return Block("rule", start, end, line)
    if ROW.match(line):
        return Block("row", start, end, line.strip())
    if found := HEADING.match(line) or BOLD_LINE.match(line):
        return Block("heading", start, end, found["text"].strip())
    if found := ITEM.match(line):
        return Block("item", start, end, found["text"], found["indent"] + found["marker"])
    if found := QUESTION.match(line):
        return Block("question", start, end, found["text"].strip("* "))
    if found := ANSWER.match(line):
        return Block("answer", start + found.start("text"), end, found["text"])
    return Block("prose", start, end, line)


def _append(blocks: list[Block], block: Block, text: str) -> None:
    """Add a line's block, joined to the one before where the line only continues it."""
    last = blocks[-1] if blocks else None
    if last is not None and last.kind == block.kind == "code":
        blocks[-1] = replace(last, end=block.end, text=text[last.start : block.end])
    elif last is None or not last.text or not block.text.strip():
        blocks.append(block)
    elif block.kind == "prose" and last.kind in PROSE:
        blocks[-1] = replace(last, end=block.end, text=text[last.start : block.end])
    elif block.kind == "prose" and last.kind in ("item", "question"):
        blocks[-1] = replace(last, end=block.end, text=f"{last.text} {block.text.strip()}")
    else:
        blocks.append(block)


def _settled(block: Block, *, last: bool) -> Block:
    """Take a short line of its own without a full stop for a heading that lost its markup."""
    plain = block.text.strip()
    if block.kind != "prose" or last or "\n" in plain or len(plain) > HEADING_CHARS:
        return block
    return block if ENDS_SENTENCE.search(plain) else replace(block, kind="heading", text=plain)
