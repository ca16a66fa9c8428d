"""What a draft would change: its passages, made in memory and laid over those that serve, so that an agent can be
asked before the draft is published.
"""

from __future__ import annotations

from uuid import UUID

from knowledge import history, ingest, retrieval
from knowledge.candidates import Overlay
from knowledge.models import Version
from knowledge.passages import chunk_row
from knowledge.vectors import vectors_of
from knowledge.versions import content_of
from netvexa.lib.errors import NotFound

MAX_BYTES = 5_000_000  # of a draft that is tried: a larger one is published without a test
UNTESTED = f"Published without a test: a draft of more than {MAX_BYTES // 1_000_000} MB is too large for one."


def overlay_of(version_id: UUID | str) -> Overlay:
    """A draft's passages. Raises NotFound, and AppError where it cannot be read."""
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
    return Overlay(
        document_id=document.pk,
        version_id=version.pk,
        title=document.title,
        url=document.url,
        chunks=tuple(rows),
        audience=document.source.audience,
    )


def is_triable(version_id: UUID | str) -> bool:
    """Whether a version is a draft of a size that is tried."""
    version = _version(version_id)
    return version.draft and bool(version.file) and version.size <= MAX_BYTES


def publish(version_id: UUID | str) -> None:
    """Let the draft serve. Raises Invalid for what is no draft."""
    history.publish(_version(version_id))


def name_of(version_id: UUID | str) -> str:
    """Such as "Price list, version 3"."""
    version = _version(version_id)
    return f"{version.document.title}, version {version.number}"


def _version(version_id: UUID | str) -> Version:
    version = Version.objects.filter(pk=version_id).select_related("document__source__agent").first()
    if version is None:
        raise NotFound("There is no such version.")
    return version
