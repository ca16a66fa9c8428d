"""Word documents: headings by style, lists, tables row by row. No pages: Word makes them when it prints."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import docx
from docx.document import Document
from docx.oxml.ns import qn
from docx.table import Table
from docx.text.paragraph import Paragraph

from knowledge.blocks import Block, BlockKind, ParsedDocument
from knowledge.parsing.cleaning import cleaned, one_line
from knowledge.parsing.limits import Limits
from knowledge.parsing.packages import damage_refused, refuse_declarations
from knowledge.parsing.tables import table_rows

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_MAX_HIDDEN = 5000
_HEADING_STYLE = re.compile(r"^heading (\d)", re.IGNORECASE)


@damage_refused()
def parse(data: bytes, *, limits: Limits, charset: str = "") -> ParsedDocument:
    refuse_declarations(data)
    document = docx.Document(io.BytesIO(data))
    hidden = "\n".join(_take_hidden(document))
    blocks = tuple(cleaned(_blocks(document.iter_inner_content())))
    return ParsedDocument(
        title=one_line(document.core_properties.title or "") or _first_heading(blocks),
        language=(document.core_properties.language or "").split("-")[0].lower()[:2],
        blocks=blocks,
        media_type=MEDIA_TYPE,
        notes=("Hidden text was left out.",) if hidden else (),
        hidden=hidden[:_MAX_HIDDEN],
    )


def _take_hidden(document: Document) -> Iterator[str]:
    """Take what Word shows to nobody out of the document."""
    styles = {style.style_id for style in document.styles if _vanishes(style.element)}
    paragraphs = list(document.element.body.iter(qn("w:p")))
    for paragraph in paragraphs:
        runs = [run for run in paragraph.iter(qn("w:r")) if _is_hidden(run, paragraph, styles)]
        if text := one_line("".join(run.text for run in runs)):
            yield text
        for run in runs:
            run.getparent().remove(run)


def _is_hidden(run: Any, paragraph: Any, styles: set[str]) -> bool:
    """`run` and `paragraph` are python-docx's elements. The run's own word counts before that of its styles."""
    own = _vanishes(run)
    return bool({run.style, paragraph.style} & styles) if own is None else own


def _vanishes(element: Any) -> bool | None:
    """What `w:vanish` says in an element with text properties of its own; None where it says nothing."""
    mark = element.find(f"{qn('w:rPr')}/{qn('w:vanish')}")
    return None if mark is None else mark.get(qn("w:val"), "1") not in {"0", "false", "off"}


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
