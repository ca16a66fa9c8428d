"""Vectors of passages: those that stand in the workspace already, and those that are being made."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from knowledge.embedding import Embedded, EmbeddingProfile, embed_texts
from knowledge.models import Chunk
from knowledge.passages import Passage, stored_vectors


@dataclass(frozen=True, slots=True)
class Vectors:
    """Vectors by content hash: those that stand in the workspace, and those that are being read."""

    known: dict[str, Embedded]
    coming: dict[str, Future[Embedded]]

    def result(self) -> dict[str, Embedded]:
        return self.known | {content_hash: vector.result() for content_hash, vector in self.coming.items()}


def vectors_of(passages: Sequence[Passage], profile: EmbeddingProfile) -> Vectors:
    """Begin to embed what is not known: the same content is embedded once a workspace."""
    known = _known_vectors(passages, profile)
    new = {p.content_hash: p.reading for p in passages if p.content_hash not in known}
    return Vectors(known, dict(zip(new, embed_texts(list(new.values()), profile=profile), strict=True)))


def _known_vectors(passages: Sequence[Passage], profile: EmbeddingProfile) -> dict[str, Embedded]:
    rows = (
        Chunk.objects.filter(content_hash__in={p.content_hash for p in passages}, profile=profile.id)
        .order_by("content_hash")
        .distinct("content_hash")
        .values_list("content_hash", "embedding", "words")
    )
    return {
        content_hash: stored_vectors(embedding, bytes(words), width=profile.word_dimension)
        for content_hash, embedding, words in rows
    }
