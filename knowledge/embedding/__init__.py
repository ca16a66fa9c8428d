"""Texts to vectors. One encoder a process and profile, loaded at its first use and shared by all threads."""

from __future__ import annotations

import threading
from pathlib import Path

from django.conf import settings

from knowledge.embedding.encoders import Encoder, OnnxEncoder, TorchEncoder
from knowledge.embedding.pooling import Embedded, EmbeddingInput
from knowledge.embedding.profiles import DEFAULT_PROFILE, EmbeddingProfile, profile_for
from knowledge.embedding.weights import ensure_exported

__all__ = [
    "DEFAULT_PROFILE",
    "Embedded",
    "EmbeddingInput",
    "EmbeddingProfile",
    "Encoder",
    "encoder_for",
    "prepare",
]

_encoders: dict[str, Encoder] = {}
_loading = threading.Lock()


def encoder_for(profile_id: str = DEFAULT_PROFILE.id) -> Encoder:
    """The process's encoder for this profile. The first call loads it (0.3 s, or 10 s before the first export)."""
    encoder = _encoders.get(profile_id)
    if encoder is None:
        with _loading:
            encoder = _encoders.get(profile_id) or _load(profile_for(profile_id))
            _encoders[profile_id] = encoder
    return encoder


def prepare() -> None:
    """Make the default profile ready to load quickly; part of installing, before anything asks."""
    if settings.EMBEDDING_BACKEND == "onnx":
        ensure_exported(DEFAULT_PROFILE, folder=_models_folder())


def _load(profile: EmbeddingProfile) -> Encoder:
    threads: int = settings.EMBEDDING_THREADS
    if settings.EMBEDDING_BACKEND == "sentence-transformers":
        return TorchEncoder(profile, threads=threads)
    return OnnxEncoder(profile, ensure_exported(profile, folder=_models_folder()), threads=threads)


def _models_folder() -> Path:
    return Path(settings.NETVEXA_VAR) / "models"
