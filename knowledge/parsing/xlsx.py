"""Excel workbooks: a heading a sheet, a block a row; numbers as the sheet shows them."""

from __future__ import annotations

import io
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from itertools import islice, zip_longest
from typing import Any, NamedTuple

import openpyxl
from defusedxml.ElementTree import DefusedXMLParser
from openpyxl.utils import range_boundaries

from knowledge.blocks import Block, BlockKind, ParsedDocument
from knowledge.parsing.cleaning import cleaned, one_line
from knowledge.parsing.limits import MAX_HIDDEN, Limits
from knowledge.parsing.packages import damage_refused, refuse_declarations
from knowledge.parsing.sheets import Row, looks_like_header, row_blocks

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MAX_COLUMNS = 200
_MAX_HIDDEN_ROWS = 1000
Cells = tuple[int, list[str]]  # a row's number, counted from 1, and its cells
_CURRENCY = re.compile(r"\[\$([^\]-]+)[^\]]*\]|\"\s*([^\"\d]{1,4}?)\s*\"|([$€£¥])")
_FILLING = re.compile(
    r"_.|\*.|\\"
)  # a space as wide as a sign, a sign that fills the cell, and the mark of a plain sign
_DECIMALS = re.compile(r"0\.(0+)")


@damage_refused()
def parse(data: bytes, *, limits: Limits, charset: str = "") -> ParsedDocument:
    refuse_declarations(data)
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # what the file says about its size may be wrong, or a bomb
    shown_sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    hidden_sheets = [sheet for sheet in book.worksheets if sheet.sheet_state != "visible"]
    hidden: list[str] = []
    places = [_places(sheet) for sheet in shown_sheets]
    sheets = zip(shown_sheets, places, strict=True)
    blocks = tuple(cleaned(block for sheet, place in sheets for block in _sheet(sheet, place, hidden)))
    notes = ["Hidden rows and columns were left out."] if hidden else []
    if hidden_sheets:
        notes.append("Hidden sheets were left out.")
    if unsolved := sum(place.unsolved for place in places):
        notes.append(
            f"{unsolved} formula{'s have' if unsolved > 1 else ' has'} no stored result and could not be read. Open and"
            " save the workbook in a spreadsheet program, and upload it again."
        )
    for sheet in hidden_sheets:
        _note(hidden, (cell for _, cells in islice(_cells(sheet), _MAX_HIDDEN_ROWS) for cell in cells))
    return ParsedDocument(
        title=one_line(book.properties.title or ""),
        language=(book.properties.language or "")[:2].lower(),
        blocks=blocks,
        media_type=MEDIA_TYPE,
        notes=tuple(notes),
        hidden="\n".join(hidden)[:MAX_HIDDEN],
    )


def _sheet(sheet: Any, places: _Places, hidden: list[str]) -> Iterator[Block]:
    """`sheet` is openpyxl's read-only worksheet, which has no public type; `hidden` takes what it does not show."""
    yield Block(BlockKind.HEADING, sheet.title, level=1)
    rows = _shown_rows(_with_one_header(_unmerged(_cells(sheet), places), places), places, hidden)
    yield from row_blocks(rows, anchor=lambda number: f"{sheet.title}!A{number}"[:200])


def _unmerged(rows: Iterable[Cells], places: _Places) -> Iterator[Cells]:
    """A cell that was merged over several rows stands in each of them."""
    going_on: list[tuple[Merged, str]] = []
    for number, cells in rows:
        for one, text in going_on:
            cells += [""] * (one.left - len(cells))
            cells[one.left - 1] = text
        begun = [(one, cells[one.left - 1]) for one in places.merged[number] if one.left <= len(cells)]
        going_on = [(one, text) for one, text in (*going_on, *begun) if one.bottom > number]
        yield number, cells


def _with_one_header(rows: Iterable[Cells], places: _Places) -> Iterator[Cells]:
    """Where the first of two rows of column names has names over several columns, both become one row."""
    above: Cells | None = None
    is_past = False
    for number, cells in rows:
        if above is not None:
            names = [
                " ".join(dict.fromkeys(filter(None, pair)))
                for pair in zip_longest(_spread(above, places), cells)
            ]
            if looks_like_header(names) and number not in places.rows:
                yield number, names
            else:
                yield above
                yield number, cells
            above = None
        elif not is_past and len(list(filter(None, cells))) > 1 and number not in places.rows:
            is_past = True
            if any(one.right > one.left for one in places.merged[number]):
                above = number, cells
            else:
                yield number, cells
        else:
            yield number, cells
    if above is not None:
        yield above


def _spread(row: Cells, places: _Places) -> list[str]:
    number, cells = row
    spread = list(cells)
    for one in places.merged[number]:
        spread[one.left : one.right] = [cells[one.left - 1]] * len(spread[one.left : one.right])
    return spread


def _shown_rows(rows: Iterable[Cells], places: _Places, hidden: list[str]) -> Iterator[Row]:
    for number, cells in rows:
        if number in places.rows:
            _note(hidden, cells)
        else:
            _note(hidden, (cells[column] for column in places.columns if column < len(cells)))
            yield number, [cell for column, cell in enumerate(cells) if column not in places.columns]


def _note(hidden: list[str], cells: Iterable[str]) -> None:
    if len(hidden) < _MAX_HIDDEN_ROWS and (text := one_line(" ".join(cells))):
        hidden.append(text)


def _cells(sheet: Any) -> Iterator[Cells]:
    for number, cells in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS), start=1):
        yield number, [shown(cell.value, getattr(cell, "number_format", "General")) for cell in cells]


class Merged(NamedTuple):
    """Where a merged cell stands, counted from 1."""

    left: int
    right: int
    bottom: int


@dataclass
class _Places:
    """Rows (from 1) and columns (from 0) that a sheet hides, and merged cells by their first row; a target of an XML
    parser. Groups that can be unfolded are in view, as are rows that a filter takes away for the moment. `unsolved`
    counts formulas whose result the file does not hold.
    """

    rows: set[int] = field(default_factory=set)
    columns: set[int] = field(default_factory=set)
    merged: defaultdict[int, list[Merged]] = field(default_factory=lambda: defaultdict(list))
    row: int = 0
    unsolved: int = 0
    has_formula: bool = False
    in_value: bool = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        name = tag.rpartition("}")[2]
        is_hidden = attributes.get("hidden") in {"1", "true"} and attributes.get("outlineLevel", "0") == "0"
        if name == "row":
            self.row = int(attributes.get("r", self.row + 1))
            if is_hidden:
                self.rows.add(self.row)
        elif name == "col" and is_hidden:
            first, last = int(attributes["min"]), min(int(attributes["max"]), MAX_COLUMNS)
            self.columns.update(range(first - 1, last))
        elif name == "f":
            self.unsolved += 1
            self.has_formula = True
        elif name == "v":
            self.in_value = True
        elif name == "c":
            self.has_formula = False
        elif name == "filterColumn":
            self.rows.clear()
        elif name == "mergeCell":
            left, top, right, bottom = range_boundaries(attributes["ref"])
            if left and top and right and bottom and left <= MAX_COLUMNS:
                self.merged[top].append(Merged(left, right, bottom))

    def end(self, tag: str) -> None:
        self.in_value = False

    def data(self, _text: str) -> None:
        if self.in_value and self.has_formula:
            self.unsolved -= 1
            self.has_formula = False

    def close(self) -> None:
        """Nothing is left to do."""


def _places(sheet: Any) -> _Places:
    places = _Places()
    parser = DefusedXMLParser(target=places)
    with sheet._get_source() as source:  # openpyxl reads these attributes only with the whole sheet in memory
        while part := source.read(1 << 16):
            parser.feed(part)
    parser.close()
    return places


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
        case int() | float() if value not in (math.inf, -math.inf):
            return _number(value, number_format)
        case _:
            return str(value)


def _number(value: float, number_format: str) -> str:
    positive = _FILLING.sub("", number_format.split(";")[0])
    decimals = len(found.group(1)) if (found := _DECIMALS.search(positive)) else 0
    if "%" in positive:
        return f"{_rounded(value, decimals + 2) * 100:.{decimals}f}%"
    currency = _CURRENCY.search(positive)
    symbol = next(filter(None, currency.groups()), "") if currency else ""
    if not symbol:
        return f"{_rounded(value, decimals):,}" if decimals else f"{value:.15g}"
    amount = f"{_rounded(value, decimals):,}"
    before = currency is not None and currency.start() < positive.find("0")
    return f"{symbol}{amount}" if before else f"{amount} {symbol}"


def _rounded(value: float, decimals: int) -> Decimal:
    """As spreadsheets do it: a half goes up, and 0.285 is meant where that is the shortest way to write it."""
    exact = Decimal(repr(value))
    return exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP) if exact.adjusted() < 15 else exact
