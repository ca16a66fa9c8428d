"""What is written on a page of a PDF, line by line, with the gaps in the lines."""

from __future__ import annotations

import ctypes
import math
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import pypdfium2  # type: ignore[import-untyped]
import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

from knowledge.parsing.pdf_hidden import address_of
from knowledge.parsing.pdf_lines import Cell, Line

_BOLD = 600
_FIXED_PITCH = 1  # first bit of the font flags of ISO 32000
_FIXED_NAME = re.compile(rb"mono|courier|consol|menlo|typewriter|cmtt|code", re.IGNORECASE)
_LETTERS = {
    0x2: None, 0xFFFE: None, 0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05:
    "st",
}  # fmt: skip
_SPACES = re.compile(r"\s+")
GAP = 0.9  # sizes of the letters; wider, a space parts two cells
_WIDE_LETTERS = 0.48  # sizes of the letters from one to the next on average; more, and gaps may be in between


@dataclass(frozen=True, slots=True)
class _Run:
    """Characters of one line as PDFium gives them, and the index of the first."""

    text: str
    first: int

    @property
    def last(self) -> int:
        return self.first + len(self.text) - 1


def lines_of(
    text_page: pypdfium2.PdfTextPage, *, page: int, height: float, unseen: Collection[int] = ()
) -> list[Line]:
    """The lines of a page, which counts from 1, without the pieces of text at the addresses in `unseen`. Looking at
    every space takes as long as reading the page: it is done where a look at the lines has found some with gaps.
    """
    raw = text_page.raw
    runs = [run for run, hidden in _runs(text_page, unseen) if not hidden]
    lines = [_line(raw, run, page=page, height=height) for run in runs]
    gaps = [_may_have_gaps(raw, run, line) for run, line in zip(runs, lines, strict=True)]
    celled = [
        _celled(raw, run, line) if gap else line for run, line, gap in zip(runs, lines, gaps, strict=True)
    ]
    if sum(bool(line.cells) and not line.in_margin for line in celled) > 1:
        celled = [
            line if line.cells else _celled(raw, run, line) for run, line in zip(runs, celled, strict=True)
        ]
    return list(_whole(celled))


def _whole(lines: Iterable[Line]) -> Iterator[Line]:
    """PDFium begins a line anew in front of a far letter that stands alone, such as the figure of a row."""
    before: Line | None = None
    for line in lines:
        if before and _is_far_beside(before, line):
            before = replace(
                before,
                text=f"{before.text} {line.text}",
                bold=before.bold and line.bold,
                right=line.right,
                cells=(*before.parts, *line.parts),
            )
            continue
        if before:
            yield before
        before = line
    if before:
        yield before


def _is_far_beside(before: Line, line: Line) -> bool:
    return (
        abs(before.bottom - line.bottom) < 1
        and abs(before.size - line.size) < 1
        and not (before.fixed_width or line.fixed_width)
        and line.left - before.right >= GAP * line.size
    )


def hidden_text(text_page: pypdfium2.PdfTextPage, unseen: Collection[int]) -> Iterator[str]:
    """What `lines_of` leaves out."""
    for run, hidden in _runs(text_page, unseen):
        if hidden:
            yield _readable(run.text)


def _runs(text_page: pypdfium2.PdfTextPage, unseen: Collection[int]) -> Iterator[tuple[_Run, bool]]:
    """The lines, and whether they are hidden; a line of which a part is hidden in several runs. PDFium ends lines with
    CR LF, which count as characters, so that offsets into the text are its indexes.
    """
    offset = 0
    for raw in text_page.get_text_range().split("\r\n"):
        parts = _parts(text_page.raw, _Run(raw, offset), unseen) if unseen else [(_Run(raw, offset), False)]
        for run, hidden in parts:
            if text := run.text.strip():
                yield _Run(text, run.first + len(run.text) - len(run.text.lstrip())), hidden
        offset += len(raw) + 2


def _parts(raw: pdfium.FPDF_TEXTPAGE, run: _Run, unseen: Collection[int]) -> Iterator[tuple[_Run, bool]]:
    """Spaces that PDFium put in belong to no piece of text, and so to the part before."""
    start, before = 0, False
    for number in range(len(run.text)):
        address = address_of(pdfium.FPDFText_GetTextObject(raw, run.first + number))
        hidden = address in unseen if address else before
        if hidden != before:
            yield _Run(run.text[start:number], run.first + start), before
            start, before = number, hidden
    yield _Run(run.text[start:], run.first + start), before


def _line(raw: pdfium.FPDF_TEXTPAGE, run: _Run, *, page: int, height: float) -> Line:
    """Three characters speak for their line: one alone may be an initial, a number or in italics."""
    samples = (run.first, (run.first + run.last) // 2, run.last)
    x, y = ctypes.c_double(), ctypes.c_double()
    pdfium.FPDFText_GetCharOrigin(raw, run.first, x, y)
    return Line(
        text=_readable(run.text),
        page=page,
        size=sorted(_size(raw, index) for index in samples)[1],
        bold=all(pdfium.FPDFText_GetFontWeight(raw, index) >= _BOLD for index in samples),
        fixed_width=all(_is_fixed_width(raw, index) for index in samples),
        left=x.value,
        bottom=y.value,
        height=height,
        right=_sides(raw, run.last)[1],
    )


def _sides(raw: pdfium.FPDF_TEXTPAGE, index: int) -> tuple[float, float]:
    """From where to where a character reaches."""
    left, right, bottom, top = ctypes.c_double(), ctypes.c_double(), ctypes.c_double(), ctypes.c_double()
    pdfium.FPDFText_GetCharBox(raw, index, left, right, bottom, top)
    return left.value, right.value


def _may_have_gaps(raw: pdfium.FPDF_TEXTPAGE, run: _Run, line: Line) -> bool:
    """Whether its letters are far apart on average, or the pieces in which the file writes it."""
    if line.fixed_width or " " not in run.text:
        return False
    pieces = pdfium.FPDFText_CountRects(raw, run.first, len(run.text))
    if line.right - line.left > _WIDE_LETTERS * line.size * len(run.text):
        return True
    sides = [_piece(raw, number) for number in range(pieces)]
    return any(right[0] - left[1] >= GAP * line.size for left, right in pairwise(sides))


def _piece(raw: pdfium.FPDF_TEXTPAGE, number: int) -> tuple[float, float]:
    left, top, right, bottom = ctypes.c_double(), ctypes.c_double(), ctypes.c_double(), ctypes.c_double()
    pdfium.FPDFText_GetRect(raw, number, left, top, right, bottom)
    return left.value, right.value


def _celled(raw: pdfium.FPDF_TEXTPAGE, run: _Run, line: Line) -> Line:
    """The line with its cells if it has wide gaps."""
    if line.fixed_width:
        return line
    gaps = [
        space.span()
        for space in _SPACES.finditer(run.text)
        if _sides(raw, run.first + space.end())[0] - _sides(raw, run.first + space.start() - 1)[1]
        >= GAP * line.size
    ]
    if not gaps:
        return line
    starts = [0, *(end for _, end in gaps)]
    ends = [*(start for start, _ in gaps), len(run.text)]
    return replace(
        line,
        cells=tuple(
            Cell(
                _readable(run.text[start:end]),
                _sides(raw, run.first + start)[0],
                _sides(raw, run.first + end - 1)[1],
            )
            for start, end in zip(starts, ends, strict=True)
        ),
    )


def _size(raw: pdfium.FPDF_TEXTPAGE, index: int) -> float:
    """Font size in points on the page: what the font says times how the page scales it."""
    matrix = pdfium.FS_MATRIX()
    scaled = pdfium.FPDFText_GetMatrix(raw, index, matrix)
    scale = math.hypot(matrix.b, matrix.d) if scaled else 1.0
    return round(float(pdfium.FPDFText_GetFontSize(raw, index)) * scale, 1)


def _is_fixed_width(raw: pdfium.FPDF_TEXTPAGE, index: int) -> bool:
    flags = ctypes.c_int()
    name = ctypes.create_string_buffer(64)
    pdfium.FPDFText_GetFontInfo(raw, index, name, len(name), flags)
    return bool(flags.value & _FIXED_PITCH) or bool(_FIXED_NAME.search(name.value))


def _readable(text: str) -> str:
    """Ligatures as letters; words whole that were divided at a line's end (PDFium marks the place)."""
    return text.translate(_LETTERS)
