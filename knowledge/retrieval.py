"""Finding the passages that answer a question: what the chat sees of knowledge.

Candidates come from two sides, nearest vectors (HNSW) and BM25, in one statement. All of them are then scored
by everything that is known: the cosine of the passage, its BM25 relative to the best, and late interaction,
how well each word of the question is matched by some word of the passage and of its best sentence, and its
neighbours by neighbours, weighted by how rare the word is. Scores are added as they are: on the SQuAD v2
paragraphs of `make bench-retrieval` the sum beats fusing ranks (RRF) by 0.05 of recall@1.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from knowledge import candidates, evidence, index, neighbours, reranking
from knowledge.candidates import Candidate, Overlay
from knowledge.embedding import DEFAULT_PROFILE, Embedded, EmbeddingProfile, embed_query, profile_for
from knowledge.follow_ups import standalone
from knowledge.matching import Match, Question, match
from knowledge.terms import query_terms
from tenants.postgresql.prepared import Asked, Row

MAX_QUERY = 2000  # characters that are read of a question
COMPARED = 12  # passages among which the same is said once; what comes after them is seldom shown
# Asked for every question: the ORM takes several times as long to write it as the database to answer it.
_READING = """
    SELECT a.knowledge_profile, v.language, count(*),
           greatest(max(v.valid_from), max(s.audience_since)), sum(v.chunk_count)
      FROM knowledge_document d JOIN knowledge_source s ON s.id = d.source_id
      JOIN knowledge_version v ON v.id = d.live_id JOIN agents_agent a ON a.id = s.agent_id
     WHERE s.agent_id = %s GROUP BY a.knowledge_profile, v.language
"""
SAME_WORDS = 0.9  # two passages that share this part of their words say the same


@dataclass(frozen=True, slots=True)
class ScoredSentence:
    """A sentence of a passage: its span in the passage's text, and how well it matches, 0 to 1."""

    start: int
    end: int
    text: str
    score: float
    page: int | None


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that may answer. `score`, 0 to 1, orders them; `url` jumps to the section where it can. `heading_score`,
    0 to 1, says how well the headings above it alone match.

    `rerank_score`, 0 to 1, is what a reranking model gave it, which then decided its place.
    """

    chunk_id: UUID
    document_id: UUID
    title: str
    url: str
    page: int | None
    page_label: str
    heading_path: tuple[str, ...]
    text: str
    score: float
    vector_score: float
    lexical_score: float
    sentences: tuple[ScoredSentence, ...]
    version_id: UUID
    rerank_score: float | None
    heading_score: float

    @property
    def best(self) -> str:
        """The words that match best: its best sentence."""
        return self.best_sentence.text if self.best_sentence else self.text

    @property
    def best_sentence(self) -> ScoredSentence | None:
        return max(self.sentences, key=lambda one: one.score, default=None)


@dataclass(frozen=True, slots=True)
class Reading:
    """How an agent's knowledge is read: its profile, and its languages, each of which stems words in its own way.

    `version` changes whenever a document is added, replaced, taken away or given to another audience; `chunks` are
    those that serve.
    """

    profile: EmbeddingProfile
    languages: tuple[str, ...]
    version: str
    chunks: int


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds: the model on the question; the database; the arithmetic on what it found; the reranking model."""

    embed: float
    find: float
    score: float
    rerank: float


@dataclass(frozen=True, slots=True)
class SearchResult:
    """`evidence` is the calibrated probability that the passages answer the query; `features` made it up.

    `query` is what was searched: the question, with the one before it where it leans on that. `profile` is the
    embedding profile that read the knowledge. The evidence rests on the best sentence of the passage `basis`, if any.
    """

    query: str
    passages: tuple[Passage, ...]
    evidence: float
    features: Mapping[str, float]
    timings: Timings
    profile: str
    basis: UUID | None


def search(
    query: str,
    *,
    agent_id: UUID,
    limit: int = 8,
    history: Sequence[str] = (),
    audiences: Sequence[str] = (),
    reading: Reading | None = None,
    overlay: Overlay | None = None,
) -> SearchResult:
    """The best passages of this agent's knowledge, best first. Call inside the workspace.

    `history` holds the visitor's earlier questions, oldest first; `audiences` those that the visitor belongs to;
    `reading` is looked up where the caller has not done so; `overlay` is knowledge as it would be.
    """
    started = time.perf_counter()
    reading = reading or reading_of(agent_id)
    profile, languages = reading.profile, reading.languages
    if overlay is not None and overlay.profile:
        profile = profile_for(overlay.profile)
    query = standalone(query[:MAX_QUERY], history=history, languages=languages)
    question, embedding = _question(query, languages, profile)
    found = candidates.find(
        question, agent_id=agent_id, chunks=reading.chunks, audiences=audiences, overlay=overlay
    )
    fetched = time.perf_counter()
    ranked = _ranked(question, found)
    written_in = evidence.languages_of(question, ranked, languages)
    features = evidence.features_of(question, ranked, languages=languages, written_in=written_in)
    basis = evidence.basis_of(ranked)[0].chunk_id if ranked else None
    compared = time.perf_counter()
    ranked, rerank_scores = reranking.reranked(query, ranked)
    reranked = time.perf_counter()
    passages = tuple(
        _passage(candidate, scored, rerank_score)
        for (candidate, scored), rerank_score in zip(
            neighbours.joined(question, ranked[:limit]), rerank_scores[:limit], strict=True
        )
    )
    finished = time.perf_counter()
    timings = Timings(
        embed=embedding * 1000,
        find=(fetched - started - embedding) * 1000,
        score=(compared - fetched + finished - reranked) * 1000,
        rerank=(reranked - compared) * 1000,
    )
    return SearchResult(
        query=query,
        passages=passages,
        evidence=evidence.of(features, profile_id=profile.id, languages=written_in),
        features=features,
        timings=timings,
        profile=profile.id,
        basis=basis,
    )


def warm_up() -> None:
    """Load the models before the first question: the usual one takes 0.3 s."""
    embed_query("warm-up", words=(), profile=DEFAULT_PROFILE)
    reranking.warm_up()


def reading_of(agent_id: UUID) -> Reading:
    """How this agent's knowledge is read now."""
    return reading_asked(agent_id).found


def reading_asked(agent_id: UUID) -> Asked[Reading]:
    """`reading_of`, to be fetched together with others."""
    return Asked(_READING, (agent_id,), _reading)


def _reading(found: Sequence[Row]) -> Reading:
    profile_id = next((profile_id for profile_id, *_ in found if profile_id), DEFAULT_PROFILE.id)
    newest = max((since.timestamp() for _, _, _, since, _ in found if since), default=0.0)
    return Reading(
        profile=profile_for(profile_id),
        languages=tuple(sorted({language for _, language, *_ in found})) or ("",),
        version=f"{sum(count for _, _, count, _, _ in found)}-{newest:.6f}",
        chunks=sum(chunks for *_, chunks in found),
    )


def embedded_question(query: str, languages: Sequence[str], profile: EmbeddingProfile) -> Embedded:
    """The question's vectors. Kept for a moment: what looks for a kept answer first searches with them next."""
    terms = query_terms(query, languages=languages)
    return _embedded(profile, query, tuple((term.start, term.end) for term, _ in terms))


@lru_cache(maxsize=256)
def _embedded(profile: EmbeddingProfile, text: str, words: tuple[tuple[int, int], ...]) -> Embedded:
    return embed_query(text, words=words, profile=profile)


def _question(query: str, languages: Sequence[str], profile: EmbeddingProfile) -> tuple[Question, float]:
    """The question as it is compared, and the seconds that the model took."""
    terms = query_terms(query, languages=languages)
    started = time.perf_counter()
    embedded = embedded_question(query, languages, profile)
    taken = time.perf_counter() - started
    counts = index.frequencies(form for _, forms in terms for form in forms)
    total = counts[index.EVERY_CHUNK]
    question = Question(
        text=query,
        profile=profile,
        vector=embedded.vector,
        words=embedded.words,
        forms=tuple(forms for _, forms in terms),
        frequencies=counts,
        weights=tuple(
            index.inverse_frequency(max((counts[form] for form in forms), default=0), total=total)
            for _, forms in terms
        ),
    )
    return question, taken


def _ranked(question: Question, found: Sequence[Candidate]) -> list[tuple[Candidate, Match]]:
    """Best first; what says the same as a better one, or nothing that better ones do not, is left out."""
    matches = match(question, found)
    kept: list[frozenset[str]] = []
    said: set[str] = set()
    ranked: list[tuple[Candidate, Match]] = []
    for candidate, scored in sorted(zip(found, matches, strict=True), key=lambda pair: -pair[1].score):
        if len(kept) >= COMPARED:
            ranked.append((candidate, scored))
            continue
        words = frozenset(candidate.text.casefold().split())
        sentences = {candidate.text[start:end] for start, end, _, _ in candidate.spans}
        is_contained = len(sentences) > 1 and sentences <= said  # one alone may mean another thing elsewhere
        if not is_contained and not any(_same(words, other) for other in kept):
            kept.append(words)
            said |= sentences
            ranked.append((candidate, scored))
    return ranked


def _same(words: frozenset[str], other: frozenset[str]) -> bool:
    """Nine in ten words shared, counted over both; a differing number makes it something else."""
    if min(len(words), len(other)) < SAME_WORDS * max(len(words), len(other)):
        return False
    shared = len(words & other)
    if shared < SAME_WORDS * (len(words) + len(other) - shared):
        return False
    return not any(character.isdigit() for word in words ^ other for character in word)


def _passage(candidate: Candidate, scored: Match, rerank_score: float | None) -> Passage:
    return Passage(
        chunk_id=candidate.chunk_id,
        document_id=candidate.document_id,
        title=candidate.title,
        url=f"{candidate.url}#{candidate.anchor}" if candidate.url and candidate.anchor else candidate.url,
        page=candidate.page,
        page_label=candidate.page_label,
        heading_path=candidate.heading_path,
        text=candidate.text,
        score=scored.score,
        vector_score=scored.cosine,
        lexical_score=scored.lexical,
        sentences=tuple(
            ScoredSentence(start, end, candidate.text[start:end], score, page or None)
            for (start, end, page, _), score in zip(candidate.spans, scored.sentences, strict=True)
        ),
        version_id=candidate.version_id,
        rerank_score=rerank_score,
        heading_score=scored.headings,
    )
