"""Figures in sentences, with what they are about: the raw material for finding contradictions.

Two sentences contradict each other when they share their subject (nearly all of their content words) and give
a different figure of the same kind. That is narrow on purpose: what is reported should be worth a look.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from knowledge.figures import Figures, figures_in, is_number
from knowledge.terms import content_terms

MIN_SHARED = 3  # content words of the subject
MIN_OVERLAP = 0.75  # of the smaller subject, and 0.6 of both together
MIN_JACCARD = 0.6
MAX_BUCKET = 200  # sentences that share a word; commoner words tell nothing apart

_LISTED = re.compile(r"^\s*\d{1,3}[.)]\s")
_LETTER = re.compile(r"(?<=\w\s)[A-Z](?!\w)")  # "Plan A": a name, though "a" is a function word


@dataclass(frozen=True, slots=True)
class Fact:
    """`kind` with its unit, the `figures` of that kind in the sentence, and the words around them."""

    document: str
    sentence: str
    kind: str
    figures: frozenset[str]
    subject: frozenset[str]


@dataclass(frozen=True, slots=True)
class Conflict:
    first: Fact
    second: Fact


def facts_in(sentence: str, *, document: str, heading: str, language: str) -> Iterator[Fact]:
    """One fact for each kind of figure in the sentence. The heading belongs to the subject.

    So does a number of things beside other figures: what 5 users pay says nothing of what 10 pay.
    """
    figures = figures_in(_LISTED.sub("", sentence), language=language)
    about = f"{heading} {figures.rest}"
    words = {term.text for term in content_terms(about, language=language)} | set(_LETTER.findall(about))
    for kind, values in figures.by_kind.items():
        subject = frozenset(words | _conditions(kind, figures))
        yield Fact(document, sentence, kind, values, subject)


def _conditions(kind: str, figures: Figures) -> set[str]:
    """Figures of other kinds, where either is a number of things."""
    return {
        f"{value} {other}"
        for other, values in figures.by_kind.items()
        for value in values
        if other != kind and (is_number(kind) or is_number(other))
    }


def conflicts(facts: Sequence[Fact]) -> list[Conflict]:
    """Pairs from different documents that share their subject and differ in all their figures."""
    found: dict[tuple[str, str], Conflict] = {}
    for first, second in _candidates(facts):
        if not first.figures & second.figures and _same_subject(first.subject, second.subject):
            found.setdefault((first.sentence, second.sentence), Conflict(first, second))
    return list(found.values())


def _candidates(facts: Sequence[Fact]) -> Iterable[tuple[Fact, Fact]]:
    """Facts of one kind that share a word which is not too common."""
    buckets: dict[tuple[str, str], list[Fact]] = defaultdict(list)
    for fact in facts:
        for word in fact.subject:
            buckets[fact.kind, word].append(fact)
    seen: set[tuple[int, int]] = set()
    for bucket in buckets.values():
        if len(bucket) > MAX_BUCKET:
            continue
        for index, first in enumerate(bucket):
            for second in bucket[index + 1 :]:
                pair = (id(first), id(second))
                if first.document != second.document and pair not in seen:
                    seen.add(pair)
                    yield first, second


def _same_subject(first: frozenset[str], second: frozenset[str]) -> bool:
    """Most words are shared, and not each side names a thing of its own: "Pro plan", "Basic plan"."""
    shared = len(first & second)
    return (
        shared >= MIN_SHARED
        and shared >= MIN_OVERLAP * min(len(first), len(second))
        and shared >= MIN_JACCARD * len(first | second)
        and not (first - second and second - first)
    )
