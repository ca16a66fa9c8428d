"""One number from 0 to 1: how likely it is that the passages found answer the question.

It means the same whichever model read the knowledge, and in every language: a logistic with constants for each
embedding profile, carried over to the languages of question and passage, of how well the best passages match, and of
what the question insists on and the best passage lacks: its names, its numbers, and in its best sentence its negation,
or the number that it asks for. The match alone tells a question about something else (AUC 0.98), the lacks tell most of
what can be told of one on the topic that nothing answers (0.70 with them, 0.61 without).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from enum import Enum

from knowledge.candidates import Candidate
from knowledge.embedding.profiles import MINILM
from knowledge.language import SCRIPT_ALONE, guess_language, is_cyrillic, is_foreign
from knowledge.matching import Match, Question
from knowledge.terms import is_unspaced

# What cannot be looked for in another language: names, denials and words for numbers are written in other ways there.
_IN_WORDS = ("names", "negation", "quantity")
FEATURES = ("score", "cosine", "names", "numbers", "negation", "quantity")

# Intercept, then one weight a feature. Fitted on SQuAD v2 split in two by article (`make bench-evidence`): answerable
# questions against ones about something else, and as heavily against its unanswerable ones; the intercept is
# set so that 0.5 keeps 94 % of the answerable, and then lets 5 % of the off-topic through.
CONSTANTS = {
    "minilm-l6-v2-int8": (-4.8, (6.5, 4.5, -1.1, -1.1, -3.3, -1.0)),
    "multilingual-e5-small-int8": (-5.6, (7.1, 6.0, -0.8, -0.9, -3.0, -0.9)),
}


class Languages(Enum):
    """What a question and the passage that answers it are written in. The multilingual model finds texts of one
    language, and even more of one without spaces, more alike than English ones, and texts of two languages far less:
    without `carried`, 83 % of questions about something else were answered in Chinese, and of German questions to
    English pages only 16 % of those that have an answer.

    The values are slope and intercept of `carried`, which brings answerable and off-topic questions to where
    they stand in English. Fitted on one half of XQuAD's articles, by kind of writing and not by language; the other
    half's figures stand in docs/models.md.
    """

    ENGLISH = (1.0, 0.0)
    OTHER = (1.6, -0.6)
    UNSPACED = (2.2, -3.8)
    TWO = (2.4, 4.2)
    TWO_SCRIPTS = (2.4, 5.3)

    @property
    def are_two(self) -> bool:
        return self in (Languages.TWO, Languages.TWO_SCRIPTS)

    def carried(self, logit: float) -> float:
        slope, intercept = self.value
        return slope * logit + intercept


WEIGHED = 3  # passages

_WORD = re.compile(r"[^\W_]+(?:[.,:'’-][^\W_]+)*")
_DIGIT = re.compile(r"\d")
_SENTENCE_START = re.compile(r"(?:^|[.!?]\s+)[\"'“‘(¿¡]*$")
_CAPITALISING = frozenset({"de"})  # languages that write every noun like a name
# A negation that turns the question round ("Which files are not kept?"), not one that tells a trouble of the
# visitor's own ("I can't log in", "why is it not sent?"), which pages answer without any negation.
_NEGATION = re.compile(r"\b(?:not|never|without|neither|nor|cannot|except)\b|n['’]t\b", re.IGNORECASE)
# What says no, and not only the words that ask for it.
_DENIAL = re.compile(
    rf"{_NEGATION.pattern}|\b(?:no|none|nobody|nothing|besides|unable|lack(?:s|ed)?|fail(?:s|ed)?|refus\w+|den(?:y|ies|ied)"
    r"|prohibit\w*|forbid\w*|exclud\w+|other than|instead of|rather than)\b",
    re.IGNORECASE,
)
_TURNED = re.compile(r"\b(?:what|which|who|whom|whose|when|where|how)\b", re.IGNORECASE)
# What only a number answers ("How many people …?", "When was …?"; not "When do I pay?"), and what says one, in English.
_ASKS_NUMBER = re.compile(
    r"\bhow (?:many|much|long|old|large|big|far|tall|high|fast|often)\b|\bwhen (?:did|was|were)\b"
    r"|\b(?:what|which) (?:year|date|day|month|century|decade|percent(?:age)?|number|amount|age)\b",
    re.IGNORECASE,
)
_TELLS_NUMBER = re.compile(
    r"(?i:\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens?|\w+teen|twenty|thirty|forty|fifty"
    r"|sixty|seventy|eighty|ninety|hundreds?|thousands?|(?:m|b|tr)illions?|half|quarter|once|twice|none"
    r"|unlimited|free|never|always|forever|every|(?:hour|dai|night|week|month|quarter|year|annual)ly"
    r"|(?:second|minute|hour|day|week|month|year|decade)s?|century|centuries|spring|summer|autumn|winter)\b)"
    r"|\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\b"
)
_TROUBLE = re.compile(r"\b(?:I|i|me|my|we|our|us|you|your|it|why)\b")


def of(features: Mapping[str, float], *, profile_id: str, languages: Languages = Languages.ENGLISH) -> float:
    """The logistic of the features; 0 when nothing was found."""
    if not features:
        return 0.0
    intercept, weights = CONSTANTS[profile_id]
    logit = intercept + sum(w * features[name] for name, w in zip(FEATURES, weights, strict=True))
    return 1 / (1 + math.exp(-languages.carried(logit)))


def languages_of(
    question: Question, ranked: Sequence[tuple[Candidate, Match]], known: Sequence[str]
) -> Languages:
    """What the question and the passage behind the evidence are written in. `known` are the languages of the knowledge.

    A model of English tells nothing of others, so its figures are left as they are.
    """
    if not ranked or question.profile.id == MINILM.id:
        return Languages.ENGLISH
    said = basis_of(ranked)[0].text
    home = guess_language(said) or (known[0] if len(known) == 1 else "")
    if is_foreign(question.text, home):
        scripts = {
            (is_unspaced(text), is_cyrillic(text), guess_language(text) in SCRIPT_ALONE)
            for text in (question.text, said)
        }
        return Languages.TWO if len(scripts) == 1 else Languages.TWO_SCRIPTS
    if is_unspaced(question.text) and is_unspaced(said):
        return Languages.UNSPACED
    return Languages.ENGLISH if home == "en" or (not home and "en" in known) else Languages.OTHER


def features_of(
    question: Question,
    ranked: Sequence[tuple[Candidate, Match]],
    *,
    languages: Sequence[str],
    written_in: Languages,
) -> dict[str, float]:
    """How well the first three passages match, and what the one with the best sentence lacks.

    A question that asks what is *not* so is answered by a sentence that says so, and one that asks for a number by a
    sentence with one; elsewhere in the passage either is about something else as often as not.
    """
    if not ranked:
        return {}
    top, (best, matched) = ranked[:WEIGHED], basis_of(ranked)
    said = " ".join((best.title, *best.heading_path, best.text)).casefold()
    sentence = _best_sentence(best, matched)
    features = {
        "score": ranked[0][1].score,
        "cosine": max(question.profile.relatedness(match.cosine) for _, match in top),
        "names": _share_missing(names_in(question.text, languages=languages), said),
        "numbers": float(_share_missing(numbers_in(question.text), said) > 0),
        "negation": float(_is_turned(question.text) and not _DENIAL.search(sentence)),
        "quantity": float(_lacks_number(question.text, sentence)),
    }
    return features | dict.fromkeys(_IN_WORDS, 0.0) if written_in.are_two else features


def basis_of(ranked: Sequence[tuple[Candidate, Match]]) -> tuple[Candidate, Match]:
    """The passage with the best sentence, on which the evidence rests."""
    return max(ranked[:WEIGHED], key=lambda pair: max(pair[1].sentences, default=0.0))


def names_in(text: str, *, languages: Sequence[str]) -> set[str]:
    """Words written with a capital where only a name is; none where everything is or the language always does."""
    words = list(_WORD.finditer(text))
    found = {
        word.group()
        for word in words
        if word.group()[0].isupper()
        and len(word.group()) > 1
        and not _SENTENCE_START.search(text[: word.start()])
    }
    if _CAPITALISING.intersection(languages) or len(found) > len(words) / 2:
        return set()
    return found


def _best_sentence(candidate: Candidate, matched: Match) -> str:
    """The sentence that matches best; the whole passage where it has none."""
    if not matched.sentences:
        return candidate.text
    start, end, *_ = candidate.spans[matched.sentences.index(max(matched.sentences))]
    return candidate.text[start:end]


def numbers_in(text: str) -> set[str]:
    return {word for word in _WORD.findall(text) if _DIGIT.search(word)}


def _lacks_number(asked: str, sentence: str) -> bool:
    """Whether a number, a time or how often is asked for, and the sentence names none that the question does not."""
    tells = numbers_in(sentence) - numbers_in(asked) or _TELLS_NUMBER.search(sentence)
    return bool(_ASKS_NUMBER.search(asked)) and not tells


def _share_missing(wanted: set[str], said: str) -> float:
    """How many of the words do not stand in the text, as a share; an ending 's is not asked for."""
    missing = sum(re.sub(r"['’]s?$", "", word).casefold() not in said for word in wanted)
    return missing / len(wanted) if wanted else 0.0


def _is_turned(text: str) -> bool:
    return bool(_NEGATION.search(text) and _TURNED.search(text) and not _TROUBLE.search(text))
