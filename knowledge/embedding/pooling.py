"""From token embeddings to what is stored: one vector a text, and one small vector a word.

Both come out of the same forward pass. The text's vector is the mean of all token embeddings (the model's own
pooling). A word's vector is the mean of its pieces, projected to 64 dimensions and stored as int8; comparing
a query's words with a chunk's words (MaxSim, as in ColBERT: Khattab and Zaharia 2020) tells passages apart
that
one vector a chunk cannot: on the SQuAD v2 paragraphs of `make bench-retrieval` it lifts recall@1 of the
vector + BM25 sum from 0.79 to 0.85, where separately embedded sentences reach 0.82 at twice the cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.int8]
Span = tuple[int, int]

PROJECTIONS = Path(__file__).resolve().parent / "projections"
INT8_SCALE = 127.0


@dataclass(frozen=True, slots=True)
class EmbeddingInput:
    """`words` are the character spans of the words that deserve a vector (no stop words)."""

    text: str
    words: Sequence[Span] = ()


@dataclass(frozen=True, slots=True)
class Embedded:
    """`vector` has length 1; `words` is (number of words, word dimension), each row a unit vector times
    127.
    """

    vector: Floats
    words: Bytes


@dataclass(frozen=True, slots=True)
class Tokens:
    """One tokenised text. `pools` are token ranges: the whole text first, then one a word."""

    ids: Sequence[int]
    pools: Sequence[Span]


def tokens_of(ids: Sequence[int], offsets: Sequence[Span], words: Sequence[Span], *, limit: int) -> Tokens:
    """Map character spans to token ranges; `offsets` are the tokens' character spans, (0, 0) for special
    ones.

    A text longer than `limit` is cut as the model would cut it: the last token stays the separator. Words
    past the cut share the last token, so that rows and words stay one to one.
    """
    if len(ids) > limit:
        ids = [*ids[: limit - 1], ids[-1]]
        offsets = [*offsets[: limit - 1], (0, 0)]
    pools: list[Span] = [(0, len(ids))]
    at, last = 1, max(1, len(ids) - 2)
    for start, end in words:
        while at < last and offsets[at][1] <= start:
            at += 1
        stop = at + 1
        while stop <= last and offsets[stop][0] < end:
            stop += 1
        pools.append((at, stop))
    return Tokens(ids=ids, pools=pools)


def pool_weights(batch: Sequence[Tokens], *, width: int) -> Floats:
    """Rows of averaging weights, shape (batch, most pools, width): weights @ token embeddings = means."""
    rows = max(len(tokens.pools) for tokens in batch)
    weights = np.zeros((len(batch), rows, width), dtype=np.float32)
    for index, tokens in enumerate(batch):
        for row, (start, stop) in enumerate(tokens.pools):
            weights[index, row, start:stop] = 1.0 / (stop - start)
    return weights


def vector_text(vector: Floats) -> str:
    """A vector as PostgreSQL reads it."""
    return orjson.dumps(np.ascontiguousarray(vector), option=orjson.OPT_SERIALIZE_NUMPY).decode()


def unit(vectors: Floats) -> Floats:
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Floats = vectors / np.maximum(norms, 1e-9)
    return scaled


def quantised_words(means: Floats, profile_id: str) -> Bytes:
    """Project unit word means (words, dimension) to (words, word dimension) and round to int8."""
    axes = projection(profile_id)
    width = means.shape[1]
    projected = unit(unit(means) @ axes[:width] + axes[width:].sum(axis=0))
    rows: Bytes = np.rint(projected * INT8_SCALE).astype(np.int8)
    return rows


@cache
def projection(profile_id: str) -> Floats:
    """The profile's fixed orthonormal projection, computed once by benchmarks/word_projection.py.

    A row after the last dimension is added to what was projected: it takes away what all words have in common.
    """
    matrix: Floats = np.load(PROJECTIONS / f"{profile_id}.npy").astype(np.float32)
    return matrix
