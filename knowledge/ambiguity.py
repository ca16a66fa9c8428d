"""Whether a question may mean several things: a brief one that several sections fit about as well.

A section counts only where its heading or one of its sentences holds what the question says, so that a question about
something else, which nothing fits, is never taken for one that means several things.
"""

from __future__ import annotations

from collections.abc import Sequence

from knowledge.follow_ups import is_brief, points_at_nothing
from knowledge.retrieval import Passage, SearchResult
from knowledge.terms import content_terms, query_terms

FITS = 0.75  # score of a sentence that holds every word of a brief question
CLOSE = 0.9  # share of the best score from which a section fits about as well


def competing(found: SearchResult, *, languages: Sequence[str]) -> list[Passage]:
    """The sections that a brief question fits, its best passage of each, best first; none where fewer than two do."""
    if not found.passages or not is_brief(found.query, languages=languages):
        return []
    least = CLOSE * max(passage.score for passage in found.passages)
    sections: dict[tuple[object, ...], Passage] = {}
    for passage in found.passages:
        if passage.score >= least and _fits(passage, found.query, languages):
            sections.setdefault((passage.document_id, passage.heading_path), passage)
    return list(sections.values()) if len(sections) > 1 else []


def names_nothing(found: SearchResult, *, languages: Sequence[str]) -> bool:
    """Whether a first question says "it" of nothing that was named, and headings of several documents say of what."""
    if not points_at_nothing(found.query, languages=languages):
        return False
    named = [
        passage
        for passage in competing(found, languages=languages)
        if _is_headed(passage, found.query, languages)
    ]
    return len({passage.document_id for passage in named}) > 1


def _fits(passage: Passage, query: str, languages: Sequence[str]) -> bool:
    return any(sentence.score >= FITS for sentence in passage.sentences) or _is_headed(
        passage, query, languages
    )


def _is_headed(passage: Passage, query: str, languages: Sequence[str]) -> bool:
    """Whether the headings above a passage hold every word of the question."""
    heading = " ".join((passage.title, *passage.heading_path))
    said = {term.text for language in languages for term in content_terms(heading, language=language)}
    return all(forms & said for _, forms in query_terms(query, languages=languages))
