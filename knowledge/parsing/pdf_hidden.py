"""Text of a PDF that no reader sees: not drawn, in the colour of its ground, of no size, or beside the page.

What was read from a scan is written without being drawn, in front of the picture of the words: that is seen. A piece
whose ground is not plain (a picture, a form) counts as seen.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import pypdfium2  # type: ignore[import-untyped]
import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

from knowledge.parsing.pdf_drawing import Box, box_of, is_invisible, nested, objects_of, pictures_of
from knowledge.parsing.pdf_lines import Line

_TINY, _READABLE = 2.0, 4.0  # points of letters: too small to see on a page that has some of a usual size
_PALE = 200  # of 255 in red, green and blue; what is darker is not looked at
_ALIKE = 12  # of 255 by which colours differ that cannot be told apart
_THICK = 4.0  # points of a drawn line that letters can stand on
_NEXT_LINE = 3.2  # sizes of the letters from a line to the next of the same text
_FAINT, _OPAQUE = 10, 250  # of 255: as good as not there, and as good as covering what lies under it
_Colour = tuple[int, int, int, int]  # red, green, blue, and how opaque, of 255
_PAPER: _Colour = (255, 255, 255, 255)


@dataclass(frozen=True, slots=True)
class _Ground:
    """What letters may stand on; `colour` is None where it has many, `number` its place in the order of painting."""

    box: Box
    colour: _Colour | None
    number: int


def unseen_text(page: pypdfium2.PdfPage, lines: Sequence[Line]) -> set[int]:
    """The addresses of the pieces of text that nobody sees, for `address_of`. `lines` are all of the page."""
    looked = _Page(page, lines)
    found = set()
    for number, (shape, kind) in enumerate(objects_of(page)):
        if kind == pdfium.FPDF_PAGEOBJ_TEXT and looked.hides(shape, number):
            found.add(address_of(shape))
        elif kind == pdfium.FPDF_PAGEOBJ_FORM:
            found |= looked.undrawn_in(shape)
    return found


class _Page:
    """What the pieces of text of a page are judged by, looked up once, and only if a piece needs it."""

    def __init__(self, page: pypdfium2.PdfPage, lines: Sequence[Line]) -> None:
        self._page = page
        self._beside = list(_beside(page, lines))
        self._scaled = any(line.size < _TINY for line in lines)
        self._readable = any(line.size >= _READABLE for line in lines)

    @cached_property
    def _pictures(self) -> list[Box]:
        return pictures_of(self._page)

    @cached_property
    def _grounds(self) -> list[_Ground]:
        """The uppermost first."""
        shapes = list(enumerate(objects_of(self._page)))
        found = (_ground(shape, kind, number) for number, (shape, kind) in reversed(shapes))
        return [ground for ground in found if ground]

    def hides(self, text: pdfium.FPDF_PAGEOBJECT, number: int) -> bool:
        """`number` is its place in the order of painting."""
        fill = _fill(text)
        if is_invisible(text) or (fill and fill[3] < _FAINT and _is_filled(text)):
            return not _holds(self._pictures, box_of(text))
        if self._readable and _is_tiny(text, scaled=self._scaled):
            return True
        if self._beside and _holds(self._beside, box_of(text)):
            return True
        pale = fill is not None and min(fill[:3]) >= _PALE and _is_filled(text)
        return pale and _is_alike(fill, self._under(box_of(text), number))

    def undrawn_in(self, form: pdfium.FPDF_PAGEOBJECT) -> set[int]:
        texts = {
            address_of(shape)
            for shape, kind, _ in nested(form)
            if kind == pdfium.FPDF_PAGEOBJ_TEXT and is_invisible(shape)
        }
        return texts if texts and not _holds(self._pictures, box_of(form)) else set()

    def _under(self, box: Box, number: int) -> _Colour | None:
        return next(
            (one.colour for one in self._grounds if one.number < number and one.box.holds(box.middle)), _PAPER
        )


def address_of(shape: pdfium.FPDF_PAGEOBJECT) -> int:
    """0 for no object."""
    return ctypes.cast(shape, ctypes.c_void_p).value or 0


def _holds(boxes: Iterable[Box], box: Box) -> bool:
    return any(one.holds(box.middle) for one in boxes)


def _beside(page: pypdfium2.PdfPage, lines: Sequence[Line]) -> Iterator[Box]:
    """Where text stands wholly beside the page. What runs over its edge, letter by letter or line by line, is no such
    text: a program made the page too small for it.
    """
    left, bottom, right, top = page.get_bbox()
    seen: Line | None = None
    for line in lines:
        low, high = line.bottom - line.size / 2, line.bottom + line.size
        inside = low <= top and high >= bottom
        runs_on = inside or (seen is not None and abs(seen.bottom - line.bottom) <= _NEXT_LINE * line.size)
        seen = line if runs_on else seen
        for part in line.parts:
            if part.right < left or part.left > right or not runs_on:
                yield Box(part.left - 1, low, part.right + 1, high)


def _is_tiny(text: pdfium.FPDF_PAGEOBJECT, *, scaled: bool) -> bool:
    """The font's size alone tells enough of most pieces; with `scaled`, how the page scales it is looked at."""
    size = ctypes.c_float()
    pdfium.FPDFTextObj_GetFontSize(text, size)
    if size.value >= _TINY and not scaled:
        return False
    matrix = pdfium.FS_MATRIX()
    pdfium.FPDFPageObj_GetMatrix(text, matrix)
    return abs(size.value) * math.hypot(matrix.b, matrix.d) < _TINY


def _is_filled(text: pdfium.FPDF_PAGEOBJECT) -> bool:
    """Whether its letters are filled and have no outline."""
    return bool(pdfium.FPDFTextObj_GetTextRenderMode(text) == pdfium.FPDF_TEXTRENDERMODE_FILL)


def _fill(shape: pdfium.FPDF_PAGEOBJECT) -> _Colour | None:
    """None where it has no plain colour."""
    red, green, blue, alpha = ctypes.c_uint(), ctypes.c_uint(), ctypes.c_uint(), ctypes.c_uint()
    plain = pdfium.FPDFPageObj_GetFillColor(shape, red, green, blue, alpha)
    return (red.value, green.value, blue.value, alpha.value) if plain else None


def _ground(shape: pdfium.FPDF_PAGEOBJECT, kind: int, number: int) -> _Ground | None:
    if kind == pdfium.FPDF_PAGEOBJ_TEXT:
        return None
    if kind != pdfium.FPDF_PAGEOBJ_PATH:
        return _Ground(box_of(shape), None, number)
    filled, stroked, width = ctypes.c_int(), ctypes.c_int(), ctypes.c_float()
    pdfium.FPDFPath_GetDrawMode(shape, filled, stroked)
    if filled.value:
        fill = _fill(shape)
        if fill and fill[3] < _FAINT:
            return None
        return _Ground(box_of(shape), fill if fill and fill[3] >= _OPAQUE else None, number)
    pdfium.FPDFPageObj_GetStrokeWidth(shape, width)
    return _Ground(box_of(shape), None, number) if stroked.value and width.value >= _THICK else None


def _is_alike(colour: _Colour | None, ground: _Colour | None) -> bool:
    if colour is None or ground is None:
        return False
    return all(abs(one - other) <= _ALIKE for one, other in zip(colour[:3], ground[:3], strict=True))
