"""A chunk's draft as the model and the index read it: headings in front, content terms, and whose words are
whose.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from pgvector import HalfVector

from knowledge.chunking import ChunkDraft
from knowledge.embedding import Embedded, EmbeddingInput, EmbeddingProfile
from knowledge.index import document_weights
from knowledge.models import Chunk, Version
from knowledge.terms import content_terms

HEADINGS_READ = 2  # the lowest headings of the path go into the embedding; the terms of all are searchable
MAX_HEADING_CHARACTERS = 120


@dataclass(frozen=True, slots=True)
class Passage:
    """`spans` are (start, end, page, words) of each sentence, flat, as `models.Chunk.spans` keeps them."""

    draft: ChunkDraft
    terms: tuple[str, ...]
    reading: EmbeddingInput
    spans: tuple[int, ...]
    content_hash: str


def passage_of(draft: ChunkDraft, *, language: str, profile: EmbeddingProfile) -> Passage:
    headings = " > ".join(heading[:MAX_HEADING_CHARACTERS] for heading in draft.heading_path[-HEADINGS_READ:])
    prefix = f"{headings}\n" if headings else ""
    inside = content_terms(prefix + draft.text, language=language)
    above = content_terms(" ".join(draft.heading_path[:-HEADINGS_READ]), language=language)
    first = len(profile.passage_prefix)  # words that the model wants in front are not the text's
    words = tuple((term.start + first, term.end + first) for term in inside)
    return Passage(
        draft=draft,
        terms=tuple(term.text for term in (*above, *inside)),
        reading=EmbeddingInput(profile.passage_prefix + prefix + draft.text, words),
        spans=_spans(draft, [term.start - len(prefix) for term in inside if term.start >= len(prefix)]),
        content_hash=_hash(profile.id, language, prefix, draft.text),
    )


def _spans(draft: ChunkDraft, starts: list[int]) -> tuple[int, ...]:
    """A word belongs to the first sentence that ends after it; what follows the last belongs to the last."""
    counts = [0] * len(draft.sentences)
    ends = [sentence.end for sentence in draft.sentences]
    for start in starts:
        counts[min(bisect_right(ends, start), len(ends) - 1)] += 1
    return tuple(
        number
        for sentence, count in zip(draft.sentences, counts, strict=True)
        for number in (sentence.start, sentence.end, sentence.page or 0, count)
    )


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def chunk_row(
    passage: Passage, embedded: Embedded, *, version: Version, agent_id: UUID, ordinal: int, profile_id: str
) -> Chunk:
    """The unsaved row of a passage."""
    draft = passage.draft
    return Chunk(
        version=version,
        agent_id=agent_id,
        ordinal=ordinal,
        heading_path=list(draft.heading_path),
        page=draft.page,
        page_label=draft.page_label[:16],
        anchor=draft.anchor[:200],
        text=draft.text,
        spans=list(passage.spans),
        tokens=draft.tokens,
        content_hash=passage.content_hash,
        profile=profile_id,
        embedding=HalfVector(embedded.vector),
        words=embedded.words.tobytes(),
        lexical=document_weights(passage.terms),
        search=passage.terms,
    )


def stored_vectors(vector: Sequence[float], words: bytes, *, width: int) -> Embedded:
    """The vectors of a stored row; `width` is the profile's word dimension."""
    rows = np.frombuffer(bytes(words), dtype=np.int8)
    return Embedded(
        vector=np.asarray(vector, dtype=np.float32), words=rows.reshape(-1, width) if width else rows
    )
