"""Tell what a file is from its bytes. The name only decides between kinds of plain text."""

from __future__ import annotations

import io
import re
import zipfile
from enum import StrEnum
from pathlib import PurePosixPath

from knowledge.parsing.errors import (
    DocumentTooLarge,
    EmptyDocument,
    EncryptedDocument,
    MislabelledDocument,
    ParseError,
    UnsupportedDocument,
)


class MediaType(StrEnum):
    PDF = "application/pdf"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    HTML = "text/html"
    MARKDOWN = "text/markdown"
    TEXT = "text/plain"


OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # compound file: old Word, or a DOCX behind a password
MAX_UNPACKED = 300 * 1024 * 1024
MAX_UNPACK_RATIO = 200

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
}
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
    if claimed in {MediaType.PDF, MediaType.DOCX} and found is not claimed:
        label = claimed.name
        raise MislabelledDocument(f"This file is named as a {label} but its content is not a {label}.")
    return found


def _from_bytes(data: bytes, name: str) -> MediaType:
    if b"%PDF-" in data[:1024]:
        return MediaType.PDF
    if data.startswith(b"PK\x03\x04"):
        return _from_zip(data, name)
    if data.startswith(OLE_MAGIC):
        return _refuse_ole(data)
    return _from_text(data, name)


def _from_zip(data: bytes, name: str) -> MediaType:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except zipfile.BadZipFile:
        raise ParseError from None
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MAX_UNPACKED or unpacked > MAX_UNPACK_RATIO * len(data) + 1024 * 1024:
        raise DocumentTooLarge("This document unpacks to far more than its size; it was not opened.")
    if any(entry.filename == "word/document.xml" for entry in entries):
        return MediaType.DOCX
    if named_type(name) is MediaType.DOCX:
        raise MislabelledDocument("This file is named as a DOCX but holds no Word document.")
    raise UnsupportedDocument


def _refuse_ole(data: bytes) -> MediaType:
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise EncryptedDocument
    raise UnsupportedDocument("This is an old binary Office file. Save it as DOCX or PDF and upload that.")


def _from_text(data: bytes, name: str) -> MediaType:
    if _looks_binary(data[:8192]):
        claimed = named_type(name)
        if claimed in {MediaType.PDF, MediaType.DOCX}:
            label = claimed.name
            raise MislabelledDocument(f"This file is named as a {label} but its content is not a {label}.")
        raise UnsupportedDocument
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
