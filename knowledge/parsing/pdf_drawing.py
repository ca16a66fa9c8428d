"""What is drawn on a page of a PDF: lines, pictures, and pieces of text as objects. PDFium's own handles stay here."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pypdfium2  # type: ignore[import-untyped]
import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

from knowledge.parsing.pdf_lines import Rule, Rules

_THIN = 2.5  # points; what is thicker has edges
_MOST_RULES = 500  # of a page; a drawing has more
_MOST_NESTED = 8  # forms within forms
_POINTS = 12  # to a side, at which it is looked whether a picture covers the page
_COVERED = 0.6  # of them: the page is a picture
_Piece = tuple[float, float]  # from where to where


@dataclass(frozen=True, slots=True)
class Box:
    """In points from the lower left."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def middle(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.bottom + self.top) / 2

    def holds(self, point: tuple[float, float]) -> bool:
        return self.left <= point[0] <= self.right and self.bottom <= point[1] <= self.top


def objects_of(page: pypdfium2.PdfPage) -> Iterator[tuple[pdfium.FPDF_PAGEOBJECT, int]]:
    """What stands on the page, in the order of painting, with its type."""
    for number in range(pdfium.FPDFPage_CountObjects(page)):
        shape = pdfium.FPDFPage_GetObject(page, number)
        yield shape, pdfium.FPDFPageObj_GetType(shape)


def nested(
    form: pdfium.FPDF_PAGEOBJECT, *, depth: int = 0
) -> Iterator[tuple[pdfium.FPDF_PAGEOBJECT, int, pdfium.FPDF_PAGEOBJECT]]:
    """What stands in a form and in the forms in it: object, type, and the form that holds it."""
    for number in reversed(range(pdfium.FPDFFormObj_CountObjects(form))):
        shape = pdfium.FPDFFormObj_GetObject(form, number)
        kind = pdfium.FPDFPageObj_GetType(shape)
        if kind == pdfium.FPDF_PAGEOBJ_FORM and depth < _MOST_NESTED:
            yield from nested(shape, depth=depth + 1)
        yield shape, kind, form


def box_of(shape: pdfium.FPDF_PAGEOBJECT) -> Box:
    """Nothing but zeros where it has no size."""
    left, bottom, right, top = ctypes.c_float(), ctypes.c_float(), ctypes.c_float(), ctypes.c_float()
    pdfium.FPDFPageObj_GetBounds(shape, left, bottom, right, top)
    return Box(left.value, bottom.value, right.value, top.value)


# Lines


def rules_of(page: pypdfium2.PdfPage) -> Rules:
    """The lines that are drawn on a page, pieces in a row as one; none where there are so many that it is a drawing."""
    pieces: dict[tuple[bool, int], set[_Piece]] = {}
    for shape, kind in objects_of(page):
        if kind != pdfium.FPDF_PAGEOBJ_PATH:
            continue
        box = box_of(shape)
        for at in _edges(box.bottom, box.top) if box.right - box.left > _THIN else ():
            pieces.setdefault((False, at), set()).add((box.left, box.right))
        for at in _edges(box.left, box.right) if box.top - box.bottom > _THIN else ():
            pieces.setdefault((True, at), set()).add((box.bottom, box.top))
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


# Pictures


def pictures_of(page: pypdfium2.PdfPage) -> list[Box]:
    """Where pictures are; of one inside a form, where the form is."""
    return [
        box_of(shape)
        for shape, kind in objects_of(page)
        if kind == pdfium.FPDF_PAGEOBJ_IMAGE
        or (
            kind == pdfium.FPDF_PAGEOBJ_FORM
            and any(inner == pdfium.FPDF_PAGEOBJ_IMAGE for _, inner, _ in nested(shape))
        )
    ]


def is_picture(page: pypdfium2.PdfPage) -> bool:
    """Whether pictures cover most of a page and the text on it is none that was read from them."""
    boxes = pictures_of(page)
    left, bottom, right, top = page.get_bbox()
    steps = [(number + 0.5) / _POINTS for number in range(_POINTS)]
    points = [(left + x * (right - left), bottom + y * (top - bottom)) for x in steps for y in steps]
    covered = sum(any(box.holds(point) for box in boxes) for point in points)
    return covered >= _COVERED * len(points) and not any(
        kind == pdfium.FPDF_PAGEOBJ_TEXT and is_invisible(shape) for shape, kind in objects_of(page)
    )


def take_text_off(page: pypdfium2.PdfPage) -> None:
    """Take the pieces of text off a page that is about to be drawn; the file stays as it is."""
    for shape, kind in list(objects_of(page)):
        if kind == pdfium.FPDF_PAGEOBJ_FORM:
            for inner, inner_kind, form in list(nested(shape)):
                if inner_kind == pdfium.FPDF_PAGEOBJ_TEXT and pdfium.FPDFFormObj_RemoveObject(form, inner):
                    pdfium.FPDFPageObj_Destroy(inner)
        elif kind == pdfium.FPDF_PAGEOBJ_TEXT and pdfium.FPDFPage_RemoveObject(page, shape):
            pdfium.FPDFPageObj_Destroy(shape)


def is_invisible(text: pdfium.FPDF_PAGEOBJECT) -> bool:
    """Whether it is written without being drawn, as what was read from a scan is."""
    return bool(pdfium.FPDFTextObj_GetTextRenderMode(text) == pdfium.FPDF_TEXTRENDERMODE_INVISIBLE)
