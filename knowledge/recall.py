"""What the chat's kept answers need of knowledge: how alike questions are, and whether what was cited holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import urlsplit
from uuid import UUID

import numpy as np
from django.utils import timezone
from django.utils.formats import date_format
from pgvector import HalfVector

from knowledge.embedding import DEFAULT_PROFILE, profile_for
from knowledge.embedding.pooling import Floats, vector_text
from knowledge.follow_ups import leans
from knowledge.models import Chunk, Document, Version
from knowledge.retrieval import MAX_QUERY, Reading, embedded_question, reading_asked, reading_of
from knowledge.sameness import difference, refers_back

__all__ = [
    "Fingerprint",
    "Reading",
    "VersionThen",
    "alike",
    "all_there",
    "difference",
    "fingerprint",
    "reading_asked",
    "reading_of",
    "refers_back",
    "restricted_to",
    "source_hosts",
    "stands_alone",
    "told_version",
    "version_of",
    "versions_by_id",
]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A question's vector; comparable only with those of the same profile.

    How alike two questions are is told on one scale for all profiles, the cosine of the usual one: models differ in
    how near to one another they put what has nothing in common. 0.95 of MiniLM is 0.986 of the multilingual model.
    """

    profile: str
    floats: Floats

    @property
    def vector(self) -> HalfVector:
        """As the ORM takes it."""
        return HalfVector(self.floats)

    @property
    def text(self) -> str:
        """As a written statement takes it."""
        return vector_text(self.floats)

    def to(self, vector: HalfVector) -> float:
        """The cosine to a vector of the same profile."""
        return float(np.dot(self.floats, np.asarray(vector.to_list(), dtype=np.float32)))

    def likeness(self, cosine: float) -> float:
        """This profile's cosine on the common scale."""
        return 1 - (1 - cosine) * (1 - DEFAULT_PROFILE.unrelated) / (1 - profile_for(self.profile).unrelated)

    def cosine(self, likeness: float) -> float:
        """The other way round."""
        return 1 - (1 - likeness) * (1 - profile_for(self.profile).unrelated) / (
            1 - DEFAULT_PROFILE.unrelated
        )


@dataclass(frozen=True, slots=True)
class VersionThen:
    """A version of a document that an answer rested on, whether it still serves, and whom it is meant for now."""

    document: UUID
    number: int
    serves: bool
    audience: str


def versions_by_id(ids: Sequence[UUID]) -> dict[UUID, VersionThen]:
    """Those of these versions that are still kept."""
    rows = Version.objects.filter(pk__in=ids).values_list(
        "pk", "document_id", "number", "serves__pk", "document__source__audience"
    )
    return {
        pk: VersionThen(document, number, serves is not None, audience)
        for pk, document, number, serves, audience in rows
    }


def fingerprint(question: str, *, agent_id: UUID, reading: Reading | None = None) -> Fingerprint:
    """Where the question lies among others. Call inside the workspace."""
    reading = reading or reading_of(agent_id)
    embedded = embedded_question(question[:MAX_QUERY], reading.languages, reading.profile)
    return Fingerprint(reading.profile.id, embedded.vector)


def alike(one: Fingerprint, cosine: float) -> float:
    """How alike two questions of one profile are, 0 to 1: it means about the same in every profile."""
    return profile_for(one.profile).relatedness(cosine)


def version_of(agent_id: UUID) -> str:
    """Changes whenever a document of this agent is added, replaced or taken away."""
    return reading_of(agent_id).version


def told_version(version: str) -> str:
    """What people read of `version_of`: how many documents served, and since when they were all as they are."""
    count, _, since = version.partition("-")
    day = date_format(timezone.localtime(datetime.fromtimestamp(float(since), UTC)), "j M Y H:i:s")
    return f"{count} document{'' if count == '1' else 's'}, as of {day}" if int(count) else "no documents"


def all_there(chunk_ids: Sequence[UUID], *, agent_id: UUID, audiences: Sequence[str] = ()) -> bool:
    """Whether every one of these passages still serves everybody or one of `audiences`."""
    there = Chunk.objects.filter(
        pk__in=chunk_ids, agent_id=agent_id, version__serves__source__audience__in=["", *audiences]
    )
    return there.count() == len(set(chunk_ids))


def restricted_to(chunk_ids: Sequence[UUID]) -> str:
    """The audience that one of these passages is meant for; empty where all are for everybody or gone."""
    audiences = Chunk.objects.filter(pk__in=chunk_ids).exclude(version__document__source__audience="")
    return audiences.values_list("version__document__source__audience", flat=True).first() or ""


def stands_alone(question: str, *, history: Sequence[str]) -> bool:
    """Whether the question means the same without what was said before it."""
    if not history:
        return True
    return not leans(question, languages=[""]) and not refers_back(question)


def source_hosts(agent_id: UUID, *, version: str, audiences: Sequence[str] = ()) -> frozenset[str]:
    """The hosts of the pages that this agent knows and these visitors may read, in this version of its knowledge."""
    return _source_hosts(agent_id, version, tuple(audiences))


@lru_cache(maxsize=1024)
def _source_hosts(agent_id: UUID, _version: str, audiences: tuple[str, ...]) -> frozenset[str]:
    """There may be thousands of addresses, and they change only together with the version."""
    readable = Document.objects.filter(source__agent_id=agent_id, source__audience__in=["", *audiences])
    urls = readable.exclude(url="").values_list("url", flat=True)
    return frozenset(host for url in urls.distinct() if (host := urlsplit(url).hostname))
