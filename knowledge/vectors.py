"""Vectors of passages: those that stand in the workspace already, and those that are being made.

A vector that was made and not stored yet is kept in Redis: a worker that follows a killed one reads no text again.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from django.core.cache import cache
from redis.exceptions import RedisError

from knowledge.embedding import Embedded, EmbeddingInput, EmbeddingProfile, embed_texts
from knowledge.models import Chunk
from knowledge.passages import Passage, stored_vectors
from tenants.context import current_workspace

logger = logging.getLogger(__name__)

KEPT = 900  # seconds: longer than the lease of a dead worker and the wait for the next one


@dataclass(frozen=True, slots=True)
class Vectors:
    """Vectors by content hash: those that are known, and those that are being read."""

    known: dict[str, Embedded]
    coming: dict[str, Future[Embedded]]

    def result(self) -> dict[str, Embedded]:
        return self.known | {content_hash: vector.result() for content_hash, vector in self.coming.items()}

    def are_stored(self) -> None:
        """Their chunks are committed: nothing has to be kept beside them."""
        try:
            cache.delete_many([_key(content_hash) for content_hash in (*self.known, *self.coming)])
        except RedisError:
            logger.info("Redis cannot be reached, vectors that are stored go by themselves")


def vectors_of(passages: Sequence[Passage], profile: EmbeddingProfile) -> Vectors:
    """Begin to embed what is not known: the same content is embedded once a workspace."""
    known = _stored(passages, profile)
    known |= _kept([p.content_hash for p in passages if p.content_hash not in known])
    new = {p.content_hash: p.reading for p in passages if p.content_hash not in known}
    keys = {reading: _key(content_hash) for content_hash, reading in new.items()}

    def keep(reading: EmbeddingInput, made: Embedded) -> None:
        _keep(keys[reading], made)

    vectors = embed_texts(list(new.values()), profile=profile, then=keep)
    return Vectors(known, dict(zip(new, vectors, strict=True)))


def _stored(passages: Sequence[Passage], profile: EmbeddingProfile) -> dict[str, Embedded]:
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


def _kept(hashes: Sequence[str]) -> dict[str, Embedded]:
    names = {_key(content_hash): content_hash for content_hash in hashes}
    try:
        return {names[key]: vector for key, vector in cache.get_many(names).items()}
    except RedisError:
        return {}


def _keep(key: str, made: Embedded) -> None:
    try:
        cache.set(key, made, KEPT)
    except RedisError:
        logger.info("Redis cannot be reached, a vector is kept nowhere until its chunk is stored")


def _key(content_hash: str) -> str:
    """The hash holds the profile."""
    return f"{current_workspace().key}:vectors:{content_hash}"
