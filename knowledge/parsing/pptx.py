"""Slides: title as heading, number as page, text, tables, diagrams and the figures of charts in reading order."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from pptx import Presentation
from pptx.oxml import parse_xml
from pptx.oxml.ns import qn
from pptx.shapes.group import GroupShape

from knowledge.blocks import Block, BlockKind, ParsedDocument
from knowledge.parsing.cleaning import cleaned, one_line
from knowledge.parsing.limits import Limits
from knowledge.parsing.packages import damage_refused, refuse_declarations
from knowledge.parsing.tables import table_rows

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
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
    elif getattr(shape, "has_chart", False) and shape.has_chart:
        with suppress(
            KeyError, ValueError
        ):  # a kind of chart that python-pptx does not know, or whose data is gone
            yield from _chart(shape.chart, number)
    elif (diagram := shape.element.find(f".//{_DIAGRAM}relIds")) is not None:
        for text in _diagram_texts(shape.part, diagram.get(qn("r:dm"), "")):
            yield Block(BlockKind.LIST_ITEM, text, page=number)
    elif shape.has_text_frame:
        lines = [paragraph.text for paragraph in shape.text_frame.paragraphs if paragraph.text.strip()]
        kind = BlockKind.LIST_ITEM if len(lines) > 1 else BlockKind.PARAGRAPH
        for line in lines:
            yield Block(kind, line, page=number)


def _diagram_texts(slide: Any, data: str) -> Iterator[str]:
    """What stands in the boxes of a SmartArt; the slide itself only refers to it."""
    with suppress(KeyError):
        root = parse_xml(slide.related_part(data).blob)
        for point in root.iter(f"{_DIAGRAM}pt"):
            yield " ".join(
                "".join(text.text or "" for text in line.iter(qn("a:t"))) for line in point.iter(qn("a:p"))
            )


def _chart(chart: Any, number: int) -> Iterator[Block]:
    """Its title, and a row a category with the figure of each series."""
    if chart.has_title and chart.chart_title.has_text_frame:
        yield Block(BlockKind.PARAGRAPH, chart.chart_title.text_frame.text, page=number)
    for plot in chart.plots:
        series = list(plot.series)
        columns = zip(*(one.values for one in series), strict=False)
        rows = [
            [str(name), *map(_figure, values)] for name, values in zip(plot.categories, columns, strict=False)
        ]
        for text in table_rows([["", *(one.name for one in series)], *rows], has_header=True):
            yield Block(BlockKind.TABLE_ROW, text, page=number)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.15g}"
