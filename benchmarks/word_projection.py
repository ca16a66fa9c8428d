"""python -m benchmarks.word_projection PROFILE [FILE]: compute the projection of an embedding profile's word vectors.

The principal axes of the model's word vectors in texts that retrieval is not measured on: CPython's own language
reference (`pydoc_data`, English prose that ships with every Python) and, for a model of many languages, Django's
catalogues of messages in some 90 of them; those of such a model also share a large part, their mean, which is taken
away. Run once for a profile: the result is part of what its id stands for, and is never computed again. Prints how
much of the shipped axes it finds again.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from pydoc_data import topics

import django
import numpy as np

django.setup()

from django.conf import settings  # noqa: E402  after setup

from knowledge.embedding import DEFAULT_PROFILE, Embedded, EmbeddingInput, profile_for  # noqa: E402
from knowledge.embedding.encoders import OnnxEncoder  # noqa: E402
from knowledge.embedding.pooling import Floats, projection, unit  # noqa: E402
from knowledge.embedding.weights import ensure_exported  # noqa: E402
from knowledge.fields import EMBEDDING_DIMENSION  # noqa: E402
from knowledge.terms import content_terms  # noqa: E402

PARAGRAPHS = 1500
MESSAGES = 3000
_MESSAGE = re.compile(r'^msgstr "(.*)"\n((?:".*"\n)*)', re.MULTILINE)
_MARKUP = re.compile(r'\\n|\\"|%\(\w+\)[sd]|%[sd]')


class _FullWords(OnnxEncoder):
    """Collects the word vectors before they are projected."""

    words: list[Floats]

    def _embedded(self, means: Floats) -> Embedded:
        self.words.append(unit(means[1:]))
        return Embedded(vector=means[0], words=np.zeros((0, 0), dtype=np.int8))


def paragraphs() -> list[tuple[str, str]]:
    """(language, text) of English prose."""
    text = "\n".join(topics.topics.values())
    found = [re.sub(r"\s+", " ", part) for part in re.split(r"\n\s*\n", text)]
    usual = [part for part in found if 100 < len(part) < 1200]
    order = np.random.default_rng(0).permutation(len(usual))[:PARAGRAPHS]
    return [("en", usual[index]) for index in order]


def messages() -> list[tuple[str, str]]:
    """(language, text) of the longer messages in Django's catalogues."""
    found = [
        message for path in sorted(Path(django.__file__).parent.rglob("django.po")) for message in _read(path)
    ]
    random.Random(0).shuffle(found)
    return found[:MESSAGES]


def _read(path: Path) -> Iterator[tuple[str, str]]:
    language = path.parts[-3].split("_")[0]
    for match in _MESSAGE.finditer(path.read_text(encoding="utf-8")):
        text = _MARKUP.sub(" ", match[1] + "".join(re.findall(r'"(.*)"', match[2])))
        if len(text) > 60:
            yield language, text


def main() -> None:
    profile = profile_for(sys.argv[1])
    path = ensure_exported(profile, folder=settings.MODELS_FOLDER)
    encoder = _FullWords(profile, path, threads=settings.EMBEDDING_THREADS)
    encoder.words = []
    english = profile == DEFAULT_PROFILE
    texts = paragraphs() if english else paragraphs()[:300] + messages()
    first = len(profile.passage_prefix)
    encoder.embed(
        [
            EmbeddingInput(
                profile.passage_prefix + text,
                [(word.start + first, word.end + first) for word in content_terms(text, language=language)],
            )
            for language, text in texts
        ]
    )
    rows = np.concatenate(encoder.words)
    mean = rows.mean(axis=0)
    _, _, axes = np.linalg.svd(rows - mean, full_matrices=False)
    found = axes[: profile.word_dimension].T
    shipped = projection(profile.id)[:EMBEDDING_DIMENSION]
    shared = float((np.linalg.norm(found.T @ shipped) ** 2) / found.shape[1])
    print(f"{len(rows)} words; {shared:.1%} of the shipped axes' space")
    if len(sys.argv) > 2:
        matrix = found if english else np.vstack([found, -(mean @ found)])
        np.save(Path(sys.argv[2]), matrix.astype(np.float16))


if __name__ == "__main__":
    main()
