"""Text to search terms: folded words, stemmed in the text's language; pairs of characters where words have no
spaces.

Documents and queries go through the same function, so that what was indexed can be found.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import snowballstemmer

from knowledge.language import stopwords

STEMMERS = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek",
    "en": "english", "es": "spanish", "et": "estonian", "eu": "basque", "fa": "persian", "fi": "finnish",
    "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian",
    "it": "italian", "lt": "lithuanian", "ne": "nepali", "nl": "dutch", "no": "norwegian", "pl": "polish",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish", "ta": "tamil",
    "tr": "turkish",
}  # fmt: skip
MAX_TERM = 64  # characters; longer runs are hashes and base64, and nobody searches for their end

# Scripts written without spaces, Hangul as well: its particles cling to the words.
_UNSPACED = (
    r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af\u0e00-\u0eff"
    r"\u1000-\u109f\u1780-\u17ff"
)
_TOKEN = re.compile(
    rf"(?P<unspaced>[{_UNSPACED}]+)"
    r"|(?P<number>\d++(?:[.,:/-]\d++)*+)(?![^\W\d_])"
    rf"|(?P<word>[^\W_{_UNSPACED}]+(?:\.\d+)*(?:['’][^\W\d_]+)?)"
)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?:\D|$))")
_MARKS = re.compile(r"[\u0300-\u036f\u064b-\u0652\u0640]")  # accents; Arabic vowel signs and stretching
_POSSESSIVE = re.compile(r"'s?$")
_ELIDED = re.compile(r"^(?:[cdjlmnst]|qu|un|dell|nell|sull|all|dall)'(?=\w)")  # l'eau, qu'il, dell'ordine
_ELIDING = frozenset({"fr", "it", "ca"})


@dataclass(frozen=True, slots=True)
class Term:
    """A searchable term and the characters of the text it came from."""

    text: str
    start: int
    end: int


def content_terms(text: str, *, language: str = "") -> list[Term]:
    """The terms of a text without its function words, in order, repetitions kept."""
    stops = stopwords(language)
    return [term for term, plain in _tokens(text, language) if plain not in stops]


def query_terms(text: str, *, languages: Sequence[str] = ("",)) -> list[tuple[Term, frozenset[str]]]:
    """The terms of a question, each with its forms in all these languages: stems differ, the word is one.

    A question made only of function words keeps them: nothing found is worse than something common.
    """
    stops = frozenset[str]().union(*(stopwords(language) for language in languages))
    columns = [_tokens(text, language) for language in languages or ("",)]
    rows = [
        (column[0][0], column[0][1], frozenset(term.text for term, _ in column))
        for column in zip(*columns, strict=True)
    ]
    content = [(term, forms) for term, plain, forms in rows if plain not in stops]
    return content or [(term, forms) for term, _, forms in rows]


def is_unspaced(text: str) -> bool:
    """Whether most of a text's characters are of scripts whose words are not parted by spaces."""
    written = sum(match.end() - match.start() for match in _TOKEN.finditer(text))
    unspaced = sum(len(match.group()) for match in _TOKEN.finditer(text) if match.lastgroup == "unspaced")
    return 2 * unspaced > written


def words_of(text: str, *, language: str) -> list[tuple[str, str]]:
    """Every term of a text, function words too: stemmed, and as it was written in lower case."""
    return [(term.text, plain) for term, plain in _tokens(text, language)]


def _tokens(text: str, language: str) -> list[tuple[Term, str]]:
    """Each term with its unstemmed form."""
    found: list[tuple[Term, str]] = []
    for match in _TOKEN.finditer(text):
        if match.lastgroup == "unspaced":
            found.extend((term, term.text) for term in _pairs(match.group(), match.start()))
        elif match.lastgroup == "number":
            number = unicodedata.normalize("NFKC", _THOUSANDS.sub("", match.group()))
            found.append((Term(number[:MAX_TERM], match.start(), match.end()), number))
        else:
            plain = _plain(match.group(), language)
            stem = _stem(plain[:MAX_TERM], language)
            if stem:
                found.append((Term(stem, match.start(), match.end()), plain))
    return found


def _plain(word: str, language: str) -> str:
    """Lower case, without what an apostrophe hangs on to the word; contractions stay, to be known as stop
    words.
    """
    folded = word.casefold().replace("’", "'")
    if "'" not in folded or folded in stopwords(language):
        return folded
    return _POSSESSIVE.sub("", _ELIDED.sub("", folded) if language in _ELIDING else folded)


def _pairs(run: str, start: int) -> Iterator[Term]:
    if len(run) == 1:
        yield Term(run, start, start + 1)
    for index in range(len(run) - 1):
        yield Term(run[index : index + 2], start + index, start + index + 2)


@lru_cache(maxsize=200_000)
def _stem(word: str, language: str) -> str:
    folded = unicodedata.normalize("NFKC", word)
    algorithm = STEMMERS.get(language)
    stemmed = snowballstemmer.stemmer(algorithm).stemWord(folded) if algorithm else folded
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFKD", stemmed)))[:MAX_TERM]
