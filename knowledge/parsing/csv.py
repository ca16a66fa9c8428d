"""Comma, semicolon or tab separated values: a row a block, anchored as RFC 7111 says (`#row=5`)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from knowledge.blocks import ParsedDocument
from knowledge.parsing.decoding import decode
from knowledge.parsing.errors import ParseError
from knowledge.parsing.limits import Limits
from knowledge.parsing.sheets import row_blocks

MEDIA_TYPE = "text/csv"
_DELIMITERS = ",;\t|"
_SEPARATOR = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
SAMPLE = 4_000  # characters; what the sniffer takes grows with their square where quotes do not match


def parse(data: bytes, *, limits: Limits, charset: str = "") -> ParsedDocument:
    rows = read_rows(decode(data, declared=charset))
    try:
        blocks = tuple(row_blocks(enumerate(rows, start=1), anchor=lambda number: f"row={number}"))
    except csv.Error as error:
        raise ParseError("This file is not a table: its quotes do not match.") from error
    return ParsedDocument(title="", language="", blocks=blocks, media_type=MEDIA_TYPE)


def read_rows(text: str) -> Iterator[list[str]]:
    """The rows, whichever of the usual separators they use. Raises csv.Error while reading."""
    csv.field_size_limit(1_000_000)
    if told := _SEPARATOR.match(text):  # as Excel writes and reads it
        return csv.reader(io.StringIO(text[told.end() :], newline=""), delimiter=told.group(1))
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(text[:SAMPLE], _DELIMITERS)
    except csv.Error:
        dialect = csv.excel
    return csv.reader(io.StringIO(text, newline=""), delimiter=dialect.delimiter)
