"""Tell what a file is from its bytes. The name only decides between kinds of plain text."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import PurePosixPath

from knowledge.parsing.errors import (
    EmptyDocument,
    EncryptedDocument,
    MislabelledDocument,
    UnsupportedDocument,
)
from knowledge.parsing.packages import entries_of


class MediaType(StrEnum):
    PDF = "application/pdf"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    HTML = "text/html"
    MARKDOWN = "text/markdown"
    TEXT = "text/plain"
    PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
    XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    CSV = "text/csv"
    EPUB = "application/epub+zip"
    JSON = "application/json"
    QUESTIONS = "application/vnd.netvexa.questions+json"
    ZIP = "application/zip"
    PNG = "image/png"
    JPEG = "image/jpeg"


OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # compound file: old Word, or a DOCX behind a password
PICTURES = frozenset({MediaType.PNG, MediaType.JPEG})
BINARY = PICTURES | {
    MediaType.PDF,
    MediaType.DOCX,
    MediaType.PPTX,
    MediaType.XLSX,
    MediaType.EPUB,
    MediaType.ZIP,
}
# The file by which a zip shows what it is.
_MARKERS = {
    "word/document.xml": MediaType.DOCX,
    "ppt/presentation.xml": MediaType.PPTX,
    "xl/workbook.xml": MediaType.XLSX,
    "META-INF/container.xml": MediaType.EPUB,
}

# By which a zip shows that it is one document all the same: OpenDocument, other Office files, programs, Apple's iWork.
_PACKAGES = frozenset({"mimetype", "[Content_Types].xml", "META-INF/MANIFEST.MF", "Index/Document.iwa"})

_EXTENSIONS = {
    ".pdf": MediaType.PDF,
    ".docx": MediaType.DOCX,
    ".html": MediaType.HTML,
    ".htm": MediaType.HTML,
    ".xhtml": MediaType.HTML,
    ".md": MediaType.MARKDOWN,
    ".markdown": MediaType.MARKDOWN,
    ".txt": MediaType.TEXT,
    ".text": MediaType.TEXT,
    ".pptx": MediaType.PPTX,
    ".xlsx": MediaType.XLSX,
    ".csv": MediaType.CSV,
    ".tsv": MediaType.CSV,
    ".epub": MediaType.EPUB,
    ".json": MediaType.JSON,
    ".jsonl": MediaType.JSON,
    ".ndjson": MediaType.JSON,
    ".qa": MediaType.QUESTIONS,
    ".zip": MediaType.ZIP,
    ".png": MediaType.PNG,
    ".jpg": MediaType.JPEG,
    ".jpeg": MediaType.JPEG,
}
_BY_NAME = {MediaType.CSV, MediaType.JSON, MediaType.QUESTIONS}
_HTML = re.compile(
    rb"<(?:!doctype\s+html|html|head|body|main|article|section|div|h[1-6]|p|table|ul)\b", re.IGNORECASE
)
_HTML_PREAMBLE = re.compile(rb"\A\s*(?:<\?xml[^>]*>\s*|<!--.*?-->\s*)*", re.DOTALL)
_MARKDOWN = re.compile(
    r"^(?:#{1,6} \S|```|~~~|[-*] \[[ x]\] |\|.+\|\s*$)|\[[^\]\n]+\]\([^)\n]+\)", re.MULTILINE
)


def named_type(name: str) -> MediaType | None:
    """What the file's name claims, or None where it claims nothing that we know."""
    return _EXTENSIONS.get(PurePosixPath(name).suffix.lower())


def sniff(data: bytes, *, name: str = "") -> MediaType:
    """Return the type that the bytes show; raise when the name promises a binary format that they are not."""
    if not data:
        raise EmptyDocument
    found = _from_bytes(data, name)
    claimed = named_type(name)
    if claimed in BINARY and found is not claimed:
        label = claimed.name
        raise MislabelledDocument(f"This file is named as a {label} but its content is not a {label}.")
    return found


def _from_bytes(data: bytes, name: str) -> MediaType:
    if b"%PDF-" in data[:1024]:
        return MediaType.PDF
    if data.startswith(b"PK\x03\x04"):
        return _from_zip(data)
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return MediaType.PNG
    if data.startswith(b"\xff\xd8\xff"):
        return MediaType.JPEG
    if data.startswith(OLE_MAGIC):
        return _refuse_ole(data)
    if data.lstrip().startswith(b"{\\rtf"):
        raise UnsupportedDocument("This is an RTF file. Save it as DOCX or PDF and upload that.")
    return _from_text(data, name)


def _from_zip(data: bytes) -> MediaType:
    names = {entry.filename for entry in entries_of(data)}
    known = next((kind for marker, kind in _MARKERS.items() if marker in names), MediaType.ZIP)
    if known is MediaType.ZIP and not names.isdisjoint(_PACKAGES):
        raise UnsupportedDocument(
            "This kind of file cannot be read. Save it as DOCX, XLSX, PPTX or PDF and upload that."
        )
    return known


def _refuse_ole(data: bytes) -> MediaType:
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise EncryptedDocument
    raise UnsupportedDocument(
        "This is an old binary Office file. Save it as DOCX, XLSX, PPTX or PDF and upload that."
    )


def _from_text(data: bytes, name: str) -> MediaType:
    if _looks_binary(data[:8192]):
        claimed = named_type(name)
        if claimed in BINARY:
            label = claimed.name
            raise MislabelledDocument(f"This file is named as a {label} but its content is not a {label}.")
        raise UnsupportedDocument
    if named_type(name) in _BY_NAME:
        return named_type(name) or MediaType.TEXT
    preamble = _HTML_PREAMBLE.match(data[:4096])
    start = preamble.end() if preamble else 0
    if _HTML.match(data, start) or (named_type(name) is MediaType.HTML and _HTML.search(data)):
        return MediaType.HTML
    if named_type(name) in {MediaType.MARKDOWN, MediaType.TEXT}:
        return named_type(name) or MediaType.TEXT
    sample = data[:65536].decode("utf-8", errors="replace")
    return MediaType.MARKDOWN if len(_MARKDOWN.findall(sample)) >= 2 else MediaType.TEXT


def _looks_binary(sample: bytes) -> bool:
    """NUL bytes outside UTF-16/32, or many control characters, are in no text that a person wrote."""
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    controls = sum(byte < 9 or 13 < byte < 27 or 27 < byte < 32 for byte in sample)
    return b"\0" in sample or controls > len(sample) // 50
