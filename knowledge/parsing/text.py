"""Plain text: paragraphs by blank lines, headings where they are underlined, lists by their marks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from knowledge.blocks import Block, BlockKind, ParsedDocument
from knowledge.parsing.cleaning import cleaned
from knowledge.parsing.decoding import decode
from knowledge.parsing.limits import Limits

LIST_MARK = re.compile(r"^\s{0,6}(?:[-*+•‣▪●–◦]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])\s+")
_UNDERLINE = re.compile(r"^(?:={3,}|-{3,}|~{3,})\s*$")
_MAX_HEADING = 120


def parse(data: bytes, *, limits: Limits, charset: str = "") -> ParsedDocument:
    blocks = tuple(cleaned(_blocks(decode(data, declared=charset))))
    title = blocks[0].text if blocks and blocks[0].kind is BlockKind.HEADING else ""
    return ParsedDocument(title=title, language="", blocks=blocks, media_type="text/plain")


def _blocks(text: str) -> Iterator[Block]:
    for paragraph in re.split(r"\n[^\S\n]*\n+", text.replace("\r\n", "\n").replace("\r", "\n")):
        lines = [line for line in paragraph.split("\n") if line.strip()]
        if len(lines) >= 2 and _UNDERLINE.match(lines[1]) and len(lines[0]) <= _MAX_HEADING:
            yield Block(BlockKind.HEADING, lines[0], level=1 if lines[1].startswith("=") else 2)
            lines = lines[2:]
        yield from _paragraph(lines)


def _paragraph(lines: list[str]) -> Iterator[Block]:
    """List items apart, other lines joined."""
    current: list[str] = []
    kind = BlockKind.PARAGRAPH
    for line in lines:
        if LIST_MARK.match(line):
            if current:
                yield Block(kind, " ".join(current))
            current, kind = [LIST_MARK.sub("", line)], BlockKind.LIST_ITEM
        else:
            current.append(line)
    if current:
        yield Block(kind, " ".join(current))
