"""Whether two questions ask the same thing, so that one's answer may serve the other.

A cosine says that two questions are about the same subject; it hardly sees "not", a number, a name, or who
gives what to whom ("How do I cancel" and "How do I not cancel" stand at 0.98). So each question is reduced to
what it says: its content words (stemmed, everyday synonyms as one), its numbers with their units, whether it
negates, what kind of answer it wants, and which way things go. Any difference in these is a difference.

English has the word lists of sameness.json. In other languages only function words are set aside, and those
that may turn a meaning (`_TURNING`) are not, and the order of words counts: stricter, so that what is not understood
is not taken for the same. In English two words may not have changed places, with all others where they were: "Can you
call me" and "Can I call you".
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from knowledge.language import stopwords
from knowledge.terms import words_of

_WORDS = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
_FILLER = frozenset(_WORDS["filler"].split())  # English words that carry no question
_NEGATIONS = frozenset(_WORDS["negations"].split())  # of all languages; "trouble" says "cannot"
_TURNING = frozenset(_WORDS["turning"].split())  # other languages' who, when, from, to, with, more, ...
_REFERRING = frozenset(_WORDS["referring"].split())
NUMBERS: dict[str, str] = _WORDS["numbers"]  # not "one": "which one" counts nothing
_OWNERS = "i|you|we|they|he|she|it|there|that|this|what|where|who|how|when|why"
_CONTRACTIONS = (
    (re.compile(r"\b(?:can't|cant|cannot)\b"), "can not"),
    (re.compile(r"\bwon'?t\b"), "will not"),
    (re.compile(r"\bshan'?t\b"), "shall not"),
    (re.compile(r"\b(do|does|did|is|are|was|were|has|have|had|could|would|should|must)n'?t\b"), r"\1 not"),
    (re.compile(rf"\b({_OWNERS})'(?:m|re|s|ve|d|ll)\b"), r"\1"),
    (re.compile(r"\b(?:im|ive)\b"), "i"),
    (re.compile(r"\bhow come\b"), "why"),
    (re.compile(r"\bgo(?:ing)? (?:about|forth) (\w+)ing\b"), r"\1"),
    (re.compile(r"\bu\.s\.(?:a\.)?|\busa\b|\bunited states\b"), "unitedstates"),
    (re.compile(r"(?<=\bthe )us\b"), "unitedstates"),
    (re.compile(r"\bu\.k\.|\bunited kingdom\b"), "uk"),
    (re.compile(r"\b(?:figure|find|found) out\b"), "know"),
    (re.compile(r"\b(?:do|did|does|can) not (?:really )?(?:know|understand|see) (?=why|how|where|what|when)"), "know "),
    (re.compile(r"\bnot (?:sure|certain)\b"), "know"),
    (re.compile(r"\bcan not (?:seem to )?(?:find|locate)\b"), "where find"),
    (re.compile(r"\bnot (?:correct|right)\b"), "wrong"),
    (re.compile(r"\b(?:anything|everything|all) but\b"), "not"),
    (re.compile(r"\bn'(?=\w)"), "ne "),
    (re.compile(r"([a-z])\+\+"), r"\1plusplus"),
    (re.compile(r"([a-z])#"), r"\1sharp"),
    (re.compile(r"(?<![^\s(])[-−](?=\d)"), " minus "),
    (re.compile(r"\b(top|log|sign|set|check|pay|opt|back|turn|switch|shut)[ -]+(up|in|out|off|on|down)s?\b"), r"\1\2"),
)  # fmt: skip
_LETTER = re.compile(r"(?<=[^\W_] )[A-HJ-Z]\b(?!\.)")  # plan A, vitamin C
_SYMBOLS = {  # percent, and every currency, by its name
    code: f" {unicodedata.name(chr(code)).lower().removesuffix(' sign')} "
    for code in (*range(0x20D0), 0xFDFC, 0xFF04, *range(0xFFE0, 0xFFE7))
    if chr(code) == "%" or unicodedata.category(chr(code)) == "Sc"
}
_ARTICLES = ("a", "an", "the")
_SAME_PERSON = {"me": "i", "us": "we"}
_UNITS = "(?:minutes|hours|days|weeks|months)"
_MUST = (
    r"\b(?:do|does|did|will) \w+ (?:\w+ )?(?:need|have) to\b|\bmust (?:i|we|you|it|they|one)\b"
    r"|\bis it (?:necessary|required|needed|mandatory)\b"
)
_KINDS = {
    "when": re.compile(
        r"\bwhen (?:will|would|do|does|did|is|are|am|was|were|can|could|should|has|have)\b|\btime ?frame\b"
        rf"|\bhow (?:long|soon|fast|quickly|much time|many {_UNITS})\b"
    ),
    "amount": re.compile(rf"\bhow (?:much|many)\b(?! (?:time|{_UNITS}))|\bcosts?\b|\bprices?\b"),
    "who": re.compile(r"\bwhom?\b"),
    "where": re.compile(r"\bwhere\b|\b(?:find|found)\w*|\blocat\w+"),
    "why": re.compile(r"\bwhy\b|\breasons?\b|\bcauses?\b"),
    "must": re.compile(rf"^(?!.*\b(?:what|how|which|where|when|why)\b).*(?:{_MUST})"),
    "how": re.compile(r"\bhow (?:do|can|could|to|would|should|might|am|is|did)\b"),
}
_DIRECTION = re.compile(
    r"\b(from|to|into|onto|before|after|than|over|under|without|with)\b(?:\W+(?:the|a|an|my|your|our|this|that))*\W+([^\W_]+)"
)

_SIDES = {
    "from": "from", "to": "to", "into": "to", "onto": "to", "before": "before", "after": "after",
    "than": "than", "over": "over", "under": "under", "without": "without", "with": "with",
}  # fmt: skip
_Side = tuple[str, str]  # which side, which word


@dataclass(frozen=True, slots=True)
class _Said:
    """What a question says. `sides`: where "to", "from" and their like point. `order`: of all words but articles in
    English, of the content words in other languages.
    """

    words: frozenset[str]
    numbers: tuple[str, ...]
    negated: bool
    kinds: frozenset[str]
    sides: frozenset[_Side]
    order: tuple[str, ...]


def difference(asked: str, kept: str, *, language: str) -> str | None:
    """In what two questions differ ("number", "negation", "kind", "direction", "word"); None if in nothing."""
    one, other = _said(asked, language), _said(kept, language)
    if one.numbers != other.numbers:
        return "number"
    if one.negated != other.negated:
        return "negation"
    if _differ_in_kind(one.kinds, other.kinds):
        return "kind"
    if one.words != other.words or not one.words:
        return "word"
    reordered = _changed_places if _is_english(language) else tuple.__ne__
    turned = _turned(one.sides, other.sides) or reordered(one.order, other.order)
    return "direction" if turned else None


def _is_english(language: str) -> bool:
    return language[:2] in ("en", "")


def _changed_places(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether all that differs is that two words stand in each other's place."""
    differing = [(mine, theirs) for mine, theirs in zip(one, other, strict=False) if mine != theirs]
    return len(one) == len(other) and len(differing) == 2 and differing[0] == differing[1][::-1]


def refers_back(question: str) -> bool:
    """Whether a question speaks of something said before it ("How long does that take?")."""
    return any(word in _REFERRING for _, word in words_of(question.casefold(), language=""))


def _differ_in_kind(one: frozenset[str], other: frozenset[str]) -> bool:
    """Who, where, when, how much and whether one must are asked by both or by neither; why is not how."""
    if (one ^ other) - {"why", "how"}:
        return True
    return ("why" in one and "how" in other - one) or ("why" in other and "how" in one - other)


def _turned(one: frozenset[_Side], other: frozenset[_Side]) -> bool:
    """Whether something lies on the other side: to what was from, before what was after, B to A."""
    mine, theirs = one - other, other - one
    swapped = {word for _, word in mine} & {word for _, word in theirs}
    moved = {side for side, _ in mine} & {side for side, _ in theirs}
    return bool(swapped or moved)


@lru_cache(maxsize=4096)
def _said(text: str, language: str) -> _Said:
    plain = _plain(text)
    english = _is_english(language)
    filler = _FILLER if english else stopwords(language[:2]) - _TURNING - _NEGATIONS
    words, order, numbers, negated = dict[str, None](), list[str](), list[str](), False
    for stem, word in words_of(plain, language=language[:2]):
        if word not in _ARTICLES:
            order.append(_SAME_PERSON.get(word, stem))
        if word in _NEGATIONS:
            negated = True
        elif word[0].isdigit() and word.replace(".", "").isdigit():
            numbers.append(word)
        elif english and word in NUMBERS:
            numbers.append(NUMBERS[word])
        elif word not in filler and stem not in filler:
            words[_synonyms().get(stem, stem) if english else stem] = None
    kinds = frozenset(kind for kind, pattern in _KINDS.items() if english and pattern.search(plain))
    spoken = tuple(order if english else words)
    return _Said(frozenset(words), tuple(sorted(numbers)), negated, kinds, _directions(plain), spoken)


@cache
def _synonyms() -> dict[str, str]:
    """Stem to the stem that stands for all of its line."""
    found: dict[str, str] = {}
    for line in _WORDS["synonyms"]:  # everyday words that stand for one another
        stems = [stem for word in line.split() for stem, _ in words_of(word, language="en")]
        found |= dict.fromkeys(stems[1:], stems[0])
    return found


def _plain(text: str) -> str:
    plain = _LETTER.sub(r"letter\g<0>", text).casefold().replace("’", "'")
    plain = plain.translate(_SYMBOLS)
    for pattern, replacement in _CONTRACTIONS:
        plain = pattern.sub(replacement, plain)
    return plain


def _directions(plain: str) -> frozenset[_Side]:
    """The words that prepositions of direction point at."""
    return frozenset((_SIDES[found[1]], found[2]) for found in _DIRECTION.finditer(plain))
