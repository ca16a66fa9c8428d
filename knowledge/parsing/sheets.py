"""Rows of a sheet as blocks: each row repeats the names of its columns, and says which row it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

from knowledge.blocks import Block, BlockKind
from knowledge.parsing.cleaning import one_line

_NUMBER = re.compile(r"^[\W\d]*\d[\W\d]*$")
Row = tuple[int, Sequence[str]]  # its number in the sheet, counted from 1, and its cells


def row_blocks(rows: Iterable[Row], *, anchor: Callable[[int], str]) -> Iterator[Block]:
    """The rows below the header (the first row of two or more words that are no numbers), header repeated."""
    numbered = ((number, [one_line(cell) for cell in cells]) for number, cells in rows)
    filled: Iterator[tuple[int, list[str]]] = (row for row in numbered if any(row[1]))
    header: list[str] = []
    at = 0
    for number, cells in filled:
        if looks_like_header(cells):
            header, at = cells, number
        else:
            filled = chain([(number, cells)], filled)
        if header or len([cell for cell in cells if cell]) > 1:
            break
        yield Block(BlockKind.PARAGRAPH, " ".join(cells), anchor=anchor(number))  # a title above the table
        next(filled)
    below = next(filled, None)
    if header and below is None:  # it was no header, but all there is
        yield Block(BlockKind.TABLE_ROW, named_cells((), header), anchor=anchor(at))
    for number, cells in chain(() if below is None else (below,), filled):
        yield Block(BlockKind.TABLE_ROW, named_cells(header, cells), anchor=anchor(number))


def looks_like_header(cells: Sequence[str]) -> bool:
    """Two or more different names, none of them a number."""
    names = [cell for cell in cells if cell]
    return len(names) > 1 and len(set(names)) == len(names) and not any(map(_NUMBER.match, names))


def named_cells(header: Sequence[str], cells: Sequence[str]) -> str:
    """ "Plan: Pro | Price: $49"; a cell without a column name stands alone."""
    named = [*header, *[""] * (len(cells) - len(header))]
    return " | ".join(
        f"{name}: {cell}" if name else cell for name, cell in zip(named, cells, strict=False) if cell
    )
