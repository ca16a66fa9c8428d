"""Documents that their site or their archive has no more: they go at once, or serve until the agent's test set was
asked about their going.

One that waits is staged like new content, with the reason as its error. What robots.txt forbids since it was read does
not leave at all: it serves on with a warning, as it was allowed to be read then.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from agents import gates
from knowledge import versions
from knowledge.models import Document, DocumentStatus

COPY = "page_copy"  # it gave way to another page
MISSED = "page_gone"
NOT_IN_ARCHIVE = "not_in_archive"
_WHY = {
    MISSED: "Two syncs in a row did not find this page.",
    NOT_IN_ARCHIVE: "This file is not in the archive any more.",
}


def leave(document_id: UUID, *, code: str, why: str = "", url: str = "") -> bool:
    """Take a document out; True where what serves of it waits for its test instead. `url`: where its content is now."""
    with transaction.atomic():
        row = _locked(document_id)
        waits = row.live is not None and gates.keeps_back(row.source.agent)
        if waits and row.is_leaving and row.error_code == code:
            Document.objects.filter(pk=row.pk).update(fetch_due=False)
            return True
        row.error_code, row.error, row.url = code, (why or _WHY[code])[:500], url or row.url
        if not waits:
            versions.take_out(row, status=DocumentStatus.GONE)
            return False
        row.status, row.step, row.fetch_due = DocumentStatus.STAGED, "", False
        row.lease_until, row.attempts = None, 0
        row.save()
    return True


def stay(document_id: UUID) -> bool:
    """It is there again after all; True where content that came before it was to leave has to be read now."""
    with transaction.atomic():
        row = _locked(document_id)
        if not row.is_leaving:
            return False
        newest = versions.newest(row)
        serves = newest is not None and newest.pk == row.live_id
        row.error_code = row.error = ""
        row.status = DocumentStatus.READY if serves else DocumentStatus.WAITING
        row.save()
    return not serves


def go(document_id: UUID) -> None:
    """Take out what waited to leave, unless it stays by now."""
    with transaction.atomic():
        row = _locked(document_id)
        if row.is_leaving:
            versions.take_out(row, status=DocumentStatus.GONE)


def _locked(document_id: UUID) -> Document:
    rows = Document.objects.select_for_update(of=("self",)).select_related("live", "source__agent")
    return rows.get(pk=document_id)
