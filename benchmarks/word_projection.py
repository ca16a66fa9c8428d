"""python -m benchmarks.word_projection FILE: compute the projection of word vectors for a new embedding profile.

The principal axes of the model's word vectors in CPython's own language reference (`pydoc_data`, English prose
that ships with every Python, and nothing that retrieval is measured on). Run once for a profile: the result is
part of what its id stands for, and is never computed again. Prints how much of the shipped axes it finds again.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from pydoc_data import topics

import django
import numpy as np

django.setup()

from django.conf import settings  # noqa: E402  after setup

from knowledge.embedding import DEFAULT_PROFILE, Embedded, EmbeddingInput  # noqa: E402
from knowledge.embedding.encoders import OnnxEncoder  # noqa: E402
from knowledge.embedding.pooling import Floats, projection, unit  # noqa: E402
from knowledge.embedding.weights import ensure_exported  # noqa: E402
from knowledge.terms import content_terms  # noqa: E402

PARAGRAPHS = 1500


class _FullWords(OnnxEncoder):
    """Collects the word vectors before they are projected."""

    words: list[Floats]

    def _embedded(self, means: Floats) -> Embedded:
        self.words.append(unit(means[1:]))
        return Embedded(vector=means[0], words=np.zeros((0, 0), dtype=np.int8))


def paragraphs() -> Sequence[str]:
    text = "\n".join(topics.topics.values())
    found = [re.sub(r"\s+", " ", part) for part in re.split(r"\n\s*\n", text)]
    usual = [part for part in found if 100 < len(part) < 1200]
    order = np.random.default_rng(0).permutation(len(usual))[:PARAGRAPHS]
    return [usual[index] for index in order]


def main() -> None:
    path = ensure_exported(DEFAULT_PROFILE, folder=settings.MODELS_FOLDER)
    encoder = _FullWords(DEFAULT_PROFILE, path, threads=settings.EMBEDDING_THREADS)
    encoder.words = []
    encoder.embed(
        [EmbeddingInput(t, [(w.start, w.end) for w in content_terms(t, language="en")]) for t in paragraphs()]
    )
    rows = np.concatenate(encoder.words)
    _, _, axes = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    found = axes[: DEFAULT_PROFILE.word_dimension].T
    shared = float((np.linalg.norm(found.T @ projection(DEFAULT_PROFILE.id)) ** 2) / found.shape[1])
    print(f"{len(rows)} words; {shared:.1%} of the shipped axes' space")
    if len(sys.argv) > 1:
        np.save(Path(sys.argv[1]), found.astype(np.float16))


if __name__ == "__main__":
    main()
