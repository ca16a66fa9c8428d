"""What an answer's receipt records while the answer is made; `chat.receipts` reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

from agents.providers import Attempt, Sentence
from knowledge.retrieval import Passage, ScoredSentence, SearchResult

QUOTED = 200  # characters of a sentence that a receipt keeps
MOST_SPANS = 6  # of one passage


class Span(TypedDict):
    """A sentence of a passage that was chosen: where it stands in the passage's text as it was read, and for what.
    The evidence rests on the one that is `evidence`, the answer says what those say that are `quoted`.
    """

    start: int
    end: int
    text: str
    evidence: bool
    quoted: bool


def of_search(found: SearchResult) -> dict[str, Any]:
    """What was searched, and what was found, with the sentence that the evidence rests on."""
    times = {
        "embed": round(found.timings.embed, 1),
        "find": round(found.timings.find, 1),
        "score": round(found.timings.score, 1),
    }
    if any(passage.rerank_score is not None for passage in found.passages):
        times["rerank"] = round(found.timings.rerank, 1)
    return {
        "query": found.query,
        "profile": found.profile,
        "features": {name: round(value, 4) for name, value in found.features.items()},
        "candidates": [
            _candidate(passage, is_basis=passage.chunk_id == found.basis) for passage in found.passages
        ],
        "retrieval_ms": times,
    }


def _candidate(passage: Passage, *, is_basis: bool) -> dict[str, Any]:
    best = passage.best_sentence if is_basis else None
    return {
        "chunk": str(passage.chunk_id),
        "version": str(passage.version_id),
        "title": passage.title[:120],
        "page": passage.page_label or str(passage.page or ""),
        "score": round(passage.score, 4),
        "vector": round(passage.vector_score, 4),
        "lexical": round(passage.lexical_score, 4),
        "rerank": passage.rerank_score and round(passage.rerank_score, 4),
        "quote": passage.best[:QUOTED],
        "spans": [_span(best, evidence=True)] if best else [],
    }


def with_quotes(
    candidates: Iterable[dict[str, Any]], quoted: Mapping[str, Sequence[Sentence]]
) -> list[dict[str, Any]]:
    """The candidates with what the answer says of each; `quoted` is by chunk."""
    return [
        {**found, "spans": _merged(found["spans"], quoted.get(found["chunk"], ()))} for found in candidates
    ]


def _merged(spans: Sequence[Span], quoted: Sequence[Sentence]) -> list[Span]:
    """In reading order, each sentence once."""
    by_place = {(span["start"], span["end"]): span for span in spans}
    for sentence in quoted[:MOST_SPANS]:
        place = (sentence.start, sentence.end)
        if place in by_place:
            by_place[place] = {**by_place[place], "quoted": True}
        else:
            by_place[place] = _span(sentence, quoted=True)
    return [by_place[place] for place in sorted(by_place)]


def _span(sentence: Sentence | ScoredSentence, *, evidence: bool = False, quoted: bool = False) -> Span:
    text = " ".join(sentence.text.split())[:QUOTED]
    return {
        "start": sentence.start,
        "end": sentence.end,
        "text": text,
        "evidence": evidence,
        "quoted": quoted,
    }


def of_attempt(attempt: Attempt) -> dict[str, Any]:
    """One call of a model."""
    return {
        "rung": attempt.rung,
        "model": f"{attempt.provider}:{attempt.model}",
        "outcome": attempt.outcome,
        "detail": attempt.detail[:300],
        "first_token_ms": attempt.first_token_ms,
        "elapsed_ms": attempt.elapsed_ms,
        "cost_micro_usd": attempt.usage.cost_micro_usd,
    }
