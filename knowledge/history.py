"""The past of documents: drafts, comparison, going back, review, and what was known on a day."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Max, Q, QuerySet

from agents.models import Agent
from knowledge import ingest
from knowledge.documents import start_reading
from knowledge.models import REFUSED, WEB_KINDS, Document, DocumentStatus, Version
from knowledge.versions import add_copy, content_of, newest, plain_text, text_of
from netvexa.lib.errors import AppError, Invalid, NotFound

CONTEXT = 2  # unchanged lines shown around a change
MAX_LINES = 20_000


@dataclass(frozen=True, slots=True)
class DiffLine:
    """`kind` is "same", "added", "removed", or "skipped" for unchanged lines that are left out."""

    kind: str
    text: str


def version_of(document: Document, number: int) -> Version:
    """Raises NotFound."""
    version = document.versions.filter(number=number).first()
    if version is None:
        raise NotFound("There is no such version.")
    return version


def compare(old: Version, new: Version) -> list[DiffLine]:
    """What is read of them, line by line. Raises Invalid where a version cannot be read."""
    return list(_diff(read_text(old).split("\n")[:MAX_LINES], read_text(new).split("\n")[:MAX_LINES]))


def read_text(version: Version) -> str:
    """The text that was kept; a draft has none, and is read for this once. Raises Invalid where it cannot be.

    A web page's is not read: without its scripts' work it would be read as it is today.
    """
    if version.text_file:
        return text_of(version)
    document = version.document
    if not version.file or document.source.kind in WEB_KINDS:
        raise Invalid("Only versions that were read can be compared.")
    try:
        return plain_text(ingest.read_content(document, version, content_of(version)))
    except AppError as error:
        raise Invalid(f"Version {version.number} cannot be read: {error.detail}") from error


def _diff(old: list[str], new: list[str]) -> Iterator[DiffLine]:
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=len(old) > 2000)
    for group in matcher.get_grouped_opcodes(CONTEXT):
        if group[0][1]:
            yield DiffLine("skipped", "…")
        for tag, start, end, new_start, new_end in group:
            if tag == "equal":
                yield from (DiffLine("same", line) for line in old[start:end])
                continue
            yield from (DiffLine("removed", line) for line in old[start:end])
            yield from (DiffLine("added", line) for line in new[new_start:new_end])


def check_draft(version: Version) -> None:
    """Raises Invalid for what is no draft."""
    if not version.draft:
        raise Invalid("This version is published already.")


def publish(version: Version) -> None:
    """Let a draft be read and serve. Raises Invalid for what is no draft."""
    check_draft(version)
    with transaction.atomic():
        document = Document.objects.select_for_update().get(pk=version.document_id)
        last = document.versions.aggregate(last=Max("number"))["last"] or 0
        if version.number < last:
            version.number = last + 1
        version.draft = False
        version.save(update_fields=["draft", "number"])
        start_reading(document)


def check_way_back(version: Version) -> None:
    """Raises Invalid where nothing would be gone back to."""
    if version.draft or not version.file:
        raise Invalid("This version holds nothing to go back to.")
    if newest(version.document) == version:
        raise Invalid("This is the newest version already.")


def go_back(version: Version, *, by: UUID | None) -> Version:
    """Make an older version the newest one again, as a copy. A web page then stays as it is until it is released."""
    with transaction.atomic():
        document = Document.objects.select_for_update().select_related("source").get(pk=version.document_id)
        check_way_back(version)
        copy = add_copy(version, author=by, remark=f"Back to version {version.number}")
        if document.source.kind in WEB_KINDS:
            Document.objects.filter(pk=document.pk).update(pinned=True, fetch_due=False)
        start_reading(document)
    return copy


def release(document: Document) -> None:
    """Let a page follow its original again after somebody chose a version."""
    Document.objects.filter(pk=document.pk).update(pinned=False, fetch_due=False, etag="", last_modified="")


def approve(document: Document, *, by: UUID) -> None:
    """Let what was held for review be read after all. Raises Invalid where nothing is held."""
    version = _held(document)
    with transaction.atomic():
        version.approved_by = by
        version.save(update_fields=["approved_by"])
        start_reading(document)


def refuse(document: Document) -> None:
    """Keep what was held out for good; what serves goes on serving."""
    version = _held(document)
    serves = document.live_id is not None
    version.remark = "Refused at review"
    version.save(update_fields=["remark"])
    Document.objects.filter(pk=document.pk).update(
        status=DocumentStatus.READY if serves else DocumentStatus.FAILED,
        error_code="" if serves else REFUSED,
        error="" if serves else "This content was refused at review and is not used.",
        warning_code=REFUSED if serves else "",
        warning="New content of this document was refused at review; the content before it serves."
        if serves
        else "",
    )


def _held(document: Document) -> Version:
    version = newest(document)
    if document.status != DocumentStatus.HELD or version is None:
        raise Invalid("Nothing of this document waits for a review.")
    return version


def known_at(moment: datetime, *, agent: Agent | None = None) -> QuerySet[Version]:
    """The versions that answers came from at that moment. What was deleted since then is not among them."""
    served = Version.objects.filter(valid_from__lte=moment).filter(Q(valid_to=None) | Q(valid_to__gt=moment))
    served = served.select_related("document__source__agent").order_by("document__title", "document_id")
    return served.filter(document__source__agent=agent) if agent else served
