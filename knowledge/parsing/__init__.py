"""Bytes to a ParsedDocument: one module a format, chosen by what the bytes are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import Protocol

from knowledge.blocks import BlockKind, ParsedDocument
from knowledge.language import guess_language
from knowledge.parsing.errors import DocumentTooLarge, NothingToRead
from knowledge.parsing.limits import Limits
from knowledge.parsing.sniff import MediaType, sniff

MAX_TITLE = 300


class Parser(Protocol):
    def __call__(self, data: bytes, *, limits: Limits, charset: str = "") -> ParsedDocument: ...


def parser_for(media_type: MediaType) -> Parser:
    """Parsers are imported when they are needed: each brings a library of its own."""
    match media_type:
        case MediaType.PDF:
            from knowledge.parsing.pdf import parse
        case MediaType.DOCX:
            from knowledge.parsing.docx import parse
        case MediaType.HTML:
            from knowledge.parsing.html import parse
        case MediaType.MARKDOWN:
            from knowledge.parsing.markdown import parse
        case MediaType.TEXT:
            from knowledge.parsing.text import parse
    return parse


def parse(data: bytes, *, name: str = "", charset: str = "", limits: Limits | None = None) -> ParsedDocument:
    """Read a document in this process. Raises ParseError.

    For bytes from outside use `parsing.sandbox.parse_apart`: a hostile file can crash or exhaust its reader.
    """
    limits = limits or Limits()
    parsed = parser_for(sniff(data, name=name))(data, limits=limits, charset=charset)
    if not any(block.kind is not BlockKind.HEADING for block in parsed.blocks) and not parsed.characters:
        raise NothingToRead
    if parsed.characters > limits.characters:
        raise DocumentTooLarge(f"This document holds more than {limits.characters:,} characters.")
    title = parsed.title or PurePosixPath(name).stem
    return replace(parsed, title=title[:MAX_TITLE], language=_language(parsed))


def _language(parsed: ParsedDocument) -> str:
    """The text's own words are believed before what the file declares, which templates often get wrong."""
    text = "\n".join(block.text for block in parsed.blocks if block.kind is not BlockKind.CODE)
    return guess_language(text, default=parsed.language)
