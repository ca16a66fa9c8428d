"""Word documents: headings by style, lists, tables row by row. No pages: Word makes them when it prints."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import docx
from docx.table import Table
from docx.text.paragraph import Paragraph

from knowledge.blocks import Block, BlockKind, ParsedDocument
from knowledge.parsing.cleaning import cleaned, one_line
from knowledge.parsing.limits import Limits
from knowledge.parsing.packages import damage_refused
from knowledge.parsing.tables import table_rows

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_HEADING_STYLE = re.compile(r"^heading (\d)", re.IGNORECASE)


@damage_refused()
def parse(data: bytes, *, limits: Limits, charset: str = "") -> ParsedDocument:
    document = docx.Document(io.BytesIO(data))
    blocks = tuple(cleaned(_blocks(document.iter_inner_content())))
    return ParsedDocument(
        title=one_line(document.core_properties.title or "") or _first_heading(blocks),
        language=(document.core_properties.language or "").split("-")[0].lower()[:2],
        blocks=blocks,
        media_type=MEDIA_TYPE,
    )


def _first_heading(blocks: tuple[Block, ...]) -> str:
    return next((block.text for block in blocks if block.kind is BlockKind.HEADING), "")


def _blocks(content: Iterator[Paragraph | Table]) -> Iterator[Block]:
    for item in content:
        if isinstance(item, Table):
            yield from _table(item)
        else:
            yield _paragraph(item)


def _paragraph(paragraph: Paragraph) -> Block:
    style = (paragraph.style.name or "") if paragraph.style else ""
    heading = _HEADING_STYLE.match(style)
    if heading or style == "Title":
        return Block(BlockKind.HEADING, paragraph.text, level=min(int(heading.group(1)), 6) if heading else 1)
    properties = paragraph._p.pPr  # python-docx has no public face for list membership
    in_list = style.startswith("List") or (properties is not None and properties.numPr is not None)
    return Block(BlockKind.LIST_ITEM if in_list else BlockKind.PARAGRAPH, paragraph.text)


def _table(table: Table) -> Iterator[Block]:
    rows = []
    for row in table.rows:
        cells = []
        for index, cell in enumerate(row.cells):
            if (
                index == 0 or cell._tc is not row.cells[index - 1]._tc
            ):  # a merged cell is listed once a column
                cells.append(one_line(cell.text))
        rows.append(cells)
    for text in table_rows(rows, has_header=len(rows) > 1):
        yield Block(BlockKind.TABLE_ROW, text)
