"""What the chat's kept answers need of knowledge: how alike questions are, and whether what was cited holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from django.db.models import Count, Max
from pgvector import HalfVector

from knowledge.embedding import profile_for
from knowledge.follow_ups import leans
from knowledge.models import Chunk, Document, Version
from knowledge.retrieval import MAX_QUERY, embedded_question, reading_of
from knowledge.sameness import difference, refers_back

__all__ = [
    "Fingerprint",
    "VersionThen",
    "alike",
    "all_there",
    "difference",
    "fingerprint",
    "reading_of",
    "refers_back",
    "source_hosts",
    "stands_alone",
    "version_of",
    "versions_by_id",
]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A question's vector; comparable only with those of the same profile."""

    profile: str
    vector: HalfVector


@dataclass(frozen=True, slots=True)
class VersionThen:
    """A version of a document that an answer rested on, and whether it still serves."""

    document: UUID
    number: int
    serves: bool


def versions_by_id(ids: Sequence[UUID]) -> dict[UUID, VersionThen]:
    """Those of these versions that are still kept."""
    rows = Version.objects.filter(pk__in=ids).values_list("pk", "document_id", "number", "serves__pk")
    return {pk: VersionThen(document, number, serves is not None) for pk, document, number, serves in rows}


def fingerprint(question: str, *, agent_id: UUID) -> Fingerprint:
    """Where the question lies among others. Call inside the workspace."""
    profile, languages = reading_of(agent_id)
    embedded = embedded_question(question[:MAX_QUERY], languages, profile)
    return Fingerprint(profile.id, HalfVector(embedded.vector))


def alike(one: Fingerprint, cosine: float) -> float:
    """How alike two questions of one profile are, 0 to 1: it means about the same in every profile."""
    return profile_for(one.profile).relatedness(cosine)


def version_of(agent_id: UUID) -> str:
    """Changes whenever a document of this agent is added, replaced or taken away."""
    live = Document.objects.filter(source__agent_id=agent_id, live__isnull=False)
    found = live.aggregate(count=Count("pk"), newest=Max("live__valid_from"))
    newest = found["newest"]
    return f"{found['count']}-{newest.timestamp() if newest else 0:.6f}"


def all_there(chunk_ids: Sequence[UUID], *, agent_id: UUID) -> bool:
    """Whether every one of these passages still serves."""
    there = Chunk.objects.filter(pk__in=chunk_ids, agent_id=agent_id, version__serves__isnull=False)
    return there.count() == len(set(chunk_ids))


def stands_alone(question: str, *, history: Sequence[str]) -> bool:
    """Whether the question means the same without what was said before it."""
    if not history:
        return True
    return not leans(question, languages=[""]) and not refers_back(question)


def source_hosts(agent_id: UUID) -> frozenset[str]:
    """The hosts of the pages that this agent knows."""
    urls = Document.objects.filter(source__agent_id=agent_id).exclude(url="").values_list("url", flat=True)
    return frozenset(host for url in urls.distinct() if (host := urlsplit(url).hostname))
