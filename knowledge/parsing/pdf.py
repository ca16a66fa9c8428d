"""PDF through PDFium, Chromium's own reader: several hundred pages a second, hardened against hostile files."""

from __future__ import annotations

import re
from collections.abc import Iterator

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
from knowledge.parsing.limits import Limits
from knowledge.parsing.ocr_pages import BODY, Reader, check_reader
from knowledge.parsing.pdf_drawing import rules_of
from knowledge.parsing.pdf_layout import Outline, blocks_of, body_size, normalised_title
from knowledge.parsing.pdf_lines import Line, Rules
from knowledge.parsing.pdf_text import lines_of

MEDIA_TYPE = "application/pdf"
_DOTS, _LONGEST_SIDE = 150, 2600  # to an inch, and pixels, of a page that is drawn to be read as a picture
_MAX_OUTLINE_DEPTH = 8
_NO_TITLE = re.compile(r"^(?:untitled|microsoft word\b.*|.*\.(?:docx?|pdf|tex|dvi|indd|qxd))$", re.IGNORECASE)


def parse(data: bytes, *, limits: Limits, charset: str = "") -> ParsedDocument:
    document = _opened(data)
    try:
        return _parsed(document, limits)
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


def _parsed(document: pypdfium2.PdfDocument, limits: Limits) -> ParsedDocument:
    if len(document) > limits.pages:
        raise DocumentTooLarge(f"This PDF has {len(document):,} pages; {limits.pages:,} is the most.")
    lines: list[Line] = []
    rules: dict[int, Rules] = {}
    empty: list[int] = []
    characters = 0
    for number in range(len(document)):
        found = _page(document, number, rules)
        characters += sum(len(line.text) for line in found)
        if characters > limits.characters:
            raise DocumentTooLarge(f"This PDF holds more than {limits.characters:,} characters.")
        if not found:
            empty.append(number)
        lines.extend(found)
    reader = Reader(limits, body=body_size(lines) or BODY)
    lines = sorted([*lines, *_read_pictures(document, empty, reader)], key=lambda line: line.page)
    if not lines:
        check_reader()
        raise NothingToRead("This PDF holds pictures of its pages (a scan) and no text that could be read.")
    labels = [document.get_page_label(index) for index in range(len(document))]
    return ParsedDocument(
        title=_title(document, lines),
        language="",
        blocks=tuple(cleaned(blocks_of(lines, _outline(document), labels, rules))),
        media_type=MEDIA_TYPE,
        pages=len(document),
        notes=tuple(_notes(len(document), len(empty) - len(reader.read) - len(reader.left), reader)),
    )


def _page(document: pypdfium2.PdfDocument, number: int, rules: dict[int, Rules]) -> list[Line]:
    """The lines of a page; what is drawn between those that have gaps is put to `rules`."""
    page = document[number]
    text_page = page.get_textpage()
    try:
        lines = lines_of(text_page, page=number + 1, height=page.get_height())
        if sum(bool(line.cells) for line in lines) > 1:
            rules[number + 1] = rules_of(page)
        return lines
    finally:
        text_page.close()
        page.close()


def _notes(pages: int, blank: int, reader: Reader) -> Iterator[str]:
    if blank:
        yield f"{blank} of {pages} pages hold no text (pictures or blank)."
    yield from reader.notes(pages)


def _read_pictures(document: pypdfium2.PdfDocument, numbers: list[int], reader: Reader) -> Iterator[Line]:
    """The lines of pages without text that show something."""
    for number in numbers:
        page = document[number]
        try:
            if pdfium.FPDFPage_CountObjects(page) == 0:
                continue
            if not reader.has_time:
                reader.left.append(number + 1)
                continue
            scale = min(_DOTS / 72, _LONGEST_SIDE / max(page.get_width(), page.get_height(), 1))
            yield from reader.lines(page.render(scale=scale, rev_byteorder=False).to_numpy(), page=number + 1)
        finally:
            page.close()


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
