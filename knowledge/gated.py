"""What a person takes away, brings back or publishes, once the agent's test set was asked.

Each returns the run that the change waits for, or None where it is done.
"""

from __future__ import annotations

from uuid import UUID

from agents.gates import Change, Deed, held
from knowledge import documents, history, pushing
from knowledge.models import Document, Source, Version


def delete_source(source: Source, *, by: UUID | None) -> UUID | None:
    run = held(Change(source.agent, by, deed=Deed.DELETE_SOURCE, value=str(source.pk)))
    if run is None:
        documents.delete_source(source)
    return run


def delete_document(document: Document, *, by: UUID | None) -> UUID | None:
    """Raises Invalid for what cannot be deleted alone."""
    pushing.check_removable(document)
    run = held(Change(document.source.agent, by, deed=Deed.DELETE_DOCUMENT, value=str(document.pk)))
    if run is None:
        pushing.remove(document)
    return run


def restore(version: Version, *, by: UUID) -> UUID | None:
    """Raises Invalid for what holds nothing to go back to."""
    history.check_way_back(version)
    run = held(Change(version.document.source.agent, by, deed=Deed.RESTORE, value=str(version.pk)))
    if run is None:
        history.go_back(version, by=by)
    return run


def publish(version: Version, *, by: UUID | None) -> UUID | None:
    """Raises Invalid for what is no draft."""
    history.check_draft(version)
    run = held(Change(version.document.source.agent, by, deed=Deed.PUBLISH, value=str(version.pk)))
    if run is None:
        history.publish(version)
    return run
