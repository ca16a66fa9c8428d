"""What a ZIP archive of documents holds."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass

from knowledge.parsing.errors import DocumentTooLarge, ParseError
from knowledge.parsing.packages import entries_of, read_entry
from knowledge.parsing.sniff import PICTURES, MediaType, sniff

LEFT_OUT = PICTURES | {MediaType.ZIP}  # a manual's pictures beside it are seldom pages of text
MAX_FILES = 500
MAX_TOTAL = 200 * 1024 * 1024  # bytes, unpacked
_NOT_FOR_PEOPLE = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True, slots=True)
class Unpacked:
    """Readable files by path, and the paths of others."""

    members: dict[str, bytes]
    skipped: list[str]


def unpack(data: bytes, *, largest: int) -> Unpacked:
    """Every file of at most `largest` bytes that can be read as a document. Raises ParseError."""
    entries = [entry for entry in entries_of(data) if not _is_noise(entry.filename) and not entry.is_dir()]
    if len(entries) > MAX_FILES:
        raise DocumentTooLarge(f"This archive holds {len(entries):,} files; {MAX_FILES} is the most.")
    if sum(entry.file_size for entry in entries) > MAX_TOTAL:
        raise DocumentTooLarge("This archive unpacks to more than 200 MB. Split it into parts.")
    found = Unpacked({}, [])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in entries:
            content = _readable(archive, entry, largest=largest)
            if content is None:
                found.skipped.append(entry.filename[:200])
            else:
                found.members[entry.filename[:500]] = content
    return found


def _is_noise(path: str) -> bool:
    return not path or path.startswith(_NOT_FOR_PEOPLE) or path.endswith(_NOT_FOR_PEOPLE)


def _readable(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, *, largest: int) -> bytes | None:
    """The file's bytes, or None where its kind is not read: pictures, programs, archives in archives."""
    if entry.file_size > largest:
        return None
    content = read_entry(archive, entry)
    try:
        return None if sniff(content, name=entry.filename) in LEFT_OUT else content
    except ParseError:
        return None
