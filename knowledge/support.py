"""Whether a sentence of an answer stands in the passages that it cites. Arithmetic on words: the same every time.

Its numbers, with their units, and its names have to stand there, the sentence that is nearest to it may not deny what
it affirms, and its words have to be there for the most part. Where the words are others (another language, a free
wording), whoever asks may let the embedding model judge: `is_near`.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache

import numpy as np

from knowledge import units
from knowledge.embedding import embed_query, profile_for
from knowledge.embedding.profiles import MINILM
from knowledge.evidence import names_in
from knowledge.language import guess_language
from knowledge.sameness import NUMBERS
from knowledge.sentences import sentence_spans
from knowledge.terms import content_terms, words_of

ENOUGH = 0.5  # share of a sentence's content words that its passages have to hold
NEAREST = 0.6  # share of its words that a sentence must have for its negation to be compared
REMEMBERED = 512  # passages are read once for all sentences that cite them
NEAR = 0.55  # relatedness that stands in for the words: paraphrases have 0.57 and above, others up to 0.52
# Of a statement; `knowledge.sameness` has more, for questions, where "trouble" also denies.
_NEGATIONS = frozenset(
    (  # noqa: SIM905  words read better in lines than as a list
        "not no never none neither nor without cannot nicht kein keine keinen keinem keiner nie niemals ohne nunca sin"
        " jamás pas jamais sans non mai senza nessun não sem niet geen nooit zonder bez не нет без никогда"
        " لا ولا فلا ليس ليست لم ولم لن ولن غير بدون دون"
    ).split()
)
# Where words are not parted by spaces; "not only", "different", "no matter" and the like deny nothing.
_DENIES = re.compile(
    r"不(?![仅僅同断斷过過少久管论論但只错錯])|没|沒|无(?!论)|無(?!論)|未(?![来來])|禁止|ない|ません|なし|않|없|못|아니"
)
# Not inside of a word, but right behind Chinese, Japanese or Korean ones.
_NUMBER = r"(?<![^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af])\d+(?:[.,:]\d+)*"
_NUMBER_OR_WORD = re.compile(rf"(?P<digits>{_NUMBER})|(?P<word>[^\W\d_]+)")
_THOUSANDS = re.compile(r"(?<=\d)[,.'’\u00a0\u202f](?=\d{3}(?:\D|$))")
_SEPARATORS = str.maketrans("٫٬", ".,")  # Arabic
# Words for 2 and up, without those that mean something else as often; English has `knowledge.sameness.NUMBERS`.
_NUMBER_WORDS = {
    "de": "zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
    "es": "dos tres cuatro cinco seis siete ocho nueve diez once doce",
    "fr": "deux trois quatre cinq six sept huit - dix onze douze",
    "it": "due tre quattro cinque - sette otto nove dieci undici dodici",
    "pt": "dois três quatro cinco seis sete oito nove dez onze doze",
    "nl": "twee drie vier vijf zes zeven acht negen tien elf twaalf",
    "ru": "два/две/двух три/трёх/трех четыре/четырёх/четырех пять/пяти шесть/шести семь/семи восемь/восьми"
    " девять/девяти десять/десяти одиннадцать/одиннадцати двенадцать/двенадцати",
}
_WORD_VALUES = {
    language: {
        form: str(value) for value, forms in enumerate(words.split(), start=2) for form in forms.split("/")
    }
    for language, words in _NUMBER_WORDS.items()
}
_ONE = frozenset(
    (  # noqa: SIM905  like above
        "one a an ein eine einen einem einer eines un una une uno um uma een один одна одного одной"
    ).split()
)


class Lack(StrEnum):
    """What a sentence says that its passages do not."""

    NUMBER = "number"
    UNIT = "unit"
    NAME = "name"
    NEGATION = "negation"
    WORDS = "words"


def lack_of(claim: str, cited: Sequence[str], *, known: str = "") -> Lack | None:
    """What the cited texts lack for this sentence; None where they support it.

    `known` is what may be said without a source: the question's own words, the agent's name.
    """
    texts, language = [*cited, known], _language(claim)
    missing = numbers_in(claim) - frozenset().union(*map(numbers_in, texts))
    if missing - {"1"} or (missing and not any(map(_says_one, texts))):
        return Lack.NUMBER
    if _miscounts(claim, texts):
        return Lack.UNIT
    in_one_language = bool(cited) and _language(cited[0]) == language
    if in_one_language and _missing_names(claim, texts, language):
        return Lack.NAME  # across languages, names are written in other ways
    terms = _terms(claim, language)
    if not terms:
        return None
    if _is_denied(claim, terms, cited, language):
        return Lack.NEGATION
    there = frozenset().union(*(_terms(text, language) for text in texts))
    return None if _share(terms, there) >= ENOUGH else Lack.WORDS


def has_facts(claim: str) -> bool:
    """Whether a sentence names a number or somebody: what it says can be wrong."""
    return bool(numbers_in(claim) or names_in(claim, languages=(_language(claim),)))


def numbers_in(text: str) -> frozenset[str]:
    """The numbers of a text, written in digits or as words, as digits with a decimal point."""
    return frozenset(_counted(text))


@lru_cache(maxsize=REMEMBERED)
def _counted(text: str) -> Mapping[str, frozenset[frozenset[str]]]:
    """Each number with what it counts wherever it stands: see `units.unit_of`."""
    plain = "".join(str(unicodedata.decimal(sign, sign)) for sign in text).translate(_SEPARATORS)
    whole = _THOUSANDS.sub("", plain)
    values = {**NUMBERS, **_WORD_VALUES.get(_language(text), {})}
    found = defaultdict[str, set[frozenset[str]]](set)
    for match in _NUMBER_OR_WORD.finditer(whole):
        value = match["digits"] or values.get(match["word"].casefold())
        if value:
            found[value.replace(",", ".")].add(units.unit_of(whole, *match.span()))
    return {value: frozenset(counted) for value, counted in found.items()}


def _miscounts(claim: str, texts: Sequence[str]) -> bool:
    """Whether a number of the claim counts something else wherever it stands. One without a unit may count anything."""
    said = [_counted(text) for text in texts]
    for value, counted in _counted(claim).items():
        there = frozenset[frozenset[str]]().union(*(numbers.get(value, ()) for numbers in said))
        if there and any(mine and all(theirs and not mine & theirs for theirs in there) for mine in counted):
            return True
    return False


def _says_one(text: str) -> bool:
    return any(word in _ONE for _, word in words_of(text.casefold(), language=""))


def is_near(claim: str, cited: Sequence[str], *, profile: str) -> bool:
    """Whether the embedding model finds some sentence of the texts about the same; 10 ms of CPU a sentence.

    A model of English cannot tell for a sentence in another language: that one is let pass.
    """
    scale, language = profile_for(profile), _language(claim)
    if scale == MINILM and language not in ("", "en"):
        return True
    terms = _terms(claim, language)
    mine = embed_query(claim, words=(), profile=scale).vector
    nearest = sorted(_sentences(cited), key=lambda one: -_share(terms, _terms(one, language)))[:3]
    vectors = (embed_query(one, words=(), profile=scale).vector for one in nearest)
    return any(scale.relatedness(float(np.dot(mine, vector))) >= NEAR for vector in vectors)


def shared(claims: Sequence[str], sentences: Sequence[str]) -> list[float]:
    """How much each sentence has in common with the claim that is nearest to it, 0 to 1.

    Dice's coefficient on content words; each weighs the more, the fewer of the sentences hold it.
    """
    language = _language(" ".join(claims))
    said = [_terms(claim, language) for claim in claims]
    held = [_terms(sentence, language) for sentence in sentences]
    counts = Counter(term for terms in held for term in terms)

    def weight(terms: frozenset[str]) -> float:
        return sum(math.log1p(len(held) / max(counts[term], 1)) for term in terms)

    def common(one: frozenset[str], other: frozenset[str]) -> float:
        both = weight(one & other)
        return 2 * both / (weight(one) + weight(other)) if both else 0.0

    return [max((common(terms, claim) for claim in said), default=0.0) for terms in held]


def _missing_names(claim: str, texts: Sequence[str], language: str) -> bool:
    said, names = "\n".join(texts).casefold(), names_in(claim, languages=(language,))
    return any(re.sub(r"['’]s?$", "", name).casefold() not in said for name in names)


def _is_denied(claim: str, terms: frozenset[str], cited: Sequence[str], language: str) -> bool:
    """Whether the sentence nearest to it says the opposite."""
    near = [
        (share, one)
        for one in _sentences(cited)
        if (share := _share(terms, _terms(one, language))) >= NEAREST
    ]
    if not near:
        return False
    top = max(share for share, _ in near)
    return all(_negates(one) != _negates(claim) for share, one in near if share == top)


def _sentences(texts: Iterable[str]) -> list[str]:
    return [sentence for text in texts for sentence in _sentences_of(text)]


@lru_cache(maxsize=REMEMBERED)
def _sentences_of(text: str) -> tuple[str, ...]:
    return tuple(text[start:end] for start, end in sentence_spans(text))


@lru_cache(maxsize=REMEMBERED)
def _language(text: str) -> str:
    return guess_language(text)


def _negates(text: str) -> bool:
    plain = text.casefold().replace("’", "'")
    return (
        "n't" in plain
        or bool(_DENIES.search(plain))
        or any(word in _NEGATIONS for _, word in words_of(plain, language=""))
    )


@lru_cache(maxsize=4 * REMEMBERED)
def _terms(text: str, language: str) -> frozenset[str]:
    return frozenset(term.text for term in content_terms(text, language=language))


def _share(terms: frozenset[str], others: frozenset[str]) -> float:
    return len(terms & others) / len(terms) if terms else 0.0
