"""Texts to vectors. One encoder a process and profile, loaded at its first use and shared by all threads."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from django.conf import settings

from knowledge.embedding import weights
from knowledge.embedding.batching import Batcher
from knowledge.embedding.encoders import Encoder, OnnxEncoder, TorchEncoder
from knowledge.embedding.pooling import Embedded, EmbeddingInput, Span
from knowledge.embedding.profiles import (
    DEFAULT_PROFILE,
    MULTILINGUAL_PROFILE,
    PROFILES,
    EmbeddingProfile,
    profile_for,
)

__all__ = [
    "DEFAULT_PROFILE",
    "MULTILINGUAL_PROFILE",
    "PROFILES",
    "Embedded",
    "EmbeddingInput",
    "EmbeddingProfile",
    "Encoder",
    "embed_query",
    "encoder_for",
    "ensure_exported",
    "profile_for",
]

_encoders: dict[tuple[str, int], Encoder] = {}
_batchers: dict[str, Batcher] = {}
_loading = threading.Lock()


def encoder_for(profile_id: str = DEFAULT_PROFILE.id, *, threads: int = 1) -> Encoder:
    """The process's encoder for this profile. The first call loads it (0.3 s, or 10 s before the first
    export).

    A question takes one thread, and as many are read at once as `settings.EMBEDDING_THREADS`, which documents
    take together.
    """
    key = (profile_id, threads)
    encoder = _encoders.get(key)
    if encoder is None:
        with _loading:
            encoder = _encoders.get(key) or _load(profile_for(profile_id), threads)
            _encoders[key] = encoder
    return encoder


def embed_query(text: str, *, words: Sequence[Span], profile: EmbeddingProfile) -> Embedded:
    """The vectors of a question; `words` are the spans of its content words. Shares passes between threads."""
    batcher = _batchers.get(profile.id)
    if batcher is None:
        encoder = encoder_for(profile.id)
        with _loading:
            batcher = _batchers.setdefault(profile.id, Batcher(encoder, cores=settings.EMBEDDING_THREADS))
    prefix = len(profile.query_prefix)
    spans = [(start + prefix, end + prefix) for start, end in words]
    return batcher.embed(EmbeddingInput(profile.query_prefix + text, spans))


def ensure_exported() -> None:
    """Make the profiles ready to load quickly; part of installing, before anything asks."""
    if settings.EMBEDDING_BACKEND == "onnx":
        for profile in PROFILES.values():
            weights.ensure_exported(profile, folder=settings.MODELS_FOLDER)


def _load(profile: EmbeddingProfile, threads: int) -> Encoder:
    if settings.EMBEDDING_BACKEND == "sentence-transformers":
        return TorchEncoder(profile, threads=threads)
    path = weights.ensure_exported(profile, folder=settings.MODELS_FOLDER)
    return OnnxEncoder(profile, path, threads=threads)
