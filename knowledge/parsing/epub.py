"""EPUB books: the chapters in reading order, each read as the HTML that it is."""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import unquote

from defusedxml import ElementTree

from knowledge.blocks import Block, BlockKind, ParsedDocument
from knowledge.parsing import html
from knowledge.parsing.cleaning import one_line
from knowledge.parsing.decoding import decode
from knowledge.parsing.errors import EncryptedDocument, ParseError
from knowledge.parsing.limits import MAX_HIDDEN, Limits
from knowledge.parsing.packages import damage_refused, read_entry

MEDIA_TYPE = "application/epub+zip"
_OPF = "{http://www.idpf.org/2007/opf}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_CONTAINER = "{urn:oasis:names:tc:opendocument:xmlns:container}"


@damage_refused()
def parse(data: bytes, *, limits: Limits, charset: str = "") -> ParsedDocument:
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        return _read(book, limits)


def _read(book: zipfile.ZipFile, limits: Limits) -> ParsedDocument:
    if "META-INF/encryption.xml" in book.namelist() and "META-INF/rights.xml" in book.namelist():
        raise EncryptedDocument("This book is protected against copying, so it cannot be read.")
    container = ElementTree.fromstring(read_entry(book, "META-INF/container.xml"))
    root = next(container.iter(f"{_CONTAINER}rootfile"), None)
    if root is None:
        raise ParseError
    path = root.attrib["full-path"]
    package = ElementTree.fromstring(read_entry(book, path))
    paths = {item.attrib["id"]: _beside(path, item.attrib["href"]) for item in package.iter(f"{_OPF}item")}
    spine = [paths.get(item.attrib["idref"], "") for item in package.iter(f"{_OPF}itemref")]
    chapters = [_chapter(book, chapter, limits) for chapter in spine if chapter in book.namelist()]
    return ParsedDocument(
        title=one_line(package.findtext(f".//{_DC}title") or ""),
        language=(package.findtext(f".//{_DC}language") or "")[:2].lower(),
        blocks=tuple(block for chapter in chapters for block in _blocks(chapter)),
        media_type=MEDIA_TYPE,
        notes=tuple(dict.fromkeys(note for chapter in chapters for note in chapter.notes)),
        hidden="\n".join(filter(None, (chapter.hidden for chapter in chapters)))[:MAX_HIDDEN],
        targets=tuple(target for chapter in chapters for target in chapter.targets),
    )


def _chapter(book: zipfile.ZipFile, path: str, limits: Limits) -> ParsedDocument:
    """Read a second time with the book's style sheets where it names some: they tell what it hides."""
    content = read_entry(book, path)
    parsed = html.parse(content, limits=limits)
    paths = {sheet: _beside(path, sheet) for sheet in parsed.sheets}
    sheets = {
        sheet: decode(read_entry(book, inside))
        for sheet, inside in paths.items()
        if inside in book.namelist()
    }
    return html.parse(content, limits=limits, sheets=sheets) if sheets else parsed


def _beside(path: str, href: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(href)))


def _blocks(parsed: ParsedDocument) -> Iterator[Block]:
    """A chapter that begins without a heading gets its title as one. Anchors are of no use inside a book."""
    if parsed.title and parsed.blocks and parsed.blocks[0].kind is not BlockKind.HEADING:
        yield Block(BlockKind.HEADING, parsed.title, level=1)
    for block in parsed.blocks:
        yield replace(block, anchor="")
