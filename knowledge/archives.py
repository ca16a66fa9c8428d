"""A ZIP archive of documents: each file in it becomes a document of the same source."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import PurePosixPath
from uuid import UUID

from django.conf import settings
from django.db import transaction

from knowledge import leaving, versions
from knowledge.models import Document, DocumentStatus, Version
from knowledge.parsing.errors import NothingToRead
from knowledge.parsing.sandbox import unpack_apart


def unpack(document: Document, data: bytes) -> list[UUID]:
    """Replace the archive's document by one a file; return those that have something new to read.

    Files are told apart by their path: a new edition of an archive changes what changed, adds what came and
    takes out what went. Raises ParseError where nothing in it can be read.
    """
    unpacked = unpack_apart(data, largest=settings.MAX_UPLOAD_BYTES)
    members, skipped = unpacked.members, unpacked.skipped
    if not members:
        raise NothingToRead(f"No file in this archive can be read. {_sentence(skipped)}".strip())
    with transaction.atomic():
        source = document.source
        known = {row.key: row for row in source.documents.exclude(pk=document.pk).select_for_update()}
        changed = [_put(document, path, content, known.get(path)) for path, content in members.items()]
        for path, row in known.items():
            if path not in members and row.status != DocumentStatus.GONE:
                leaving.leave(row.pk, code=leaving.NOT_IN_ARCHIVE)
        source.found = {"files": len(members), "skipped": skipped[:50]}
        source.save(update_fields=["found"])
        _remove(document)
    return [pk for pk in changed if pk is not None]


def _remove(document: Document) -> None:
    """The archive itself: its files are documents of their own now. A file that it replaces serves while that waits for
    its test.
    """
    stays = leaving.leave(document.pk, code=leaving.NOT_IN_ARCHIVE)
    of_archive = document.versions.all()
    if stays and document.live is not None:
        of_archive = of_archive.filter(number__gt=document.live.number)
    names = versions.files_of(of_archive)
    if stays:
        of_archive.delete()
    else:
        Document.objects.filter(pk=document.pk).delete()
    for name in names:
        transaction.on_commit(partial(Version._meta.get_field("file").storage.delete, name))


def _put(archive: Document, path: str, content: bytes, row: Document | None) -> UUID | None:
    name = PurePosixPath(path).name
    if row is None:
        row = Document.objects.create(source=archive.source, key=path, title=name[:300])
    else:
        before = versions.newest(row)
        same = before is not None and before.sha256 == hashlib.sha256(content).hexdigest()
        if same and row.status != DocumentStatus.GONE and not row.is_unread:
            return row.pk if leaving.stay(row.pk) else None
    versions.add_version(row, name=name, data=content)
    Document.objects.filter(pk=row.pk).exclude(status=DocumentStatus.WORKING).update(
        status=DocumentStatus.WAITING, lease_until=None, attempts=0, error="", error_code=""
    )
    return row.pk


def _sentence(skipped: list[str]) -> str:
    return (
        f"Left out: {', '.join(skipped[:5])}{' and others' if len(skipped) > 5 else ''}." if skipped else ""
    )
