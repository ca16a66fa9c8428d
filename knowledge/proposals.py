"""What changes of knowledge would bring, laid over what serves, so that an agent can be asked before they hold; and
doing them.
"""

from __future__ import annotations

from uuid import UUID

from knowledge import documents, history, ingest, pushing, retrieval
from knowledge.candidates import Draft, Overlay
from knowledge.models import Document, Source, Version
from knowledge.passages import chunk_row
from knowledge.vectors import vectors_of
from knowledge.versions import content_of
from netvexa.lib.errors import NotFound

MAX_BYTES = 5_000_000  # of a version whose passages are made for a test alone


def overlay_of(version_id: UUID | str) -> Overlay:
    """A draft or an earlier version in the place of the one that serves. Raises NotFound, and AppError where it
    cannot be read.
    """
    version = _version(version_id)
    document = version.document
    agent_id = document.source.agent_id
    parsed = ingest.read_content(document, version, content_of(version))
    profile = retrieval.reading_of(agent_id).profile
    passages = ingest.passages_of(parsed, profile)
    vectors = vectors_of(passages, profile).result()
    rows = [
        chunk_row(
            passage,
            vectors[passage.content_hash],
            version=version,
            agent_id=agent_id,
            ordinal=ordinal,
            profile_id=profile.id,
        )
        for ordinal, passage in enumerate(passages)
    ]
    draft = Draft(
        document_id=document.pk,
        version_id=version.pk,
        title=document.title,
        url=document.url,
        chunks=tuple(rows),
        audience=document.source.audience,
    )
    return Overlay(without=frozenset({document.pk}), draft=draft)


def without_source(source_id: UUID | str) -> Overlay:
    ids = _source(source_id).documents.values_list("pk", flat=True)
    return Overlay(without=frozenset(ids))


def without_document(document_id: UUID | str) -> Overlay:
    return Overlay(without=frozenset({_document(document_id).pk}))


def is_triable(version_id: UUID | str) -> bool:
    """Whether a version's passages are made for a test alone."""
    version = _version(version_id)
    return bool(version.file) and version.size <= MAX_BYTES


def publish(version_id: UUID | str) -> None:
    """Let the draft serve. Raises Invalid for what is no draft."""
    history.publish(_version(version_id))


def restore(version_id: UUID | str, *, by: UUID | None) -> None:
    """Raises Invalid where it is the newest by now."""
    history.go_back(_version(version_id), by=by)


def delete_source(source_id: UUID | str) -> None:
    documents.delete_source(_source(source_id))


def delete_document(document_id: UUID | str) -> None:
    pushing.remove(_document(document_id))


def name_of_version(version_id: UUID | str) -> str:
    """Such as "Price list, version 3"."""
    version = _version(version_id)
    return f"{version.document.title}, version {version.number}"


def name_of_source(source_id: UUID | str) -> str:
    return _source(source_id).title


def name_of_document(document_id: UUID | str) -> str:
    return _document(document_id).title


def _source(source_id: UUID | str) -> Source:
    return Source.objects.get_or_404(source_id)


def _document(document_id: UUID | str) -> Document:
    return Document.objects.get_or_404(document_id)


def _version(version_id: UUID | str) -> Version:
    version = Version.objects.filter(pk=version_id).select_related("document__source__agent").first()
    if version is None:
        raise NotFound("There is no such version.")
    return version
