"""What SmartArt and charts of Office files say. They stand in parts of their own, to which a page or slide refers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from pptx.chart.chart import Chart
from pptx.oxml import parse_xml
from pptx.oxml.ns import qn

from knowledge.blocks import Block, BlockKind
from knowledge.parsing.tables import table_rows

_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/"
_POINT = f"{_DRAWING}diagram}}pt"
DIAGRAM, CHART = f"{_DRAWING}diagram}}relIds", f"{_DRAWING}chart}}chart"  # elements that refer to one


def drawing(reference: Any, part: Any, *, page: int | None = None) -> list[Block]:
    """The texts of the SmartArt's boxes, or the chart's title and figures; nothing where they are damaged or of a kind
    that python-pptx does not know. `part` is the one that the reference stands in.
    """
    is_diagram = reference.tag == DIAGRAM
    with suppress(KeyError, ValueError):
        root = parse_xml(part.rels[reference.get(qn("r:dm" if is_diagram else "r:id"))].target_part.blob)
        return list(_diagram(root, page) if is_diagram else _chart(Chart(root, part), page))  # type: ignore[no-untyped-call]
    return []


def _diagram(root: Any, page: int | None) -> Iterator[Block]:
    for point in root.iter(_POINT):
        lines = ("".join(text.text or "" for text in line.iter(qn("a:t"))) for line in point.iter(qn("a:p")))
        yield Block(BlockKind.LIST_ITEM, " ".join(lines), page=page)


def _chart(chart: Chart, page: int | None) -> Iterator[Block]:
    """Its title, and a row a category with the figure of each series."""
    if chart.has_title and chart.chart_title.has_text_frame:
        yield Block(BlockKind.PARAGRAPH, chart.chart_title.text_frame.text, page=page)
    for plot in chart.plots:
        series = list(plot.series)
        columns = zip(*(one.values for one in series), strict=False)
        rows = [
            [str(name), *map(_figure, values)] for name, values in zip(plot.categories, columns, strict=False)
        ]
        for text in table_rows([["", *(one.name for one in series)], *rows], has_header=True):
            yield Block(BlockKind.TABLE_ROW, text, page=page)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.15g}"
