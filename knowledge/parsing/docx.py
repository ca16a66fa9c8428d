"""Word documents: headings by style, lists, tables row by row. No pages: Word makes them when it prints.

They are read as they would look with all changes accepted. Notes and text boxes follow the paragraph or table in which
they are anchored. Comments, headers and footers are not read: those repeat what a page is, not what it says.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import docx
from docx.document import Document
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.part import Part
from docx.oxml.ns import qn
from docx.oxml.parser import parse_xml

from knowledge.blocks import Block, BlockKind, ParsedDocument
from knowledge.parsing.cleaning import cleaned, one_line
from knowledge.parsing.drawings import CHART, DIAGRAM, drawing
from knowledge.parsing.limits import MAX_HIDDEN, Limits
from knowledge.parsing.packages import damage_refused, refuse_declarations
from knowledge.parsing.tables import table_rows

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_HEADING_STYLE = re.compile(r"^heading (\d)", re.IGNORECASE)
_CONTENTS_STYLE = re.compile(r"^toc ?(?:\d|heading)", re.IGNORECASE)
_OFF = frozenset({"0", "false", "off"})
_MATH_TEXT = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_EITHER = "{http://schemas.openxmlformats.org/markup-compatibility/2006}AlternateContent"
_PARAGRAPH, _TABLE, _ROW, _CELL = qn("w:p"), qn("w:tbl"), qn("w:tr"), qn("w:tc")
_RUN, _CONTROL, _TEXT_BOX = qn("w:r"), qn("w:sdt"), qn("w:txbxContent")
_REMOVED = frozenset({qn("w:del"), qn("w:moveFrom")})
_UNREAD = _REMOVED | {
    qn("w:pPr"),
    qn("w:rPr"),
    qn("w:sdtPr"),
    qn("w:rt"),
}  # w:rt tells how a word is pronounced
_WRAPPERS = frozenset(
    qn(f"w:{name}") for name in ("sdt", "sdtContent", "customXml", "ins", "moveTo", "smartTag")
)
_LINK, _FIELD = qn("w:hyperlink"), qn("w:instrText")
_LINK_FIELD = re.compile(r'\s*HYPERLINK\s+"([^"]+)"', re.IGNORECASE)
_TARGET = "target"  # our own attribute of a link: each part of a file numbers its targets by itself
_SIGNS = {qn("w:tab"): " ", qn("w:br"): " ", qn("w:cr"): " ", qn("w:noBreakHyphen"): "-"}
_EMBEDDED = qn("w:altChunk")
_DRAWINGS = {DIAGRAM: "SmartArt", CHART: "charts"}
_NOTES = {
    qn("w:footnoteReference"): (RELATIONSHIP_TYPE.FOOTNOTES, qn("w:footnote")),
    qn("w:endnoteReference"): (RELATIONSHIP_TYPE.ENDNOTES, qn("w:endnote")),
}


@damage_refused()
def parse(data: bytes, *, limits: Limits, charset: str = "") -> ParsedDocument:
    refuse_declarations(data)
    document = docx.Document(io.BytesIO(data))
    reader = _Reader(document)
    blocks = tuple(cleaned(reader.blocks(document.element.body)))
    return ParsedDocument(
        title=one_line(document.core_properties.title or "") or _first_heading(blocks),
        language=(document.core_properties.language or "").split("-")[0].lower()[:2],
        blocks=blocks,
        media_type=MEDIA_TYPE,
        notes=tuple(_told(document, reader)),
        hidden="\n".join(reader.hidden)[:MAX_HIDDEN],
        targets=tuple(reader.targets),
    )


def _told(document: Document, reader: _Reader) -> Iterator[str]:
    """Sentences for the owner."""
    if reader.hidden:
        yield "Hidden text was left out."
    embeds = next(document.element.body.iter(_EMBEDDED), None) is not None
    if left_out := [*sorted(reader.left_out), *["embedded documents"] * embeds]:
        yield f"Left out: {', '.join(left_out)}. Write what they say as text."


def _first_heading(blocks: tuple[Block, ...]) -> str:
    return next((block.text for block in blocks if block.kind is BlockKind.HEADING), "")


class _Reader:
    """Walks the elements, of which python-docx shows only those without changes, controls and drawings.

    `hidden` takes what Word shows to nobody, `later` the notes and text boxes of what is being read, `drawn` what its
    drawings say, `left_out` the kinds of those that cannot be read, `targets` where links lead.
    """

    def __init__(self, document: Document) -> None:
        self.hidden: list[str] = []
        self.later: list[Any] = []
        self.drawn: list[Block] = []
        self.left_out: set[str] = set()
        self.targets: list[str] = []
        self._part = document.part
        _resolve_links(document.element.body, document.part)
        self._styles = {style.style_id: style.name or "" for style in document.styles}
        self._hiding = {style.style_id for style in document.styles if _vanishes(style.element)}
        self._notes = dict(_notes(document))

    def blocks(self, container: Any) -> Iterator[Block]:
        """What stands in a body, a cell, a note or a text box."""
        for element in _unwrapped(container, _PARAGRAPH, _TABLE):
            if element.tag == _TABLE:
                yield from self._table(element)
            elif not _CONTENTS_STYLE.match(self._style_of(element)):
                yield self._paragraph(element)
            later, self.later = self.later, []
            for apart in later:
                yield from self.blocks(apart)
            drawn, self.drawn = self.drawn, []
            yield from drawn

    def _paragraph(self, paragraph: Any) -> Block:
        style, text = self._style_of(paragraph), self._text_of(paragraph)
        heading = _HEADING_STYLE.match(style)
        if heading or style == "Title":
            return Block(BlockKind.HEADING, text, level=min(int(heading.group(1)), 6) if heading else 1)
        in_list = style.startswith("List") or paragraph.find(_path("w:pPr/w:numPr")) is not None
        return Block(BlockKind.LIST_ITEM if in_list else BlockKind.PARAGRAPH, text)

    def _style_of(self, paragraph: Any) -> str:
        return self._styles.get(paragraph.style, paragraph.style or "")

    def _text_of(self, paragraph: Any) -> str:
        hidden: list[str] = []
        text = self._text(paragraph, hidden, by_style=paragraph.style in self._hiding)
        if whispered := one_line("".join(hidden)):
            self.hidden.append(whispered)
        return text

    def _text(self, element: Any, hidden: list[str], *, by_style: bool) -> str:
        """`hidden` takes the text of runs that are not shown; `by_style` is what the paragraph's style says of them."""
        parts = []
        for child in element:
            self._note_target(child)
            if child.tag == _RUN and self._is_hidden(child, by_style=by_style):
                hidden.extend(text.text or "" for text in child.iter(qn("w:t")))
            elif child.tag in {qn("w:t"), _MATH_TEXT}:
                parts.append(child.text or "")
            elif child.tag in _NOTES:
                note = self._notes.pop((child.tag, child.get(qn("w:id"))), None)
                self.later.extend([] if note is None else [note])
            elif child.tag == _TEXT_BOX:
                self.later.append(child)
            elif child.tag in _DRAWINGS:
                self._draw(child)
            elif child.tag == _EITHER:
                parts.append(self._first_of(child, hidden, by_style=by_style))
            elif child.tag not in _UNREAD and not _is_placeholder(child):
                parts.append(_SIGNS.get(child.tag) or self._text(child, hidden, by_style=by_style))
        return "".join(parts)

    def _note_target(self, element: Any) -> None:
        if element.tag == _LINK:
            self.targets.append(element.get(_TARGET, ""))
        elif element.tag == _FIELD and (link := _LINK_FIELD.match(element.text or "")):
            self.targets.append(link.group(1))

    def _draw(self, reference: Any) -> None:
        blocks = drawing(reference, self._part)
        self.drawn += blocks
        if not blocks:
            self.left_out.add(_DRAWINGS[reference.tag])

    def _first_of(self, either: Any, hidden: list[str], *, by_style: bool) -> str:
        """The same content is written for new and for old programs: the first that says something is read."""
        before = len(self.later), len(self.drawn)
        for option in either:
            text = self._text(option, hidden, by_style=by_style)
            if text or (len(self.later), len(self.drawn)) > before:
                return text
        return ""

    def _is_hidden(self, run: Any, *, by_style: bool) -> bool:
        """The run's own word counts before that of its styles."""
        own = _vanishes(run)
        return (by_style or run.style in self._hiding) if own is None else own

    def _table(self, table: Any) -> Iterator[Block]:
        """A table that only frames others is read as what it holds."""
        cells = [cell for row in _rows(table) for cell in _unwrapped(row, _CELL)]
        if len(cells) == 1 or (
            len(_rows(table)) == 1 and any(cell.find(_TABLE) is not None for cell in cells)
        ):
            for cell in cells:
                yield from self.blocks(cell)
            return
        rows = self._texts(table)
        for text in table_rows(rows, has_header=len(rows) > 1):
            yield Block(BlockKind.TABLE_ROW, text)

    def _texts(self, table: Any) -> list[list[str]]:
        """A cell over several columns stands in the first of them, one over several rows in each."""
        rows: list[list[str]] = []
        for row in _rows(table):
            texts = [""] * _number(row, "w:trPr/w:gridBefore", default=0)
            for cell in _unwrapped(row, _CELL):
                goes_on = cell.find(_path("w:tcPr/w:vMerge"))
                if goes_on is not None and goes_on.get(qn("w:val"), "continue") == "continue" and rows:
                    text = next(iter(rows[-1][len(texts) :]), "")
                else:
                    text = self._cell(cell)
                texts += [text, *[""] * (_number(cell, "w:tcPr/w:gridSpan", default=1) - 1)]
            rows.append(texts)
        return rows

    def _cell(self, cell: Any) -> str:
        """In one line; a table within stands row by row."""
        if cell.find(_path("w:tcPr/w:cellDel")) is not None:
            return ""
        texts = []
        for element in _unwrapped(cell, _PARAGRAPH, _TABLE):
            if element.tag == _TABLE:
                rows = self._texts(element)
                texts.append("; ".join(table_rows(rows, has_header=len(rows) > 1)))
            else:
                texts.append(self._text_of(element))
        return one_line(" ".join(texts))


def _rows(table: Any) -> list[Any]:
    """Without those that a change takes away."""
    return [row for row in _unwrapped(table, _ROW) if row.find(_path("w:trPr/w:del")) is None]


def _unwrapped(container: Any, *wanted: str) -> Iterator[Any]:
    """The wanted elements in a container, also those inside of content controls, custom markup and insertions."""
    for child in container:
        if child.tag in wanted:
            yield child
        elif child.tag == _EITHER:
            yield from _unwrapped(next(iter(child), ()), *wanted)
        elif child.tag in _WRAPPERS and not _is_placeholder(child):
            yield from _unwrapped(child, *wanted)


def _is_placeholder(element: Any) -> bool:
    """Whether it is a content control that nobody filled in: it shows what to write there."""
    return element.tag == _CONTROL and element.find(_path("w:sdtPr/w:showingPlcHdr")) is not None


def _notes(document: Document) -> Iterator[tuple[tuple[str, str], Any]]:
    """Footnotes and endnotes by the tag that refers to them and their id."""
    for reference, (kind, tag) in _NOTES.items():
        for relation in document.part.rels.values():
            if relation.reltype == kind and not relation.is_external:
                root = parse_xml(relation.target_part.blob)
                _resolve_links(root, relation.target_part)
                for note in root.iter(tag):
                    yield (reference, note.get(qn("w:id"), "")), note


def _resolve_links(root: Any, part: Part) -> None:
    """Write at each link where it leads."""
    for link in root.iter(_LINK):
        relation = part.rels.get(link.get(qn("r:id"), ""))
        if relation is not None and relation.is_external:
            link.set(_TARGET, relation.target_ref)


def _vanishes(element: Any) -> bool | None:
    """What `w:vanish` says in an element with text properties of its own; None where it says nothing."""
    mark = element.find(_path("w:rPr/w:vanish"))
    return None if mark is None else mark.get(qn("w:val"), "1") not in _OFF


def _path(names: str) -> str:
    return "/".join(map(qn, names.split("/")))


def _number(element: Any, names: str, *, default: int) -> int:
    """The value of a property that counts columns; Word knows 63."""
    found = element.find(_path(names))
    return default if found is None else min(int(found.get(qn("w:val"), default)), 63)
