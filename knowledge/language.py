"""Which language a text is in, judged by its script and its function words. No model, a few microseconds.

stopwords.json holds the Snowball project's stop word lists (BSD licence, as PostgreSQL ships them), shorter
ones for six more languages, and in English without the particles that carry a support question's meaning
("turn off", "log out", "not delivered").
"""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path

SAMPLE = 20_000  # characters looked at
MIN_SHARE = 0.12  # of the words must be function words of a language; running text has 0.3 to 0.5
_USUAL = ("en", "es", "de", "fr", "pt", "it", "nl", "pl", "ru", "tr", "sv")
_WORD = re.compile(r"[^\W\d_]+")
_STOPWORDS_FILE = Path(__file__).resolve().parent / "stopwords.json"

# The script alone tells these, or narrows the choice down. First match with a third of the letters wins.
_SCRIPTS = (
    (re.compile(r"[\u3040-\u30ff]"), "ja"),
    (re.compile(r"[\uac00-\ud7af]"), "ko"),
    (re.compile(r"[\u4e00-\u9fff]"), "zh"),
    (re.compile(r"[\u0600-\u06ff]"), "ar"),
    (re.compile(r"[\u0370-\u03ff]"), "el"),
    (re.compile(r"[\u0590-\u05ff]"), "he"),
    (re.compile(r"[\u0900-\u097f]"), "hi"),
    (re.compile(r"[\u0b80-\u0bff]"), "ta"),
    (re.compile(r"[\u0e00-\u0e7f]"), "th"),
    (re.compile(r"[\u0530-\u058f]"), "hy"),
)
SCRIPT_ALONE = frozenset(language for _, language in _SCRIPTS) | {"fa"}
_CYRILLIC_LANGUAGES = frozenset({"ru", "uk", "bg", "sr", "mk", "be"})
_LOOKING_ALIKE = ({"zh", "ja"}, {"ar", "fa"})  # a short text of one may hold no letter that only that one has
_PERSIAN = re.compile(r"[پچژگ]")
_LETTER = re.compile(r"[^\W\d_]")


@cache
def stopwords(language: str) -> frozenset[str]:
    """Function words of this language in lower case; empty where no list is known."""
    return _lists().get(language, frozenset())


def is_function_word(word: str) -> bool:
    """Whether a word in lower case is a function word of any language."""
    return any(word in words for words in _lists().values())


@cache
def _lists() -> dict[str, frozenset[str]]:
    texts: dict[str, str] = json.loads(_STOPWORDS_FILE.read_text(encoding="utf-8"))
    return {language: frozenset(words.split()) for language, words in texts.items()}


def guess_language(text: str, *, default: str = "") -> str:
    """ISO 639-1 code of the text's main language, or `default` where the text does not tell."""
    sample = text[:SAMPLE]
    return _by_script(sample) or _by_function_words(sample) or default


def is_foreign(text: str, home: str) -> bool:
    """Whether a text is surely not in the language `home`: short ones share many words with their neighbours'."""
    language = guess_language(text)
    if not home or language == home or {language, home} in _LOOKING_ALIKE:
        return False
    if is_cyrillic(text) and home not in _CYRILLIC_LANGUAGES:
        return True
    if not language:
        return False
    if home in SCRIPT_ALONE or language in SCRIPT_ALONE:
        return True
    words: list[str] = [word.lower() for word in _WORD.findall(text[:SAMPLE])]
    own = sum(word in stopwords(language) for word in words)
    return own >= 2 * max(1, sum(word in stopwords(home) for word in words))


def is_cyrillic(text: str) -> bool:
    """Whether most letters are Cyrillic."""
    letters: list[str] = _LETTER.findall(text[:SAMPLE])
    return 2 * sum("\u0400" <= letter <= "\u052f" for letter in letters) > len(letters)


def _rank(language: str) -> int:
    """Short texts end in a tie; the more usual language is then the better guess."""
    return -_USUAL.index(language) if language in _USUAL else -len(_USUAL)


def _by_script(sample: str) -> str:
    letters = len(_LETTER.findall(sample))
    for pattern, language in _SCRIPTS:
        found = len(pattern.findall(sample))
        # Japanese mixes its kana with Chinese characters, so fewer of them decide.
        if found and found * (10 if language == "ja" else 3) >= letters:
            return "fa" if language == "ar" and len(_PERSIAN.findall(sample)) * 50 > found else language
    return ""


def _by_function_words(sample: str) -> str:
    words = Counter(word.lower() for word in _WORD.findall(sample))
    total = sum(words.values())
    lists = {language: listed & words.keys() for language, listed in _lists().items()}
    if not total or not any(lists.values()):
        return ""
    # A word that several languages share tells less about each of them.
    shared = Counter(word for listed in lists.values() for word in listed)
    scores = {
        language: sum(words[word] / shared[word] for word in listed) for language, listed in lists.items()
    }
    best = max(scores, key=lambda language: (scores[language], _rank(language)))
    return best if sum(words[word] for word in lists[best]) >= MIN_SHARE * total else ""
