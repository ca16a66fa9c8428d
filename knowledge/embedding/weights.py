"""Find the packaged weights, check them, and export them once to the form that is quick to run."""

from __future__ import annotations

import hashlib
import importlib.util
import logging
from functools import cache
from pathlib import Path

from filelock import FileLock

from knowledge.embedding.profiles import EmbeddingProfile
from netvexa.lib.errors import AppError

logger = logging.getLogger(__name__)

EXPORT_VERSION = 1  # a changed recipe is a new file name, so that a stale export is never picked up


class WeightsMissing(AppError):
    code = "embedding_weights_missing"
    status = 500
    default_detail = "The package with the embedding model's weights is not installed."


class WeightsChanged(AppError):
    code = "embedding_weights_changed"
    status = 500
    default_detail = (
        "The embedding model's weights are not the ones this version was made for; they were not loaded."
    )


def weights_path(profile: EmbeddingProfile) -> Path:
    """The file with the weights inside the installed package, found without importing it."""
    spec = importlib.util.find_spec(profile.package)
    if spec is None or not spec.submodule_search_locations:
        raise WeightsMissing(
            f"The package {profile.package} with the embedding model's weights is not installed."
        )
    return Path(next(iter(spec.submodule_search_locations))) / profile.weights


@cache
def checked_weights(profile: EmbeddingProfile) -> Path:
    """As `weights_path`, after comparing the hash; reads 70 to 90 MB, once a process."""
    path = weights_path(profile)
    if sha256_of(path) != profile.weights_sha256:
        raise WeightsChanged
    return path


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def export_path(profile: EmbeddingProfile, *, folder: Path) -> Path:
    return folder / f"{profile.id}-{EXPORT_VERSION}.onnx"


def ensure_exported(profile: EmbeddingProfile, *, folder: Path) -> Path:
    """Return the checked export, making it first where it is missing or damaged. Takes 10 s once.

    Several processes may ask at once: one works, the rest wait for its lock.
    """
    target = export_path(profile, folder=folder)
    if _intact(target):
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{target}.lock"):
        if not _intact(target):
            from knowledge.embedding.export import export  # loads torch

            logger.info("Exporting the embedding model %s (once, about 10 s)", profile.model)
            export(profile, target)
    return target


def _intact(target: Path) -> bool:
    checksum = target.with_suffix(".sha256")
    return target.exists() and checksum.exists() and checksum.read_text() == sha256_of(target)
