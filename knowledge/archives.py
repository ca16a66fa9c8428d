"""A ZIP archive of documents: each file in it becomes a document of the same source."""

from __future__ import annotations

import hashlib
import io
import zipfile
from functools import partial
from pathlib import PurePosixPath
from uuid import UUID

from django.conf import settings
from django.db import transaction

from knowledge import versions
from knowledge.models import Document, DocumentStatus, Version
from knowledge.parsing.errors import DocumentTooLarge, NothingToRead, ParseError
from knowledge.parsing.packages import entries_of, read_entry
from knowledge.parsing.sniff import PICTURES, MediaType, sniff

LEFT_OUT = PICTURES | {MediaType.ZIP}  # a manual's pictures beside it are seldom pages of text
MAX_FILES = 500
MAX_TOTAL = 200 * 1024 * 1024  # bytes, unpacked
_NOT_FOR_PEOPLE = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")


def unpack(document: Document, data: bytes) -> list[UUID]:
    """Replace the archive's document by one a file; return those that have something new to read.

    Files are told apart by their path: a new edition of an archive changes what changed, adds what came and
    takes out what went. Raises ParseError where nothing in it can be read.
    """
    members, skipped = _members(data)
    if not members:
        raise NothingToRead(f"No file in this archive can be read. {_sentence(skipped)}".strip())
    with transaction.atomic():
        source = document.source
        known = {row.key: row for row in source.documents.exclude(pk=document.pk).select_for_update()}
        changed = [_put(document, path, content, known.get(path)) for path, content in members.items()]
        for path, row in known.items():
            if path not in members and row.status != DocumentStatus.GONE:
                versions.take_out(row, status=DocumentStatus.GONE)
        source.found = {"files": len(members), "skipped": skipped[:50]}
        source.save(update_fields=["found"])
        _remove(document)
    return [pk for pk in changed if pk is not None]


def _remove(document: Document) -> None:
    """The archive itself: its files are documents of their own now."""
    row = Document.objects.select_for_update(of=("self",)).select_related("live").get(pk=document.pk)
    names = versions.files_of(row.versions.all())
    versions.take_out(row, status=DocumentStatus.GONE)
    row.delete()
    for name in names:
        transaction.on_commit(partial(Version._meta.get_field("file").storage.delete, name))


def _members(data: bytes) -> tuple[dict[str, bytes], list[str]]:
    """Readable files by path, and the paths of others."""
    entries = [entry for entry in entries_of(data) if not _is_noise(entry.filename) and not entry.is_dir()]
    if len(entries) > MAX_FILES:
        raise DocumentTooLarge(f"This archive holds {len(entries):,} files; {MAX_FILES} is the most.")
    if sum(entry.file_size for entry in entries) > MAX_TOTAL:
        raise DocumentTooLarge("This archive unpacks to more than 200 MB. Split it into parts.")
    members, skipped = {}, []
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in entries:
            content = _readable(archive, entry)
            if content is None:
                skipped.append(entry.filename[:200])
            else:
                members[entry.filename[:500]] = content
    return members, skipped


def _is_noise(path: str) -> bool:
    return not path or path.startswith(_NOT_FOR_PEOPLE) or path.endswith(_NOT_FOR_PEOPLE)


def _readable(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes | None:
    """The file's bytes, or None where its kind is not read: pictures, programs, archives in archives."""
    if entry.file_size > settings.MAX_UPLOAD_BYTES:
        return None
    content = read_entry(archive, entry)
    try:
        return None if sniff(content, name=entry.filename) in LEFT_OUT else content
    except ParseError:
        return None


def _put(archive: Document, path: str, content: bytes, row: Document | None) -> UUID | None:
    name = PurePosixPath(path).name
    if row is None:
        row = Document.objects.create(source=archive.source, key=path, title=name[:300])
    else:
        before = versions.newest(row)
        same = before is not None and before.sha256 == hashlib.sha256(content).hexdigest()
        if same and row.status != DocumentStatus.GONE and not row.is_unread:
            return None
    versions.add_version(row, name=name, data=content)
    Document.objects.filter(pk=row.pk).exclude(status=DocumentStatus.WORKING).update(
        status=DocumentStatus.WAITING, lease_until=None, attempts=0, error="", error_code=""
    )
    return row.pk


def _sentence(skipped: list[str]) -> str:
    return (
        f"Left out: {', '.join(skipped[:5])}{' and others' if len(skipped) > 5 else ''}." if skipped else ""
    )
