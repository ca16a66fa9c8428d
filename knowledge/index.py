"""The lexical side of the index: BM25 weights of a chunk's terms, and how common each term is.

BM25 (Robertson and Zaragoza 2009) is a product of a document's part and a question's part. The document's
part, saturation of the term's count and the norm of the length, stands in the chunk as a sparse vector under
the terms' hashes; the question's part is the terms' idf from the `Term` table; their inner product, which
pgvector computes, is the score. The length norm uses a constant instead of a moving average: chunks are of
one size by construction, so that a chunk's weights never have to be written again.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from django.db import connection
from pgvector import SparseVector

from knowledge.models import LEXICAL_DIMENSION, Version
from tenants.postgresql.prepared import rows_of

K1 = 1.2
B = 0.75
USUAL_LENGTH = 80  # content terms of a usual chunk; 40 or 160 change recall@5 by less than 0.005
EVERY_CHUNK = ""  # the lexeme whose row counts all chunks


@lru_cache(maxsize=200_000)
def term_id(term: str) -> int:
    """A stable id below LEXICAL_DIMENSION; of 100,000 terms about five pairs share one."""
    digest = hashlib.blake2b(term.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % LEXICAL_DIMENSION


def document_weights(terms: Sequence[str]) -> SparseVector:
    """The chunk's side of BM25 for each of its terms."""
    norm = K1 * (1 - B + B * len(terms) / USUAL_LENGTH)
    weights: dict[int, float] = {}
    for term, count in Counter(terms).items():
        weights[term_id(term)] = weights.get(term_id(term), 0.0) + count * (K1 + 1) / (count + norm)
    return SparseVector(weights, LEXICAL_DIMENSION)


def query_weights(idf: Mapping[str, float]) -> SparseVector:
    return SparseVector({term_id(term): weight for term, weight in idf.items()}, LEXICAL_DIMENSION)


def inverse_frequency(frequency: int, *, total: int) -> float:
    """BM25's idf, in the form that is never negative."""
    return math.log(1 + (total - frequency + 0.5) / (frequency + 0.5))


def frequencies(terms: Iterable[str]) -> dict[str, int]:
    """In how many chunks each term stands, with EVERY_CHUNK for all of them."""
    wanted = {*terms, EVERY_CHUNK}
    # Asked for every question: the ORM takes longer than the database.
    rows = rows_of("SELECT lexeme, chunks FROM knowledge_term WHERE lexeme = ANY(%s)", (list(wanted),))
    found: dict[str, int] = dict(rows)
    return {term: max(0, found.get(term, 0)) for term in wanted}


def count_in(version: Version) -> None:
    """Add a version's chunks to the frequencies. Call in the transaction that makes it serve."""
    _count(version, sign=1)


def count_out(version: Version) -> None:
    """Take a version's chunks out of the frequencies, before they are deleted or stop serving."""
    _count(version, sign=-1)


def _count(version: Version, *, sign: int) -> None:
    """Rows are written in the order of their key: transactions wait, but never for one another."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO knowledge_term AS term (lexeme, chunks)"
            " SELECT lexeme, %(sign)s * count(*) FROM ("
            "   SELECT unnest(tsvector_to_array(search) || %(every)s::text) AS lexeme FROM ("
            # A chunk that stands in two embedding profiles counts once.
            "     SELECT DISTINCT ON (ordinal) search FROM knowledge_chunk WHERE version_id = %(version)s"
            "     ORDER BY ordinal) AS chunk"
            " ) AS found GROUP BY lexeme ORDER BY lexeme"
            " ON CONFLICT (lexeme) DO UPDATE SET chunks = term.chunks + excluded.chunks",
            {"sign": sign, "version": version.pk, "every": EVERY_CHUNK},
        )
