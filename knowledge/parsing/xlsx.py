"""Excel workbooks: a heading a sheet, a block a row; numbers as the sheet shows them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

import openpyxl

from knowledge.blocks import Block, BlockKind, ParsedDocument
from knowledge.parsing.cleaning import cleaned, one_line
from knowledge.parsing.limits import Limits
from knowledge.parsing.packages import damage_refused, refuse_declarations
from knowledge.parsing.sheets import Row, row_blocks

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MAX_COLUMNS = 200
_CURRENCY = re.compile(r"\[\$([^\]-]+)[^\]]*\]|\"\s*([^\"\d]{1,4}?)\s*\"|([$€£¥])")
_DECIMALS = re.compile(r"0\.(0+)")


@damage_refused()
def parse(data: bytes, *, limits: Limits, charset: str = "") -> ParsedDocument:
    refuse_declarations(data)
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    shown = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    notes = ("Hidden sheets were left out.",) if len(shown) < len(book.worksheets) else ()
    return ParsedDocument(
        title=one_line(book.properties.title or ""),
        language=(book.properties.language or "")[:2].lower(),
        blocks=tuple(cleaned(block for sheet in shown for block in _sheet(sheet))),
        media_type=MEDIA_TYPE,
        notes=notes,
    )


def _sheet(sheet: Any) -> Iterator[Block]:
    """`sheet` is openpyxl's read-only worksheet, which has no public type."""
    sheet.reset_dimensions()  # what the file says about its size may be wrong, or a bomb
    yield Block(BlockKind.HEADING, sheet.title, level=1)
    yield from row_blocks(_rows(sheet), anchor=lambda number: f"{sheet.title}!A{number}"[:200])


def _rows(sheet: Any) -> Iterator[Row]:
    for number, cells in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS), start=1):
        yield number, [shown(cell.value, getattr(cell, "number_format", "General")) for cell in cells]


def shown(value: object, number_format: str) -> str:
    """A cell as people see it: 0.19 as 19%, 49 as $49.00, midnight as a day."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "minutes")
        case date() | time():
            return value.isoformat()
        case int() | float():
            return _number(value, number_format)
        case _:
            return str(value)


def _number(value: float, number_format: str) -> str:
    positive = number_format.split(";")[0]
    decimals = len(found.group(1)) if (found := _DECIMALS.search(positive)) else 0
    if "%" in positive:
        return f"{value * 100:.{decimals}f}%"
    currency = _CURRENCY.search(positive)
    symbol = next(filter(None, currency.groups()), "") if currency else ""
    if not symbol:
        return f"{value:,.{decimals}f}" if decimals else f"{value:.15g}"
    amount = f"{value:,.{decimals}f}"
    before = currency is not None and currency.start() < positive.find("0")
    return f"{symbol}{amount}" if before else f"{amount} {symbol}"
