"""The chunks worth a closer look: the nearest vectors and the best BM25 scores, in one statement.

Each side proposes EACH_SIDE; the COMPARED that are best by what both sides know of them are read whole. Text and
word vectors are most of what a search costs, here and in the database: they are fetched for no more than that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np

from knowledge import index
from knowledge.embedding.pooling import vector_text
from knowledge.fields import DISTANCE, quoted_lexeme
from knowledge.models import Chunk
from tenants.postgresql.prepared import rows_of

if TYPE_CHECKING:
    from knowledge.matching import Question

EACH_SIDE = 50  # candidates that each side proposes
COMPARED = 24  # of them are compared word by word: recall@1 and @5 are those of all (SQuAD v2); of 16, @5 is 0.003 less
# hnsw.ef_search, the neighbours kept while walking the graph: as many for every STEP chunks. Of 100,000 chunks the
# narrowest finds eight to nine of the ten nearest and the widest nearly all, for twice the time (`make bench-search`).
NARROWEST, WIDEST, STEP = 100, 800, 5_000
SCORED_CHUNKS = 1000  # chunks whose BM25 is computed at most, about: see `driving_terms`

# Weights of the score's parts (`knowledge.matching`), in round numbers: halving or doubling any one of them costs less
# than 0.01 of recall@1 or @5.
COSINE, LEXICAL = 2.0, 0.5

# Iterative scan: the index walk goes on until the agent's own chunks are enough.
_SETTINGS = (
    "SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true),"
    " set_config('hnsw.ef_search', '{width}', true), set_config('jit', 'off', true),"
    # PostgreSQL takes reading all rows' words for cheap, and they stand out of line.
    " set_config('enable_seqscan', 'off', true), set_config('plan_cache_mode', '{planned}', true)"
)
# One plan kept for all agents would walk the graph of a large agent's vectors to find a small one's. Where the
# workspace has few chunks that is soon done, and planning would be a third of the search.
FEW_CHUNKS = 3_000
# There, comparing all of an agent's vectors costs less than walking the graph unless the agent has so many, and most
# of the workspace's: the walk passes those of others.
MANY_CHUNKS = 1_000

# Both sides see chunks of versions that serve, of this agent, in this embedding profile, for these audiences.
# A small table has no statistics: were it joined, PostgreSQL would take nearly all chunks to be out of sight and read
# every vector instead of walking the graph. As a yes or no of each chunk (IS TRUE keeps it from being a join) it is
# asked of a hash. So it is with the agent of chunks that hold a word: without statistics PostgreSQL would rather read
# all chunks of the agent than those in the index of words, which takes two thirds of a search of 2,000.
READABLE = """
    readable AS MATERIALIZED (
        SELECT d.live_id AS id FROM knowledge_document d JOIN knowledge_source s ON s.id = d.source_id
        WHERE s.agent_id = %(agent)s AND s.audience = ANY(%(audiences)s) AND d.live_id IS NOT NULL
    )
"""
SCOPE = """
    FROM knowledge_chunk c
    WHERE c.agent_id = %(agent)s AND c.profile = %(profile)s
      AND (c.version_id IN (SELECT id FROM readable)) IS TRUE
"""
_STATEMENT = f"""
WITH {READABLE}, near AS MATERIALIZED (
    SELECT c.id {SCOPE} ORDER BY c.embedding {DISTANCE} %(vector)s::halfvec LIMIT {EACH_SIDE}
), holding AS MATERIALIZED (
    SELECT c.id, c.version_id, c.lexical FROM knowledge_chunk c
    WHERE c.search @@ %(driving)s::tsquery AND (c.agent_id = %(agent)s AND c.profile = %(profile)s) IS TRUE
), worded AS MATERIALIZED (
    SELECT c.id FROM holding c WHERE c.version_id IN (SELECT id FROM readable)
    ORDER BY c.lexical <#> %(terms)s::sparsevec LIMIT {EACH_SIDE}
), scored AS MATERIALIZED (
    SELECT c.id, 1 - (c.embedding {DISTANCE} %(vector)s::halfvec) AS cosine,
           -(c.lexical <#> %(terms)s::sparsevec) AS bm25
    FROM (SELECT id FROM near UNION SELECT id FROM worded) AS hit JOIN knowledge_chunk c ON c.id = hit.id
), relative AS (
    SELECT id, cosine, bm25, bm25 / greatest(max(bm25) OVER (), 1e-9) AS lexical FROM scored
), best AS MATERIALIZED (
    SELECT * FROM relative
    ORDER BY greatest(0, cosine - %(unrelated)s) / (1 - %(unrelated)s) * {COSINE} + lexical * {LEXICAL} DESC
    LIMIT {COMPARED}
)
SELECT c.id, d.id, d.title, d.url, c.anchor, c.page, c.page_label, c.heading_path, c.text, c.spans, c.words,
       c.content_hash, best.cosine, best.bm25, c.version_id
FROM best JOIN knowledge_chunk c ON c.id = best.id JOIN knowledge_document d ON d.live_id = c.version_id
"""  # noqa: S608  only our own constants are put in; values are parameters

# The same, past the index of the agent's chunks: PostgreSQL would take them for few.
_WALKING = _STATEMENT.replace(
    SCOPE,
    """
    FROM knowledge_chunk c
    WHERE (c.agent_id = %(agent)s AND c.profile = %(profile)s AND c.version_id IN (SELECT id FROM readable)) IS TRUE
    """,
)

# The same where a rehearsal sees other knowledge than serves. A statement of its own: every visitor's question would
# pay for its joins.
_WOULD_SERVE = """
    readable AS MATERIALIZED (
        SELECT v.id FROM knowledge_version v JOIN knowledge_document d ON d.id = v.document_id
        JOIN knowledge_source s ON s.id = d.source_id
        WHERE s.agent_id = %(agent)s
          AND CASE WHEN d.id = ANY(%(moved)s::uuid[]) THEN %(audience)s ELSE s.audience END = ANY(%(audiences)s)
          AND (d.live_id = v.id AND NOT d.id = ANY(%(without)s::uuid[]) OR v.id = ANY(%(staged)s::uuid[]))
    )
"""
_REHEARSED = _STATEMENT.replace(READABLE, _WOULD_SERVE).replace(
    "JOIN knowledge_document d ON d.live_id = c.version_id",
    "JOIN knowledge_version v ON v.id = c.version_id JOIN knowledge_document d ON d.id = v.document_id",
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """`spans` are (start, end, page, words) of each sentence; `lexical` is the BM25 score."""

    chunk_id: UUID
    document_id: UUID
    title: str
    url: str
    anchor: str
    page: int | None
    page_label: str
    heading_path: tuple[str, ...]
    text: str
    spans: tuple[tuple[int, int, int, int], ...]
    words: bytes
    content_hash: str
    cosine: float
    lexical: float
    version_id: UUID

    @property
    def word_counts(self) -> list[int]:
        return [words for _, _, _, words in self.spans]


def find(
    question: Question,
    *,
    agent_id: UUID,
    chunks: int,
    audiences: Sequence[str] = (),
    overlay: Overlay | None = None,
) -> list[Candidate]:
    """At most COMPARED of the agent's `chunks`, in no order, from what everybody or one of `audiences` may read; with
    all passages of the draft in `overlay`.
    """
    total = question.frequencies[index.EVERY_CHUNK]
    idf = {
        form: index.inverse_frequency(question.frequencies[form], total=total)
        for forms in question.forms
        for form in forms
        if question.frequencies[form] or (overlay and overlay.staged)  # what only waits is not counted yet
    }
    values: dict[str, Any] = {
        "agent": agent_id,
        "audiences": ["", *audiences],
        "profile": question.profile.id,
        "vector": vector_text(question.vector),
        "driving": " | ".join(map(quoted_lexeme, driving_terms(question.frequencies, list(idf)))),
        "terms": index.query_weights(idf).to_text(),
        "unrelated": question.profile.unrelated,
    }
    walks = total <= FEW_CHUNKS and chunks >= max(MANY_CHUNKS, total // 2)
    statement = _WALKING if walks else _STATEMENT
    if overlay is not None:
        statement = _REHEARSED
        values |= {
            "without": list(overlay.without),
            "staged": list(overlay.staged),
            "moved": list(overlay.moved),
            "audience": overlay.audience,
        }
    found = [_candidate(row) for row in rows_of(statement, values, settings=settings_for(total))]
    if overlay is not None and overlay.draft is not None and overlay.draft.audience in ("", *audiences):
        found += _proposed(overlay.draft, question)
    return found


def settings_for(total: int) -> str:
    """How the search is to run in a workspace of so many chunks."""
    width = min(max(-(-total // STEP) * NARROWEST, NARROWEST), WIDEST)
    return _SETTINGS.format(
        width=width, planned="force_generic_plan" if total <= FEW_CHUNKS else "force_custom_plan"
    )


@dataclass(frozen=True, slots=True)
class Draft:
    """Passages of a document as they would be; unsaved rows. `audience` is its source's."""

    document_id: UUID
    version_id: UUID
    title: str
    url: str
    chunks: tuple[Chunk, ...]
    audience: str = ""


@dataclass(frozen=True, slots=True)
class Overlay:
    """Knowledge as it would be, for a rehearsal: documents that do not serve, versions that are stored and serve in
    spite of not doing so yet, and a draft that is not stored in passages. `moved` are documents that are meant for
    `audience`. `profile` is an embedding profile that is read instead of the agent's.
    """

    without: frozenset[UUID] = frozenset()
    staged: frozenset[UUID] = frozenset()
    draft: Draft | None = None
    moved: frozenset[UUID] = frozenset()
    audience: str = ""
    profile: str = ""


def _proposed(draft: Draft, question: Question) -> list[Candidate]:
    total = question.frequencies[index.EVERY_CHUNK]
    weights = {
        index.term_id(form): index.inverse_frequency(question.frequencies[form], total=total)
        for forms in question.forms
        for form in forms
    }
    return [_as_candidate(chunk, draft, question, weights) for chunk in draft.chunks]


def _as_candidate(chunk: Chunk, draft: Draft, question: Question, weights: Mapping[int, float]) -> Candidate:
    lexical = zip(chunk.lexical.indices(), chunk.lexical.values(), strict=True)
    return Candidate(
        chunk_id=chunk.pk,
        document_id=draft.document_id,
        title=draft.title,
        url=draft.url,
        anchor=chunk.anchor,
        page=chunk.page,
        page_label=chunk.page_label,
        heading_path=tuple(chunk.heading_path),
        text=chunk.text,
        spans=quads(chunk.spans),
        words=bytes(chunk.words),
        content_hash=chunk.content_hash,
        cosine=float(np.dot(question.vector, np.asarray(chunk.embedding.to_list(), dtype=np.float32))),
        lexical=sum(weight * weights.get(term, 0.0) for term, weight in lexical),
        version_id=draft.version_id,
    )


def driving_terms(frequencies: Mapping[str, int], terms: Sequence[str]) -> list[str]:
    """The rarest terms, as long as the chunks that hold one of them are few enough to score.

    Common terms still count in the score of what the rare ones found; a chunk that holds nothing but common
    terms is not worth its cost, and the vectors find it if it is the answer (the idea of MaxScore: Turtle and
    Flood 1995). This bounds the work of a search however large the knowledge grows.
    """
    chosen: list[str] = []
    budget = SCORED_CHUNKS
    for term in sorted(terms, key=lambda term: frequencies[term]):
        budget -= frequencies[term]
        if chosen and budget < 0:
            break
        chosen.append(term)
    return chosen


def quads(spans: Sequence[int]) -> tuple[tuple[int, int, int, int], ...]:
    """The spans of sentences, which a row holds one after the other: (start, end, page, words) each."""
    return tuple((spans[i], spans[i + 1], spans[i + 2], spans[i + 3]) for i in range(0, len(spans), 4))


def _candidate(row: tuple[Any, ...]) -> Candidate:
    return Candidate(
        chunk_id=row[0],
        document_id=row[1],
        title=row[2],
        url=row[3],
        anchor=row[4],
        page=row[5],
        page_label=row[6],
        heading_path=tuple(row[7]),
        text=row[8],
        spans=quads(row[9]),
        words=bytes(row[10]),
        content_hash=row[11],
        cosine=float(row[12]),
        lexical=float(row[13]),
        version_id=row[14],
    )
