"""Versions of a document: made, kept, put into service, taken out of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import partial
from uuid import UUID

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from knowledge import index
from knowledge.blocks import BlockKind, ParsedDocument
from knowledge.models import Chunk, Document, DocumentStatus, Version, storage_folder
from netvexa.lib.ids import short_id

KEPT_VERSIONS = 50  # of one document; older ones go, a page that changes hourly would fill the disk


def add_version(
    document: Document,
    *,
    name: str,
    data: bytes,
    draft: bool = False,
    author: UUID | None = None,
    remark: str = "",
) -> Version:
    """A new newest version, its bytes stored. Call in the transaction that starts its reading."""
    last = document.versions.aggregate(last=Max("number"))["last"] or 0
    version = Version(
        document=document, number=last + 1, name=name[:200], draft=draft, author=author, remark=remark[:200]
    )
    if data:
        put_content(version, data)
    version.save()
    return version


def add_copy(version: Version, *, author: UUID | None, remark: str) -> Version:
    """A new newest version with the content of another one, as nobody read it yet.

    The file is shared, not copied: a stored file never changes.
    """
    last = Version.objects.filter(document=version.document_id).aggregate(last=Max("number"))["last"] or 0
    return Version.objects.create(
        document_id=version.document_id,
        number=last + 1,
        file=str(version.file.name),
        name=version.name,
        charset=version.charset,
        address=version.address,
        size=version.size,
        sha256=version.sha256,
        approved_by=version.approved_by,
        author=author,
        remark=remark,
    )


def put_content(version: Version, data: bytes) -> None:
    """Store the bytes; the row is not saved. The stored name is random: names of people's files say nothing
    about paths on our disks.
    """
    version.size, version.sha256 = len(data), hashlib.sha256(data).hexdigest()
    version.file.save(f"{storage_folder()}/{short_id(20)}", ContentFile(data), save=False)


def content_of(version: Version) -> bytes:
    with version.file.open("rb") as file:
        data: bytes = file.read()
    return data


def newest(document: Document) -> Version | None:
    """The newest version that is no draft."""
    return document.versions.filter(draft=False).order_by("-number").first()


def keep_text(version: Version, parsed: ParsedDocument) -> None:
    """Store what was read as plain text, for comparing and for the question what was known; not saved."""
    text = plain_text(parsed)
    version.text_sha256 = hashlib.sha256(text.encode()).hexdigest()
    if version.text_file:
        version.text_file.storage.delete(str(version.text_file.name))
    version.text_file.save(f"{storage_folder()}/{short_id(20)}", ContentFile(text.encode()), save=False)


def plain_text(parsed: ParsedDocument) -> str:
    """Headings as in Markdown, list items with a dash: one line a block."""
    marks = {BlockKind.LIST_ITEM: "- "}
    return "\n".join(
        ("#" * max(1, block.level) + " " if block.kind is BlockKind.HEADING else marks.get(block.kind, ""))
        + block.text
        for block in parsed.blocks
    )


def text_of(version: Version) -> str:
    """What was read of this version; "" where nothing was."""
    if not version.text_file:
        return ""
    with version.text_file.open("rb") as file:
        return str(file.read().decode())


def files_of(versions: Iterable[Version]) -> list[str]:
    """The names of all stored files of these versions, each once: a rolled-back version shares its file."""
    names = (str(file.name) for version in versions for file in (version.file, version.text_file) if file)
    return list(dict.fromkeys(names))


def prune(document: Document) -> None:
    """Forget the oldest versions of a document that changes all the time, and their files."""
    old = list(document.versions.order_by("-number")[KEPT_VERSIONS:])
    old = [version for version in old if version.pk != document.live_id and not version.draft]
    Version.objects.filter(pk__in=[version.pk for version in old]).delete()
    _forget_files(document, files_of(old))


def forget(version: Version) -> None:
    """Delete a version that never served, and its files."""
    names = files_of([version])
    version.delete()
    _forget_files(version.document, names)


def _forget_files(document: Document, names: Iterable[str]) -> None:
    """Delete those that no version has any more, once the transaction is committed."""
    for name in names:
        if not document.versions.filter(Q(file=name) | Q(text_file=name)).exists():
            transaction.on_commit(partial(Version._meta.get_field("file").storage.delete, name))


def says_as_before(version: Version, live: Version) -> bool:
    """Whether a sync's new version reads exactly as the serving one just before it: only its bytes differ."""
    if version.author is not None or version.sha256 == live.sha256:
        return False
    others = version.document.versions.filter(draft=False).exclude(pk__in=[version.pk, live.pk])
    return not others.filter(number__gt=live.number).exists() and _reading(version) == _reading(live)


def _reading(version: Version) -> tuple[str, str, str]:
    return version.title, version.language, version.text_sha256


def replace_bytes(live: Version, version: Version) -> None:
    """Let the serving version have the bytes and links of one that reads the same, which goes.

    Call in a transaction that holds the document's row.
    """
    names = files_of([live, version])
    for field in (
        "name", "charset", "address", "content_type", "size", "sha256", "links", "external_links", "notes",
    ):  # fmt: skip
        setattr(live, field, getattr(version, field))
    live.file = str(version.file.name)
    version.delete()
    live.save()
    _forget_files(live.document, names)


def take_out(document: Document, *, status: DocumentStatus) -> None:
    """Let a document serve no longer. Its versions stay, with the time until which they served.

    Call in a transaction that holds the document's row.
    """
    live = document.live
    if live is not None:
        index.count_out(live)
        live.chunks.all().delete()
        live.valid_to = timezone.now()
        live.save(update_fields=["valid_to"])
    Chunk.objects.filter(version__document=document).delete()  # of a version that was kept back
    document.live, document.status = None, status
    document.step, document.lease_until, document.fetch_due = "", None, False
    document.save()
