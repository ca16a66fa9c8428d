"""What is drawn on a page of a PDF."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator

import pypdfium2  # type: ignore[import-untyped]
import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

from knowledge.parsing.pdf_lines import Rule, Rules

_THIN = 2.5  # points; what is thicker has edges
_MOST_RULES = 500  # of a page; a drawing has more
_Piece = tuple[float, float]  # from where to where


def rules_of(page: pypdfium2.PdfPage) -> Rules:
    """The lines that are drawn on a page, pieces in a row as one; none where there are so many that it is a drawing."""
    pieces: dict[tuple[bool, int], set[_Piece]] = {}
    for left, bottom, right, top in _paths(page):
        for at in _edges(bottom, top) if right - left > _THIN else ():
            pieces.setdefault((False, at), set()).add((left, right))
        for at in _edges(left, right) if top - bottom > _THIN else ():
            pieces.setdefault((True, at), set()).add((bottom, top))
    rules = [
        Rule(upright=upright, at=at, start=start, end=end)
        for (upright, at), found in pieces.items()
        for start, end in _whole(found)
    ]
    return rules if len(rules) <= _MOST_RULES else ()


def _edges(low: float, high: float) -> tuple[int, ...]:
    return (round((low + high) / 2),) if high - low <= _THIN else (round(low), round(high))


def _whole(pieces: Iterable[_Piece]) -> Iterator[_Piece]:
    (start, end), *others = sorted(pieces)
    for left, right in others:
        if left > end + _THIN:
            yield start, end
            start, end = left, right
        else:
            end = max(end, right)
    yield start, end


def _paths(page: pypdfium2.PdfPage) -> Iterator[tuple[float, float, float, float]]:
    for number in range(pdfium.FPDFPage_CountObjects(page)):
        shape = pdfium.FPDFPage_GetObject(page, number)
        if pdfium.FPDFPageObj_GetType(shape) == pdfium.FPDF_PAGEOBJ_PATH:
            yield _bounds(shape)


def _bounds(shape: pdfium.FPDF_PAGEOBJECT) -> tuple[float, float, float, float]:
    """Left, bottom, right, top; nothing but zeros where it has no size."""
    left, bottom, right, top = ctypes.c_float(), ctypes.c_float(), ctypes.c_float(), ctypes.c_float()
    pdfium.FPDFPageObj_GetBounds(shape, left, bottom, right, top)
    return left.value, bottom.value, right.value, top.value
