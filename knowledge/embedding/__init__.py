"""Texts to vectors. One encoder a process and profile, loaded at its first use and shared by all threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache

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
    "embed_texts",
    "encoder_for",
    "ensure_exported",
    "profile_for",
]

_encoders: dict[str, Encoder] = {}
_batchers: dict[str, Batcher] = {}
_loading = threading.Lock()


def encoder_for(profile_id: str = DEFAULT_PROFILE.id) -> Encoder:
    """The process's encoder for this profile. The first call loads it (0.3 s, or 10 s before the first
    export).

    A pass takes one thread; `settings.EMBEDDING_THREADS` of them run at once.
    """
    encoder = _encoders.get(profile_id)
    if encoder is None:
        with _loading:
            encoder = _encoders.get(profile_id) or _load(profile_for(profile_id))
            _encoders[profile_id] = encoder
    return encoder


def embed_texts(
    inputs: Sequence[EmbeddingInput],
    *,
    profile: EmbeddingProfile,
    then: Callable[[EmbeddingInput, Embedded], None] = lambda _text, _made: None,
) -> list[Future[Embedded]]:
    """The vectors of passages, to come: each is read alone, as many at once as there are threads. `then` is called
    with each in the thread that read it, before it is handed out.

    Two texts in two threads take 0.8 to 0.9 of the time that a pass of many takes in both (`make bench-ingest`):
    nothing is padded, no thread waits for the other, and what is worked on stays in the core's cache. And a text has
    the same vectors whatever comes with it, which int8 passes of several do not promise.
    """
    encoder = encoder_for(profile.id)

    def embedded(text: EmbeddingInput) -> Embedded:
        made = encoder.embed([text])[0]
        then(text, made)
        return made

    return [_readers().submit(embedded, text) for text in inputs]


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


@cache
def _readers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings.EMBEDDING_THREADS, thread_name_prefix="embedding")


def _load(profile: EmbeddingProfile) -> Encoder:
    if settings.EMBEDDING_BACKEND == "sentence-transformers":
        return TorchEncoder(profile)
    path = weights.ensure_exported(profile, folder=settings.MODELS_FOLDER)
    return OnnxEncoder(profile, path)
