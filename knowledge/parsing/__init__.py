"""Bytes to a ParsedDocument: one module a format, chosen by what the bytes are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import PurePosixPath
from typing import Protocol, cast

from knowledge.blocks import BlockKind, ParsedDocument
from knowledge.language import guess_language
from knowledge.parsing.cleaning import smuggled
from knowledge.parsing.errors import DocumentTooLarge, NothingToRead, UnsupportedDocument
from knowledge.parsing.limits import Limits
from knowledge.parsing.scan import Scan
from knowledge.parsing.selecting import Selectors
from knowledge.parsing.sniff import MediaType, sniff

MAX_TITLE = 300
_MAX_TARGETS = 1000
_MAX_ADDRESS = 2000
_WITH_ADDRESSES = {
    MediaType.TEXT, MediaType.MARKDOWN, MediaType.CSV, MediaType.JSON, MediaType.QUESTIONS, MediaType.XLSX,
    MediaType.EPUB,
}  # fmt: skip
# Without those that go on with a placeholder.
_ADDRESS = re.compile(r"""\bhttps?://[^\s<>"'`|{}\\^\[\]…]++(?![{<\[…])""", re.IGNORECASE)


class Parser(Protocol):
    def __call__(self, data: bytes, *, limits: Limits, charset: str = "") -> ParsedDocument: ...


class ScanParser(Protocol):
    def __call__(self, data: bytes, *, limits: Limits, scan: Scan) -> ParsedDocument: ...


_MODULES = {
    MediaType.PDF: "pdf",
    MediaType.DOCX: "docx",
    MediaType.PPTX: "pptx",
    MediaType.XLSX: "xlsx",
    MediaType.CSV: "csv",
    MediaType.EPUB: "epub",
    MediaType.JSON: "json",
    MediaType.MARKDOWN: "markdown",
    MediaType.TEXT: "text",
    MediaType.QUESTIONS: "qa",
    MediaType.PNG: "picture",
    MediaType.JPEG: "picture",
}
_MAY_BE_SCANS = {MediaType.PDF, MediaType.PNG, MediaType.JPEG}


def parser_for(media_type: MediaType) -> Parser:
    """Parsers are imported when they are needed: each brings a library of its own."""
    if media_type is MediaType.ZIP:
        raise UnsupportedDocument("An archive inside an archive is not opened.")
    module = import_module(f"knowledge.parsing.{_MODULES[media_type]}")
    return cast("Parser", module.parse)


def parse(
    data: bytes,
    *,
    name: str = "",
    charset: str = "",
    limits: Limits | None = None,
    selectors: Selectors | None = None,
    sheets: Mapping[str, str] | None = None,
    scan: Scan | None = None,
) -> ParsedDocument:
    """Read a document in this process. Raises ParseError.

    For bytes from outside use `parsing.sandbox.parse_apart`: a hostile file can crash or exhaust its reader.
    `sheets` are the texts of linked style sheets by the addresses in `ParsedDocument.sheets`. The `scan` knows of
    pictures of text that were read before.
    """
    limits = limits or Limits()
    kind = sniff(data, name=name)
    if kind in _MAY_BE_SCANS:
        parsed = cast("ScanParser", parser_for(kind))(data, limits=limits, scan=scan or Scan())
    else:
        parsed = _read(data, kind, limits=limits, charset=charset, selectors=selectors, sheets=sheets or {})
    if not any(block.kind is not BlockKind.HEADING for block in parsed.blocks) and not parsed.characters:
        raise NothingToRead
    if parsed.characters > limits.characters:
        raise DocumentTooLarge(f"This document holds more than {limits.characters:,} characters.")
    title = parsed.title or PurePosixPath(name).stem
    hidden = "\n".join(filter(None, (parsed.hidden, smuggled(data))))
    return replace(
        parsed, title=title[:MAX_TITLE], language=_language(parsed), hidden=hidden, targets=_targets(parsed)
    )


def _read(
    data: bytes,
    kind: MediaType,
    *,
    limits: Limits,
    charset: str,
    selectors: Selectors | None,
    sheets: Mapping[str, str],
) -> ParsedDocument:
    if kind is MediaType.HTML:
        from knowledge.parsing.html import parse as parse_html

        return parse_html(data, limits=limits, charset=charset, selectors=selectors, sheets=sheets)
    return parser_for(kind)(data, limits=limits, charset=charset)


def _targets(parsed: ParsedDocument) -> tuple[str, ...]:
    """Each once, without places in the document itself."""
    given = (target.strip() for target in (*parsed.targets, *_written_out(parsed)))
    kept = (target for target in given if len(target) <= _MAX_ADDRESS and not target.startswith("#"))
    return tuple(dict.fromkeys(filter(None, kept)))[:_MAX_TARGETS]


def _written_out(parsed: ParsedDocument) -> Iterator[str]:
    """Addresses in the text itself, in formats without line ends in them. Those in code may be made up."""
    if parsed.media_type not in _WITH_ADDRESSES:
        return
    for block in parsed.blocks:
        found = () if block.kind is BlockKind.CODE else _ADDRESS.findall(block.text)
        for address in found:
            address = address.rstrip(".,;:!?*_~")
            yield address if "(" in address else address.rstrip(").,;:!?*_~")


def _language(parsed: ParsedDocument) -> str:
    """The text's own words are believed before what the file declares, which templates often get wrong."""
    text = "\n".join(block.text for block in parsed.blocks if block.kind is not BlockKind.CODE)
    return guess_language(text, default=parsed.language)
