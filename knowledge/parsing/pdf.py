"""PDF through PDFium, Chromium's own reader: several hundred pages a second, hardened against hostile files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import pypdfium2  # type: ignore[import-untyped]
import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

from knowledge.blocks import ParsedDocument
from knowledge.parsing.cleaning import cleaned, one_line
from knowledge.parsing.errors import (
    DocumentTooLarge,
    EncryptedDocument,
    MislabelledDocument,
    NothingToRead,
    ParseError,
)
from knowledge.parsing.limits import MAX_HIDDEN, Limits
from knowledge.parsing.ocr import Picture
from knowledge.parsing.ocr_pages import BODY, Reader, check_reader, named
from knowledge.parsing.pdf_drawing import is_picture, rules_of, take_text_off
from knowledge.parsing.pdf_hidden import unseen_text
from knowledge.parsing.pdf_layout import Outline, blocks_of, body_size, normalised_title
from knowledge.parsing.pdf_lines import Line, Rules
from knowledge.parsing.pdf_links import targets_of
from knowledge.parsing.pdf_text import hidden_text, lines_of
from knowledge.parsing.scan import Scan

MEDIA_TYPE = "application/pdf"
_DOTS, _LONGEST_SIDE = 150, 2600  # to an inch, and pixels, of a page that is drawn to be read as a picture
_MAX_OUTLINE_DEPTH = 8
_STAMP = 160  # characters at most on a page that is a picture all the same
_NO_TITLE = re.compile(r"^(?:untitled|microsoft word\b.*|.*\.(?:docx?|pdf|tex|dvi|indd|qxd))$", re.IGNORECASE)


def parse(data: bytes, *, limits: Limits, charset: str = "", scan: Scan | None = None) -> ParsedDocument:
    document = _opened(data)
    try:
        return _parsed(document, limits, scan or Scan())
    except pypdfium2.PdfiumError:
        raise ParseError("A page of this PDF is damaged. Save it again, or print it to a new PDF.") from None
    finally:
        document.close()


def _opened(data: bytes) -> pypdfium2.PdfDocument:
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == pdfium.FPDF_ERR_PASSWORD or "password" in str(error).lower():
            raise EncryptedDocument from None
        raise MislabelledDocument("This file starts like a PDF but is none, or is badly damaged.") from None
    if len(document) == 0:
        raise ParseError("This PDF has no pages.")
    return document


@dataclass
class _Pages:
    """What was found on the pages so far. `pictures` are those to be read as such, by their index: True where text is
    on them, for example a stamp. `damaged` are the numbers of those that cannot be opened.
    """

    lines: list[Line] = field(default_factory=list)
    rules: dict[int, Rules] = field(default_factory=dict)
    hidden: list[str] = field(default_factory=list)
    pictures: dict[int, bool] = field(default_factory=dict)
    targets: list[str] = field(default_factory=list)
    damaged: list[int] = field(default_factory=list)

    def add(self, page: pypdfium2.PdfPage, index: int) -> int:
        """How many characters the page holds."""
        self.targets += targets_of(page)
        text_page = page.get_textpage()
        place = {"page": index + 1, "height": page.get_height()}
        try:
            lines = lines_of(text_page, **place)
            if lines and (unseen := unseen_text(page, lines)):
                self.hidden += hidden_text(text_page, unseen)
                lines = lines_of(text_page, **place, unseen=unseen)
        finally:
            text_page.close()
        if sum(bool(line.cells) for line in lines) > 1:
            self.rules[index + 1] = rules_of(page)
        characters = sum(len(line.text) for line in lines)
        if not lines or (characters <= _STAMP and is_picture(page)):
            self.pictures[index] = bool(lines)
        self.lines += lines
        return characters


def _parsed(document: pypdfium2.PdfDocument, limits: Limits, scan: Scan) -> ParsedDocument:
    if len(document) > limits.pages:
        raise DocumentTooLarge(f"This PDF has {len(document):,} pages; {limits.pages:,} is the most.")
    pages = _read_text(document, limits)
    reader = Reader(limits, scan, body=body_size(pages.lines) or BODY)
    read = list(_read_pictures(document, pages.pictures, reader))
    lines = sorted([*pages.lines, *read], key=lambda line: line.page)
    if {line.page for line in lines} <= set(reader.left):
        check_reader()
    if not lines:
        raise NothingToRead("This PDF holds pictures of its pages (a scan) and no text that could be read.")
    labels = [document.get_page_label(index) for index in range(len(document))]
    return ParsedDocument(
        title=_title(document, lines),
        language="",
        blocks=tuple(cleaned(blocks_of(lines, _outline(document), labels, pages.rules))),
        media_type=MEDIA_TYPE,
        pages=len(document),
        notes=tuple(_notes(len(document), pages, reader)),
        hidden="\n".join(pages.hidden)[:MAX_HIDDEN],
        targets=tuple(pages.targets),
        left=tuple(reader.left),
    )


def _read_text(document: pypdfium2.PdfDocument, limits: Limits) -> _Pages:
    pages = _Pages()
    characters = 0
    for index in range(len(document)):
        try:
            page = document[index]
        except pypdfium2.PdfiumError:
            pages.damaged.append(index + 1)
            continue
        try:
            characters += pages.add(page, index)
        finally:
            page.close()
        if characters > limits.characters:
            raise DocumentTooLarge(f"This PDF holds more than {limits.characters:,} characters.")
    if len(pages.damaged) == len(document):
        raise ParseError("All pages of this PDF are damaged. Save it again, or print it to a new PDF.")
    return pages


def _notes(count: int, pages: _Pages, reader: Reader) -> Iterator[str]:
    empty = {index + 1 for index, has_text in pages.pictures.items() if not has_text}
    if blank := len(empty - reader.read.keys() - {*reader.left, *reader.lost}):
        yield f"{blank} of {count} pages hold no text (pictures or blank)."
    if pages.hidden:
        yield "Hidden text was left out."
    if pages.damaged:
        yield f"Left out, because of damage: {named(pages.damaged)}. Save the file again, or print it to a new PDF."
    yield from reader.notes(count)


def _read_pictures(
    document: pypdfium2.PdfDocument, pictures: Mapping[int, bool], reader: Reader
) -> Iterator[Line]:
    """The lines of pages that show something, without the text on them, which is read already."""
    for index, has_text in pictures.items():
        page = document[index]
        try:
            if pdfium.FPDFPage_CountObjects(page) > 0:
                draw = partial(_drawn, page, has_text=has_text)
                yield from reader.lines(draw, page=index + 1, of=len(document))
        finally:
            page.close()


def _drawn(page: pypdfium2.PdfPage, *, has_text: bool) -> Picture:
    if has_text:
        take_text_off(page)
    scale = min(_DOTS / 72, _LONGEST_SIDE / max(page.get_width(), page.get_height(), 1))
    picture: Picture = page.render(scale=scale, rev_byteorder=False).to_numpy()
    return picture


def _title(document: pypdfium2.PdfDocument, lines: list[Line]) -> str:
    """What the file says of itself, else the largest line of the first page."""
    given = one_line(document.get_metadata_value("Title") or "")
    if given and not _NO_TITLE.match(given):
        return given
    first = [line for line in lines if line.page == lines[0].page and len(line.text) <= 120]
    largest = max(first, key=lambda line: line.size, default=None)
    body = sorted(line.size for line in lines)[len(lines) // 2]
    return largest.text if largest is not None and largest.size > body else ""


def _outline(document: pypdfium2.PdfDocument) -> Outline:
    levels: dict[int, dict[str, int]] = {}
    try:
        for bookmark in document.get_toc(max_depth=_MAX_OUTLINE_DEPTH):
            target = bookmark.get_dest()
            page = target.get_index() if target else None
            if page is not None:
                titles = levels.setdefault(page + 1, {})
                titles.setdefault(normalised_title(bookmark.get_title()), bookmark.level + 1)
    except pypdfium2.PdfiumError:
        return Outline({})  # a broken outline is no reason to lose the text
    return Outline(levels)
