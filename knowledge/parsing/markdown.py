"""Markdown: rendered by markdown-it and read as HTML, so that both know the same blocks."""

from __future__ import annotations

import re
from dataclasses import replace

from markdown_it import MarkdownIt

from knowledge.blocks import BlockKind, ParsedDocument
from knowledge.parsing import html
from knowledge.parsing.decoding import decode
from knowledge.parsing.limits import Limits

# YAML between dashes, or TOML between plus signs.
_FRONT_MATTER = re.compile(
    r"\A(?:---[^\S\n]*\n(?P<yaml>.*?)\n(?:---|\.\.\.)|\+\+\+[^\S\n]*\n(?P<toml>.*?)\n\+\+\+)[^\S\n]*(?:\n|\Z)",
    re.DOTALL,
)
_FRONT_TITLE = re.compile(r"^title(?:[^\S\n]*=|:)[^\S\n]*[\"']?(.+?)[\"']?[^\S\n]*$", re.MULTILINE)


def parse(data: bytes, *, limits: Limits, charset: str = "") -> ParsedDocument:
    source = decode(data, declared=charset).replace("\r\n", "\n")
    front = _FRONT_MATTER.match(source)
    rendered = MarkdownIt("commonmark").enable("table").render(source[front.end() :] if front else source)
    parsed = html.parse_text(f"<body>{rendered}</body>", limits=limits)
    titled = _FRONT_TITLE.search(front["yaml"] or front["toml"] or "") if front else None
    first = next((block for block in parsed.blocks if block.kind is BlockKind.HEADING), None)
    title = titled.group(1) if titled else parsed.title or (first.text if first else "")
    return replace(parsed, title=title, media_type="text/markdown")
