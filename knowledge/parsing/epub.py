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
from knowledge.parsing.errors import EncryptedDocument, ParseError
from knowledge.parsing.limits import Limits
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
    paths = {
        item.attrib["id"]: posixpath.normpath(
            posixpath.join(posixpath.dirname(path), unquote(item.attrib["href"]))
        )
        for item in package.iter(f"{_OPF}item")
    }
    spine = [paths.get(item.attrib["idref"], "") for item in package.iter(f"{_OPF}itemref")]
    blocks = tuple(block for chapter in spine for block in _chapter(book, chapter, limits))
    return ParsedDocument(
        title=one_line(package.findtext(f".//{_DC}title") or ""),
        language=(package.findtext(f".//{_DC}language") or "")[:2].lower(),
        blocks=blocks,
        media_type=MEDIA_TYPE,
    )


def _chapter(book: zipfile.ZipFile, path: str, limits: Limits) -> Iterator[Block]:
    """A chapter that begins without a heading gets its title as one. Anchors are of no use inside a book."""
    if path not in book.namelist():
        return
    parsed = html.parse(read_entry(book, path), limits=limits)
    if parsed.title and parsed.blocks and parsed.blocks[0].kind is not BlockKind.HEADING:
        yield Block(BlockKind.HEADING, parsed.title, level=1)
    for block in parsed.blocks:
        yield replace(block, anchor="")
