"""Figures in a sentence: prices, shares, dates, durations, sizes, and numbers of things.

Numbers are read in both styles (1,299.00 and 1.299,00), dates as numbers or with the month's name. A number of
things is one before its noun ("5 users"); a number after the name of a thing ("Plan 5", "step 5") is a label.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

from knowledge.language import stopwords
from knowledge.terms import words_of

_NUMBER_OF = "number"  # the kind of a number of things, before their noun

_MONTH_NAMES = (
    "january januar janvier enero gennaio janeiro januari",
    "february februar février fevrier febrero febbraio fevereiro februari",
    "march märz maerz mars marzo março maart",
    "april avril abril aprile",
    "may mai mayo maggio maio mei",
    "june juni juin junio giugno junho",
    "july juli juillet julio luglio julho",
    "august août aout agosto augustus",
    "september septembre septiembre settembre setembro",
    "october oktober octobre octubre ottobre outubro",
    "november novembre noviembre novembro",
    "december dezember décembre decembre diciembre dicembre dezembro",
)
_MONTHS = {name: month for month, names in enumerate(_MONTH_NAMES, start=1) for name in names.split()}
_MONTH = "|".join(_MONTHS)
_ENGLISH_MONTH = "|".join(names.split()[0] for names in _MONTH_NAMES)
_DAY = r"\d{1,2}"
_IN_YEAR = r"(?:,?\s(?:del?\s)?(?P<year>\d{4})\b)?"
_DATES = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?<![\w.-])(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})(?![\w-])",
        rf"(?<![\w.])(?P<day>{_DAY})\.\s?(?P<month>{_DAY})\.\s?(?P<year>\d{{4}})(?!\w|\.\d)",
        rf"(?<![\w.,])(?P<day>{_DAY})(?:\.|er|st|nd|rd|th|º)?\s(?:of\s|de\s)?(?P<name>{_MONTH})\b{_IN_YEAR}",
        rf"\b(?P<name>{_ENGLISH_MONTH})\s(?P<day>{_DAY})(?:st|nd|rd|th)?\b{_IN_YEAR}",
    )
]

_SPACE = "[ \u00a0\u2009\u202f]"
_NUMBER = (
    rf"(?<!\d)(?<!\d[.,])(?:\d{{1,3}}(?:(?:,\d{{3}})+|(?:\.\d{{3}})+|(?:['’]\d{{3}})+|(?:{_SPACE}\d{{3}})+)(?!\d)"
    r"(?:[.,]\d+)?|\d+(?:[.,]\d+)?)"
)
_COIN = r"[$€£¥]|\b(?:usd|eur|gbp|chf)\b"
_WORKING = r"(?:(?:working|business|calendar)\s)?"
_TIME = (
    r"minutes?|hours?|days?|weeks?|months?|years?|minuten?|stunden?|(?:werk|arbeits)?tage?n?|wochen?|monate?n?"
    r"|jahre?n?|heures?|jours?|semaines?|mois|ans?|années?|minutos?|horas?|días?|semanas?|mes(?:es)?|años?"
)
_KINDS = {
    "price": rf"(?:{_COIN})\s?({_NUMBER})|({_NUMBER})(?:,[-–—]{{1,2}})?\s?(?:dollars?\b|euros?\b|{_COIN})",
    "percent": rf"({_NUMBER})\s?(?:%|(?:percent|per cent|prozent|pour cent|por ciento)\b)",
    "duration": rf"({_NUMBER})[\s-]{_WORKING}({_TIME})\b",
    "size": rf"({_NUMBER})\s?(kb|mb|gb|tb|kg|g|mm|cm|m|km|kw|w|v)\b",
}
_PATTERNS = [(kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _KINDS.items()]
_THINGS = re.compile(
    rf"(?:(?P<before>[^\W\d_]+)\.?\s)?(?<![\w#§+/:–-])(?P<number>{_NUMBER})\s(?P<noun>[^\W\d_]{{3,}})(?![\w-])"
)
_LABELS = frozenset({
    "article", "chapter", "class", "figure", "gate", "grade", "group", "item", "level", "line", "lot", "model",
    "no", "number", "option", "page", "part", "phase", "plan", "platform", "point", "port", "question",
    "release", "room", "row", "rule", "section", "series", "step", "table", "tier", "type", "unit", "version",
    "zone", "nr", "abs", "art", "artikel", "numéro", "chapitre", "étape", "étage", "niveau", "série", "página",
    "capítulo", "sección", "paso", "nivel", "versión", "número",
})  # fmt: skip
_YEAR = re.compile(r"(?:19|20)\d\d")
_DECIMAL_SIGN = {"en": ".", **dict.fromkeys(("da", "de", "fr", "it", "nl", "pl", "pt", "sv"), ",")}


@dataclass(frozen=True, slots=True)
class Figures:
    """By kind, with the unit or noun where there is one; and the sentence without them."""

    by_kind: dict[str, frozenset[str]]
    rest: str


def figures_in(sentence: str, *, language: str) -> Figures:
    """The figures, all in one form: 49.99, 2026-03-05. A date with its year counts as "date day" as well, which
    is all that one without a year has.
    """
    found: dict[str, set[str]] = defaultdict(set)

    def dated(match: re.Match[str]) -> str:
        parts = match.groupdict()
        month = _MONTHS[parts["name"].casefold()] if "name" in parts else int(parts["month"])
        day = int(parts["day"])
        if not (1 <= month <= 12 and 1 <= day <= 31):
            return match.group()
        if parts["year"]:
            found["date"].add(f"{parts['year']}-{month:02}-{day:02}")
        found["date day"].add(f"{month:02}-{day:02}")
        return " ; "

    def counted(match: re.Match[str]) -> str:
        if not _is_of_things(match, language):
            return match.group()
        noun = _stem(match["noun"], language)
        found[f"{_NUMBER_OF} {noun}"].add(value_of(match["number"], language=""))
        return f"{match['before'] or ''} ; "

    rest = sentence
    for date in _DATES:
        rest = date.sub(dated, rest)
    for kind, pattern in _PATTERNS:
        style = "" if kind == "price" else language
        for match in pattern.finditer(rest):
            number, *unit = [group for group in match.groups() if group]
            name = " ".join([kind, *(_stem(word.casefold().rstrip("s"), language) for word in unit)])
            found[name].add(value_of(number, language=style, price=kind == "price"))
        rest = pattern.sub(" ; ", rest)
    rest = _THINGS.sub(counted, rest)
    return Figures({kind: frozenset(values) for kind, values in found.items()}, rest)


def is_number(kind: str) -> bool:
    """Whether figures of this kind are numbers of things."""
    return kind.startswith(f"{_NUMBER_OF} ")


def value_of(number: str, *, language: str = "", price: bool = False) -> str:
    """A number with "." before its decimals and nothing else: 1299, 49.99.

    Three digits behind its only sign are thousands, unless that sign marks decimals in `language`.
    """
    plain = re.sub(rf"{_SPACE}|['’]", "", number)
    signs = [sign for sign in plain if sign in ".,"]
    whole, fraction = plain, ""
    if signs and (len(set(signs)) == 2 or (len(signs) == 1 and not _is_thousands(plain, signs[0], language))):
        whole, _, fraction = plain.rpartition(signs[-1])
    whole = re.sub(r"[.,]", "", whole).lstrip("0") or "0"
    fraction = fraction.rstrip("0")
    if price and len(fraction) == 1:
        fraction += "0"
    return f"{whole}.{fraction}" if fraction else whole


def _is_thousands(number: str, sign: str, language: str) -> bool:
    whole, _, behind = number.partition(sign)
    is_decimal_sign = sign == _DECIMAL_SIGN.get(language)
    return len(behind) == 3 and 1 <= len(whole) <= 3 and whole.strip("0") != "" and not is_decimal_sign


def _is_of_things(match: re.Match[str], language: str) -> bool:
    """Not a label's number, a year, a house number or a postcode; and before a noun as far as its form tells."""
    before, number, noun = match["before"] or "", match["number"], match["noun"]
    if before[:1].isupper() or before.casefold() in _LABELS or _YEAR.fullmatch(number):
        return False
    if noun[0].isupper() and (language != "de" or (number.isdigit() and len(number) > 4)):
        return False
    return noun.casefold() not in stopwords(language)


def _stem(word: str, language: str) -> str:
    return next((stem for stem, _ in words_of(word, language=language)), word)
