"""What a ZIP archive of documents holds."""

from __future__ import annotations

import io
import unicodedata
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass

from knowledge.parsing.errors import DocumentTooLarge, ParseError
from knowledge.parsing.packages import entries_of, read_entry
from knowledge.parsing.sniff import PICTURES, MediaType, sniff

LEFT_OUT = PICTURES | {MediaType.ZIP}  # a manual's pictures beside it are seldom pages of text
MAX_FILES = 500
MAX_TOTAL = 200 * 1024 * 1024  # bytes, unpacked
_UTF_8 = 0x800  # the flag that says that a name is
_CODE_PAGES = (
    "utf-8",
    "cp437",
    "cp850",
    "cp1252",
)  # some programs forget the flag; Windows in DOS' and its own way
_NOT_FOR_PEOPLE = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True, slots=True)
class Unpacked:
    """Readable files by path, and the paths of others."""

    members: dict[str, bytes]
    skipped: list[str]


def unpack(data: bytes, *, largest: int) -> Unpacked:
    """Every file of at most `largest` bytes that can be read as a document. Raises ParseError."""
    everything = entries_of(data)
    _read_names(everything)
    entries = [entry for entry in everything if not _is_noise(entry.filename) and not entry.is_dir()]
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


def _read_names(entries: Iterable[zipfile.ZipInfo]) -> None:
    """Read names anew that are not marked as UTF-8, for which Python takes the first IBM PC's code page.

    They are in that of whoever packed them: of the usual ones the first is taken in which all names are of Latin
    letters; where there is none they stay as they are.
    """
    unmarked = [entry for entry in entries if not entry.flag_bits & _UTF_8]
    packed = [entry.orig_filename.encode("cp437").partition(b"\0")[0] for entry in unmarked]
    for code_page in _CODE_PAGES:
        try:
            names = [name.decode(code_page) for name in packed]
        except UnicodeDecodeError:
            continue
        if code_page == "utf-8" or all(map(_is_latin, "".join(names))):
            for entry, name in zip(unmarked, names, strict=True):
                entry.filename = name
            return


def _is_latin(character: str) -> bool:
    return character.isascii() or character == "°" or unicodedata.name(character, "").startswith("LATIN")


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
