"""Plain text: paragraphs by blank lines, headings where they are underlined, lists by their marks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from knowledge.blocks import Block, BlockKind, ParsedDocument
from knowledge.parsing.cleaning import cleaned
from knowledge.parsing.decoding import decode
from knowledge.parsing.limits import Limits

LIST_MARK = re.compile(r"^\s{0,6}(?:[-*+•‣▪●–◦]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])\s+")
_ORDINAL = re.compile(r"^\s{0,6}\(?(?:(\d{1,3})|([a-z])|([A-Z]))[.)]\s")
_UNDERLINE = re.compile(r"^(?:={3,}|-{3,}|~{3,})\s*$")
_MAX_HEADING = 120


def parse(data: bytes, *, limits: Limits, charset: str = "") -> ParsedDocument:
    blocks = tuple(cleaned(_blocks(decode(data, declared=charset))))
    title = blocks[0].text if blocks and blocks[0].kind is BlockKind.HEADING else ""
    return ParsedDocument(title=title, language="", blocks=blocks, media_type="text/plain")


def _blocks(text: str) -> Iterator[Block]:
    items = list_items(text.splitlines())
    for paragraph in re.split(r"\n[^\S\n]*\n+", text.replace("\r\n", "\n").replace("\r", "\n")):
        lines = [line for line in paragraph.split("\n") if line.strip()]
        if len(lines) >= 2 and _UNDERLINE.match(lines[1]) and len(lines[0]) <= _MAX_HEADING:
            yield Block(BlockKind.HEADING, lines[0], level=1 if lines[1].startswith("=") else 2)
            lines = lines[2:]
        yield from _paragraph(lines, items)


def list_items(lines: Iterable[str]) -> frozenset[str]:
    """Lines whose mark is one of a list: a sign, or a number or letter after the one before in the same list. Others
    are words of the text: "24. December", "S. Miller".
    """
    items: set[str] = set()
    before: dict[int, tuple[int, str]] = {}
    for line in filter(LIST_MARK.match, lines):
        found = _ORDINAL.match(line)
        if not found:
            items.add(line)
            continue
        kind, number = _place(found.groups())
        last, other = before.get(kind, (number, ""))
        if number == last + 1:
            items |= {other, line}
        before[kind] = number, line
    return frozenset(items)


def _place(groups: Sequence[str | None]) -> tuple[int, int]:
    """Which kind of mark it is, and its number in a list."""
    kind, mark = next((kind, mark) for kind, mark in enumerate(groups) if mark)
    return kind, int(mark) if mark.isdecimal() else ord(mark)


def _paragraph(lines: list[str], items: frozenset[str]) -> Iterator[Block]:
    """List items apart, other lines joined."""
    current: list[str] = []
    kind = BlockKind.PARAGRAPH
    for line in lines:
        if line in items:
            if current:
                yield Block(kind, " ".join(current))
            current, kind = [LIST_MARK.sub("", line)], BlockKind.LIST_ITEM
        else:
            current.append(line)
    if current:
        yield Block(kind, " ".join(current))
