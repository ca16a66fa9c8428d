"""Zip-based formats (Office, EPUB, plain archives): opened only after a look at what they would unpack to."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from knowledge.parsing.errors import DocumentTooLarge, EncryptedDocument, ParseError
from netvexa.lib.errors import AppError

MAX_UNPACKED = 300 * 1024 * 1024
MAX_UNPACK_RATIO = 200
MAX_ENTRIES = 10_000
_SLACK = 1024 * 1024  # small files of white space pack better than any honest ratio
_DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_ENCRYPTED = 0x1


@contextmanager
def damage_refused() -> Iterator[None]:
    """Around the reading of a package by its library: those raise whatever comes up where XML is not as they think,
    AttributeError and OSError too. Raises ParseError for all of it; what is out of memory stays that.
    """
    try:
        yield
    except (AppError, MemoryError):
        raise
    except Exception as error:
        raise ParseError from error


def entries_of(data: bytes) -> list[zipfile.ZipInfo]:
    """The directory of an archive. Raises ParseError where it is damaged, a bomb or behind a password."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise ParseError from None
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MAX_UNPACKED or unpacked > MAX_UNPACK_RATIO * len(data) + _SLACK:
        raise DocumentTooLarge("This document unpacks to far more than its size; it was not opened.")
    if len(entries) > MAX_ENTRIES:
        raise DocumentTooLarge(f"This archive holds more than {MAX_ENTRIES:,} files; it was not opened.")
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise EncryptedDocument
    return entries


def read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo | str) -> bytes:
    """One file of the archive, and not a byte more than its directory says. Raises ParseError."""
    info = archive.getinfo(entry) if isinstance(entry, str) else entry
    try:
        with archive.open(info) as file:
            data = file.read(info.file_size + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError):
        raise ParseError from None
    if len(data) > info.file_size:
        raise DocumentTooLarge("This document unpacks to more than it says; it was not opened.")
    return data


def refuse_declarations(data: bytes) -> None:
    """Office files never declare document types or entities; those that do mean to exhaust their reader."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist():
            if entry.filename.endswith((".xml", ".rels")):
                with archive.open(entry) as file:
                    start = file.read(4096)
                if _DECLARATION.search(start):
                    raise ParseError("This document declares XML entities, which no office program writes.")
