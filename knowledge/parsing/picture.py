"""Pictures of text: photographs and screenshots, PNG and JPEG."""

from __future__ import annotations

from knowledge.blocks import ParsedDocument
from knowledge.parsing.cleaning import cleaned
from knowledge.parsing.errors import NothingToRead
from knowledge.parsing.limits import Limits
from knowledge.parsing.ocr_pages import Reader, check_reader, picture_of
from knowledge.parsing.pdf_layout import Outline, blocks_of
from knowledge.parsing.scan import Scan


def parse(data: bytes, *, limits: Limits, charset: str = "", scan: Scan | None = None) -> ParsedDocument:
    check_reader()
    reader = Reader(limits, scan or Scan())
    picture = picture_of(data)
    lines = reader.lines(lambda: picture, page=1)
    if not lines:
        raise NothingToRead("No text was found in this picture. Sharp, upright, printed text is read best.")
    blocks = blocks_of(lines, Outline({}), [""], {})
    return ParsedDocument(
        title="",
        language="",
        blocks=tuple(cleaned(blocks)),
        media_type="image/jpeg" if data.startswith(b"\xff\xd8") else "image/png",
        pages=1,
        notes=tuple(reader.notes(1)),
    )
