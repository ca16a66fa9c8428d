"""Finding the passages that answer a question: what the chat sees of knowledge.

Candidates come from two sides, nearest vectors (HNSW) and BM25, in one statement. All of them are then scored
by everything that is known: the cosine of the passage, its BM25 relative to the best, and late interaction,
how well each word of the question is matched by some word of the passage and of its best sentence, weighted
by how rare the word is. Scores are added as they are: on the SQuAD v2 paragraphs of `make bench-retrieval`
the sum beats fusing ranks (RRF) by 0.05 of recall@1.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from knowledge import candidates, evidence, index
from knowledge.candidates import Candidate
from knowledge.embedding import DEFAULT_PROFILE, Embedded, EmbeddingInput, encoder_for
from knowledge.matching import Match, Question, match
from knowledge.models import Document
from knowledge.terms import query_terms

MAX_QUERY = 2000  # characters that are read of a question
FOLLOW_UP_TERMS = 2  # a question with no more content words than this leans on the one before it


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
    """A chunk that may answer. `score`, 0 to 1, orders them; `url` jumps to the section where it can."""

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


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds."""

    embed: float
    find: float
    score: float


@dataclass(frozen=True, slots=True)
class SearchResult:
    """`evidence` is the calibrated probability that the passages answer the query; `features` made it up.

    `query` is what was searched: the question, with the one before it where it leans on that.
    """

    query: str
    passages: tuple[Passage, ...]
    evidence: float
    features: Mapping[str, float]
    timings: Timings


def search(query: str, *, agent_id: UUID, limit: int = 8, history: Sequence[str] = ()) -> SearchResult:
    """The best passages of this agent's knowledge, best first. Call inside the workspace.

    `history` holds the visitor's earlier questions, oldest first.
    """
    started = time.perf_counter()
    languages = languages_of(agent_id)
    query = standalone(query[:MAX_QUERY], history=history, languages=languages)
    question = _question(query, languages)
    embedded = time.perf_counter()
    found = candidates.find(question, agent_id=agent_id)
    fetched = time.perf_counter()
    ranked = _ranked(question, found)
    passages = tuple(_passage(candidate, scored) for candidate, scored in ranked[:limit])
    features = evidence.features_of([scored for _, scored in ranked])
    finished = time.perf_counter()
    timings = Timings(
        embed=(embedded - started) * 1000, find=(fetched - embedded) * 1000, score=(finished - fetched) * 1000
    )
    return SearchResult(
        query=query, passages=passages, evidence=evidence.of(features), features=features, timings=timings
    )


def warm_up() -> None:
    """Load the model before the first question; it takes 0.3 s."""
    encoder_for(DEFAULT_PROFILE.id).embed([EmbeddingInput("warm-up")])


def standalone(query: str, *, history: Sequence[str], languages: Sequence[str]) -> str:
    """The question with the one before it in front, where it says too little to stand alone."""
    if not history or len(query_terms(query, languages=languages)) > FOLLOW_UP_TERMS:
        return query
    return f"{history[-1][:MAX_QUERY]} {query}"


def languages_of(agent_id: UUID) -> list[str]:
    """The languages of what this agent knows: each stems the words of a question in its own way."""
    rows = Document.objects.filter(source__agent_id=agent_id, live__isnull=False)
    return sorted(set(rows.values_list("live__language", flat=True).distinct())) or [""]


def embedded_question(query: str, languages: Sequence[str]) -> Embedded:
    """The question's vectors. Kept for a moment: what looks for a kept answer first searches with them next."""
    prefix = DEFAULT_PROFILE.query_prefix
    terms = query_terms(query, languages=languages)
    spans = tuple((term.start + len(prefix), term.end + len(prefix)) for term, _ in terms)
    return _embedded(DEFAULT_PROFILE.id, prefix + query, spans)


@lru_cache(maxsize=256)
def _embedded(profile_id: str, text: str, spans: tuple[tuple[int, int], ...]) -> Embedded:
    return encoder_for(profile_id).embed([EmbeddingInput(text, spans)])[0]


def _question(query: str, languages: Sequence[str]) -> Question:
    profile = DEFAULT_PROFILE
    terms = query_terms(query, languages=languages)
    embedded = embedded_question(query, languages)
    counts = index.frequencies(form for _, forms in terms for form in forms)
    total = counts[index.EVERY_CHUNK]
    return Question(
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


def _ranked(question: Question, found: Sequence[Candidate]) -> list[tuple[Candidate, Match]]:
    """Best first; the same content twice is kept once."""
    matches = match(question, found)
    seen: set[str] = set()
    ranked: list[tuple[Candidate, Match]] = []
    for candidate, scored in sorted(zip(found, matches, strict=True), key=lambda pair: -pair[1].score):
        if candidate.content_hash not in seen:
            seen.add(candidate.content_hash)
            ranked.append((candidate, scored))
    return ranked


def _passage(candidate: Candidate, scored: Match) -> Passage:
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
    )
