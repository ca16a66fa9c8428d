"""What a person takes away, brings back, publishes or gives to another audience, once the agent's test set was asked.

Each returns the run that the change waits for, or None where it is done.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, TypedDict
from uuid import UUID

from agents.audiences import checked
from agents.gates import Change, Deed, held
from agents.models import Agent
from knowledge import documents, history, pushing
from knowledge.models import Document, Source, Version


class Meant(TypedDict):
    """Whom a source is to be meant for: an audience's name, or "" for everybody."""

    source: str
    audience: str


class Moved(TypedDict):
    """A document that was sent again for another audience: its id, and the fields of a `Pushed`."""

    document: str
    pushed: dict[str, Any]


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


def set_audience(source: Source, audience: str, *, by: UUID | None) -> UUID | None:
    """Raises Invalid for no audience's name."""
    wanted: Meant = {"source": str(source.pk), "audience": checked(audience)}
    if wanted["audience"] == source.audience:
        return None
    run = held(Change(source.agent, by, deed=Deed.AUDIENCE, value=wanted))
    if run is None:
        documents.set_audience(source, audience)
    return run


def push(agent: Agent, pushed: pushing.Pushed, *, by: UUID | None) -> tuple[Document, bool] | UUID:
    """What `pushing.push` returns. What is to serve others than before waits as a whole: its new content may be meant
    for no others. Raises Invalid.
    """
    document = pushing.document_that_moves(agent, pushed)
    if document is not None:
        moved: Moved = {"document": str(document.pk), "pushed": asdict(pushed)}
        run = held(Change(agent, by, deed=Deed.PUSH, value=moved))
        if run is not None:
            return run
    return pushing.push(agent, pushed, added_by=by)


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
