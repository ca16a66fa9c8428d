"""Tables of a page, found by where words stand: one under the other, with wide gaps between the columns.

Many tables have no ruling lines, so these only help: they tell which lines of text are one row, and that two rows are a
table already. What could as well be prose in columns, a list, or words that were spread to fill a line, is left alone.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from knowledge.parsing.pdf_lines import Cell, Line, Rules, joined
from knowledge.parsing.sheets import looks_like_header
from knowledge.parsing.tables import table_rows
from knowledge.parsing.text import LIST_MARK

# In sizes of the letters, from baseline to baseline or from side to side:
_NEXT_ROW, _NEXT_RULED_ROW = 3.2, 6.0  # further down, it is no row of the same table
_LEADING = 1.6  # from a line of a cell to its next
_GAP = 1.2  # between columns in the usual row
_GUTTER = 0.3  # that no row may fill

_SAME_SIZE = 1.5  # points that the sizes of two rows may differ by
_LOOKED_BACK = 8  # lines of a row's other cells
_PROSE_ROWS, _PROSE_CELL, _PROSE_LOWER = (
    4,
    25,
    1 / 3,
)  # rows, letters of a cell, share that goes on a sentence


@dataclass(frozen=True, slots=True)
class Table:
    """`rows` hold a cell for each column; the first names them if there is a header."""

    page: int
    rows: tuple[tuple[str, ...], ...]
    columns: tuple[Cell, ...]
    has_header: bool

    def texts(self) -> Iterator[str]:
        return table_rows(self.rows, has_header=self.has_header)

    def after(self, before: Table) -> Table:
        """This table with the header of the one before where it goes on with its columns."""
        header = before.rows[0]
        goes_on = len(self.columns) == len(before.columns) and _fitted(before.columns, self.columns)
        if not before.has_header or not goes_on or (self.has_header and self.page == before.page):
            return self
        rows = self.rows[1:] if self.rows[0] == header else self.rows
        return replace(self, rows=(header, *rows), has_header=True)


@dataclass(frozen=True, slots=True)
class _Row:
    """Lines that stand side by side; `top` and `bottom` are their highest and lowest baselines."""

    lines: tuple[Line, ...]
    cells: tuple[Cell, ...]

    @property
    def top(self) -> float:
        return max(line.bottom for line in self.lines)

    @property
    def bottom(self) -> float:
        return min(line.bottom for line in self.lines)

    @property
    def left(self) -> float:
        return self.cells[0].left

    @property
    def size(self) -> float:
        return self.lines[0].size


def tables_in(lines: Sequence[Line], rules: Mapping[int, Rules]) -> Iterator[Line | Table]:
    """The lines, and in place of those that make a table, the table. One line, or the end of a page, may part it."""
    before: Table | None = None
    between = 0
    for page, on_page in groupby(lines, key=lambda line: line.page):
        for item in _in_page(list(on_page), rules.get(page, ())):
            if isinstance(item, Table):
                found = item.after(before) if before and between <= 1 else item
                before, between = found, 0
                yield found
            else:
                between += 1
                yield item


def _in_page(lines: Sequence[Line], rules: Rules) -> Iterator[Line | Table]:
    if sum(bool(line.cells) for line in lines) < 2:
        yield from lines
        return
    rows = _rows(lines, rules)
    at = 0
    while at < len(rows):
        columns, end = _reach(rows, at, rules)
        table = _table(rows[at:end], columns, rules)
        if table:
            yield table
            at = end
        else:
            yield from rows[at].lines
            at += 1


# Lines to rows


def _rows(lines: Sequence[Line], rules: Rules) -> list[_Row]:
    """A row's cells may follow each other in the file, each with all of its lines: then the next goes up again."""
    groups: list[list[Line]] = []
    for line in lines:
        start = _beside(groups, line, rules)
        row = [one for group in groups[start:] for one in group]
        groups[start:] = [[*row, line]]
    return [_Row(tuple(group), _cells(group)) for group in groups]


def _beside(groups: Sequence[Sequence[Line]], line: Line, rules: Rules) -> int:
    """Where the row begins that this line belongs to; after the last where it opens one."""
    alone = start = len(groups)
    if not groups or line.bottom < min(one.bottom for one in groups[-1]) - 1:
        return alone
    while start and min(one.bottom for one in groups[start - 1]) <= line.bottom + line.size / 2:
        start -= 1
        if sum(map(len, groups[start:])) > _LOOKED_BACK or any(
            _overlap(part, other)
            for one in groups[start]
            if abs(one.bottom - line.bottom) < line.size / 2
            for part in line.parts
            for other in one.parts
        ):
            return alone
    while 0 < start < alone and _is_above(groups[start - 1], groups[start][0], rules):
        start -= 1
    return start


def _is_above(group: Sequence[Line], line: Line, rules: Rules) -> bool:
    """Whether the one line of a group is the upper part of the cell that another goes on with."""
    (above, *others) = group
    if others or above.cells or not _overlap(above.parts[0], line.parts[0]):
        return False
    if _parted(rules, above.bottom, line.bottom, line.left):
        return False
    return above.bottom - line.bottom <= _LEADING * line.size or _is_boxed(rules, line.bottom, line.left)


def _cells(lines: Sequence[Line]) -> tuple[Cell, ...]:
    """The cells of a row from left to right, each with its lines from top to bottom."""
    if len(lines) == 1:
        return lines[0].parts
    columns: list[list[tuple[float, Cell]]] = []
    for line in lines:
        for part in line.parts:
            same = [column for column in columns if any(_overlap(part, other) for _, other in column)]
            columns = [column for column in columns if column not in same]
            columns.append([*(one for column in same for one in column), (-line.bottom, part)])
    cells = [
        Cell(
            joined(cell.text for _, cell in sorted(column, key=lambda one: (one[0], one[1].left))),
            min(cell.left for _, cell in column),
            max(cell.right for _, cell in column),
        )
        for column in columns
    ]
    return tuple(sorted(cells, key=lambda cell: cell.left))


def _overlap(one: Cell, other: Cell) -> bool:
    return one.left < other.right and other.left < one.right


def _parted(rules: Rules, upper: float, lower: float, at: float) -> bool:
    """Whether a level rule lies between two baselines."""
    return any(
        not rule.upright and lower < rule.at < upper and rule.start - 1 <= at <= rule.end + 1
        for rule in rules
    )


def _is_boxed(rules: Rules, baseline: float, at: float) -> bool:
    """Whether level rules lie above and below."""
    levels = [
        rule.at > baseline for rule in rules if not rule.upright and rule.start - 1 <= at <= rule.end + 1
    ]
    return any(levels) and not all(levels)


# Rows to tables


def _reach(rows: Sequence[_Row], first: int, rules: Rules) -> tuple[tuple[Cell, ...], int]:
    """The columns that stand from this row on, and where the rows end that keep to them."""
    columns, end = rows[first].cells, first + 1
    if len(columns) < 2:
        return columns, end
    for before, row in pairwise(rows[first:]):
        wider = _fitted(columns, row.cells) if _follows(before, row, rules) else None
        if wider is None or (len(row.cells) == 1 and not _goes_on(before, row, wider, rules)):
            break
        columns, end = wider, end + 1
    return columns, end


def _follows(before: _Row, row: _Row, rules: Rules) -> bool:
    if abs(before.size - row.size) > _SAME_SIZE or all(line.fixed_width for line in row.lines):
        return False
    most = _NEXT_RULED_ROW if _parted(rules, before.bottom, row.top, row.left) else _NEXT_ROW
    return 0 < before.bottom - row.top <= most * row.size


def _goes_on(before: _Row, row: _Row, columns: Sequence[Cell], rules: Rules) -> bool:
    """Whether these are further lines of the row before: some of its cells only, and no numbers."""
    if len(row.cells) == len(columns) or _parted(rules, before.bottom, row.top, row.left):
        return False
    if len(row.cells) == 1 and _is_boxed(rules, row.top, row.left):
        return True
    if before.bottom - row.top > _LEADING * row.size or any(_is_figure(cell.text) for cell in row.cells):
        return False
    return not _overlap(row.cells[0], columns[0]) or row.cells[0].text[:1].islower()


def _is_figure(text: str) -> bool:
    return any(map(str.isdigit, text)) and len(text) <= 12


def _fitted(columns: Sequence[Cell], cells: Sequence[Cell]) -> tuple[Cell, ...] | None:
    """The columns, made as wide as these cells need; None where the cells stand in no such columns."""
    if len(cells) > len(columns):
        columns, cells = cells, columns
    places = _places(columns, cells)
    if places is None:
        return None
    wider = list(columns)
    for place, cell in zip(places, cells, strict=True):
        column = wider[place]
        wider[place] = Cell("", min(column.left, cell.left), max(column.right, cell.right))
    return tuple(wider) if all(one.right < other.left for one, other in pairwise(wider)) else None


def _places(columns: Sequence[Cell], cells: Sequence[Cell]) -> list[int] | None:
    """The number of each cell's column, from 0: the one that it stands in, or else the nearest."""
    if len(cells) == len(columns):
        return list(range(len(columns)))
    places = []
    for cell in cells:
        within = [number for number, column in enumerate(columns) if _overlap(column, cell)]
        if len(within) > 1:
            return None
        places.append(within[0] if within else _nearest(columns, cell))
    return places if all(one < other for one, other in pairwise(places)) else None


def _nearest(columns: Sequence[Cell], cell: Cell) -> int:
    away = [max(column.left - cell.right, cell.left - column.right) for column in columns]
    return away.index(min(away))


def _table(rows: Sequence[_Row], columns: tuple[Cell, ...], rules: Rules) -> Table | None:
    if len(columns) < 2 or not _is_table(rows, columns, _levels(rows, columns, rules) >= 2):
        return None
    whole = _whole_rows(rows, columns, rules)
    if len(whole) < 2:
        return None
    texts = tuple(_texts(row, columns) for row in whole)
    return Table(whole[0].lines[0].page, texts, columns, _has_header(whole, texts))


def _is_table(rows: Sequence[_Row], columns: Sequence[Cell], ruled: bool) -> bool:
    """Whether so many rows stand so well apart that they were set as a table."""
    filled = [row for row in rows if len(row.cells) > 1]
    size = filled[0].size
    if len(filled) < 2 or all(line.in_margin for row in rows for line in row.lines):
        return False
    if any(other.left - one.right < _GUTTER * size for one, other in pairwise(columns)):
        return False
    if len(columns) == 2 and all(LIST_MARK.fullmatch(f"{row.cells[0].text} ") for row in filled):
        return False
    if ruled:
        return True
    gaps = [min(other.left - one.right for one, other in pairwise(row.cells)) for row in filled]
    enough = len(filled) >= 3 or len(columns) >= 3
    return enough and statistics.median(gaps) >= _GAP * size and not _is_prose(filled)


def _is_prose(rows: Sequence[_Row]) -> bool:
    """Whether columns of running text stand side by side: full lines, many of which go on a sentence."""
    cells = [cell.text for row in rows for cell in row.cells]
    lower = sum(text[:1].islower() for text in cells)
    return (
        len(rows) >= _PROSE_ROWS
        and statistics.median(map(len, cells)) >= _PROSE_CELL
        and lower >= _PROSE_LOWER * len(cells)
    )


def _levels(rows: Sequence[_Row], columns: Sequence[Cell], rules: Rules) -> int:
    """How many level rules go along at least half of the table."""
    left, right = columns[0].left, columns[-1].right
    low, high = rows[-1].bottom - 2 * rows[-1].size, rows[0].top + 2 * rows[0].size
    return sum(
        not rule.upright
        and low < rule.at < high
        and min(right, rule.end) - max(left, rule.start) >= (right - left) / 2
        for rule in rules
    )


def _whole_rows(rows: Sequence[_Row], columns: Sequence[Cell], rules: Rules) -> list[_Row]:
    """Rows with all the lines of their cells: what stands between two rules, and what goes on a row before."""
    bands: list[list[_Row]] = []
    for row in rows:
        if bands and not _parted(rules, bands[-1][-1].bottom, row.top, row.left):
            bands[-1].append(row)
        else:
            bands.append([row])
    gridded = len(bands) > 2 or any(
        rule.upright and columns[0].right <= rule.at <= columns[-1].left for rule in rules
    )
    whole: list[_Row] = []
    for band in bands:
        if gridded and len(bands) > 1 and _is_one_row(band, columns):
            whole.append(_joined(band))
            continue
        for number, row in enumerate(band):
            if number and _goes_on(band[number - 1], row, columns, rules):
                whole[-1] = _joined([whole[-1], row])
            else:
                whole.append(row)
    return whole


def _is_one_row(band: Sequence[_Row], columns: Sequence[Cell]) -> bool:
    """Figures do not go on in the next line, nor do three full lines: these are rows."""
    numbers = [place for row in band for place in _figures(row, columns)]
    return len(numbers) == len(set(numbers)) and sum(len(row.cells) == len(columns) for row in band) < 3


def _figures(row: _Row, columns: Sequence[Cell]) -> list[int]:
    places = _places(columns, row.cells) or ()
    return [place for place, cell in zip(places, row.cells, strict=False) if _is_figure(cell.text)]


def _joined(rows: Sequence[_Row]) -> _Row:
    lines = [line for row in rows for line in row.lines]
    return _Row(tuple(lines), _cells(lines))


def _texts(row: _Row, columns: Sequence[Cell]) -> tuple[str, ...]:
    texts = [""] * len(columns)
    for place, cell in zip(_places(columns, row.cells) or (), row.cells, strict=False):
        texts[place] = cell.text
    return tuple(texts)


def _has_header(rows: Sequence[_Row], texts: Sequence[tuple[str, ...]]) -> bool:
    """Names of the columns, told from a first row of text by bold letters or by numbers that only stand below."""
    first, *others = texts
    if not looks_like_header(first) or sum(map(bool, first)) < len(first) - 1:
        return False
    bold = [all(line.bold for line in row.lines) for row in rows]
    numbered = any(
        not any(map(str.isdigit, first[column]))
        and all(any(map(str.isdigit, row[column])) for row in others if row[column])
        and any(row[column] for row in others)
        for column in range(len(first))
        if first[column]
    )
    return len(first) > 2 or numbered or (bold[0] and not all(bold))
