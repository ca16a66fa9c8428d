"""Slides: title as heading, number as page, text, tables, diagrams and the figures of charts in reading order."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any

from pptx import Presentation
from pptx.shapes.group import GroupShape

from knowledge.blocks import Block, BlockKind, ParsedDocument
from knowledge.parsing.cleaning import cleaned, one_line
from knowledge.parsing.drawings import CHART, DIAGRAM, drawing
from knowledge.parsing.limits import Limits
from knowledge.parsing.packages import damage_refused, refuse_declarations
from knowledge.parsing.tables import table_rows

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
_MAX_NESTING = 20


@damage_refused()
def parse(data: bytes, *, limits: Limits, charset: str = "") -> ParsedDocument:
    refuse_declarations(data)
    deck = Presentation(io.BytesIO(data))
    slides = list(deck.slides)
    shown = [(number, slide) for number, slide in enumerate(slides, start=1) if not _is_hidden(slide)]
    return ParsedDocument(
        title=one_line(deck.core_properties.title or ""),
        language=(deck.core_properties.language or "")[:2].lower(),
        blocks=tuple(cleaned(block for number, slide in shown for block in _slide(slide, number))),
        media_type=MEDIA_TYPE,
        pages=len(slides),
        notes=tuple(_notes(slides, left_out=len(slides) - len(shown))),
    )


def _is_hidden(slide: Any) -> bool:
    return bool(slide.element.get("show") == "0")


def _notes(slides: Iterable[Any], *, left_out: int) -> Iterator[str]:
    if left_out:
        yield f"{left_out} hidden slide{'s were' if left_out > 1 else ' was'} left out."
    if any(slide.has_notes_slide for slide in slides):
        yield "Speaker notes were left out: they are for the speaker, not for visitors."


def _slide(slide: Any, number: int) -> Iterator[Block]:
    title = slide.shapes.title
    heading = one_line(title.text_frame.text) if title is not None else ""
    yield Block(BlockKind.HEADING, heading or f"Slide {number}", level=2, page=number)
    skipped = title.shape_id if title is not None else None
    for shape in _shapes(slide.shapes):
        if shape.shape_id != skipped:
            yield from _shape(shape, number)


def _shapes(shapes: Iterable[Any], *, depth: int = 0) -> Iterator[Any]:
    """Groups opened, top to bottom and left to right."""
    for shape in sorted(shapes, key=lambda shape: (shape.top or 0, shape.left or 0)):
        if isinstance(shape, GroupShape) and depth < _MAX_NESTING:
            yield from _shapes(shape.shapes, depth=depth + 1)
        else:
            yield shape


def _shape(shape: Any, number: int) -> Iterator[Block]:
    if getattr(shape, "has_table", False) and shape.has_table:
        rows = [[one_line(cell.text) for cell in row.cells] for row in shape.table.rows]
        for text in table_rows(rows, has_header=len(rows) > 1):
            yield Block(BlockKind.TABLE_ROW, text, page=number)
    elif (drawn := next(shape.element.iter(DIAGRAM, CHART), None)) is not None:
        yield from drawing(drawn, shape.part, page=number)
    elif shape.has_text_frame:
        lines = [paragraph.text for paragraph in shape.text_frame.paragraphs if paragraph.text.strip()]
        kind = BlockKind.LIST_ITEM if len(lines) > 1 else BlockKind.PARAGRAPH
        for line in lines:
            yield Block(kind, line, page=number)
