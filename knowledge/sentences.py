"""Sentence boundaries, for chunks that cut no sentence and for answers that quote whole ones."""

from __future__ import annotations

import re

Span = tuple[int, int]

_END = re.compile(
    r"""(?:
        [.!?…؟۔।]+["'”’»)\]]*(?=\s)      # scripts with spaces: the mark, closing quotes, then white space
      | [。！？｡]+["'”’」』）]*            # scripts without
    )""",
    re.VERBOSE,
)
_AROUND = 60  # characters that are read: two words before the mark, one behind it
_ABBREVIATIONS = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "dr",
        "prof",
        "st",
        "sr",
        "jr",
        "vs",
        "etc",
        "e.g",
        "i.e",
        "eg",
        "ie",
        "cf",
        "al",
        "fig",
        "figs",
        "vol",
        "pp",
        "p",
        "ed",
        "eds",
        "approx",
        "inc",
        "ltd",
        "co",
        "corp",
        "dept",
        "est",
        "min",
        "max",
        "jan",
        "feb",
        "mar",
        "apr",
        "jun",
        "jul",
        "aug",
        "sep",
        "sept",
        "oct",
        "nov",
        "dec",
        "bzw",
        "z.b",
        "d.h",
        "u.a",
        "ca",
        "nr",
        "str",
        "usw",
        "evtl",
        "ggf",
        "inkl",
        "zzgl",
        "vgl",
        "art",
        "env",
        "av",
        "bd",
        "sig",
        "dott",
        "ing",
        "sra",
        "srta",
        "dña",
        "núm",
        "pág",
        "т.е",
        "т.д",
        "т.п",
        "др",
        "г",
        "ул",
        "см",
        "рис",
        "стр",
        "тыс",
        "млн",
        "руб",
        "mio",
        "mrd",
        "tsd",
        "std",
        "bzgl",
        "geb",
        "hr",
        "fr",
        "ee",
        "uu",
        "ud",
        "uds",
        "ej",
        "avda",
        "aprox",
        "им",
        "проф",
        "акад",
        "гл",
        "напр",
    ]
)
_BEFORE_NUMBERS = frozenset(
    {"no", "nos", "mind", "abs", "tel", "kap", "тел", "ст", "п"}
)  # elsewhere words of their own
_ACRONYM = re.compile(r"(?:[A-Z]\.)+[A-Z]$")  # U.S.
# German and its neighbours write "the third" as "3.": before a month, or after an article or the like.
_ORDINAL = re.compile(r"\d{1,3}$")
_MONTHS = re.compile(
    r"(?:jan(?:uar)?|jänner|feb(?:ruar)?|märz|april|mai|juni|juli|aug(?:ust)?|sept?(?:ember)?|okt(?:ober)?|nov(?:ember)?"
    r"|dez(?:ember)?)\b",
    re.IGNORECASE,
)
_BEFORE_ORDINALS = frozenset(
    (
        "der",
        "die",
        "das",
        "des",
        "dem",
        "den",
        "vom",
        "im",
        "zum",
        "beim",
        "ab",
        "bis",
        "jede",
        "jeder",
        "jedes",
        "jeden",
    )
)
_INITIAL = re.compile(r"^[(\"'“«]*[^\W\d_]$")


def sentence_spans(text: str) -> list[Span]:
    """Start and end of each sentence, white space between them left out. Line breaks end a sentence as
    well.
    """
    spans: list[Span] = []
    start = 0
    for line in text.splitlines(keepends=True):
        spans.extend(_spans_of_line(line, start))
        start += len(line)
    return spans


def _spans_of_line(line: str, offset: int) -> list[Span]:
    spans: list[Span] = []
    start = 0
    for match in _END.finditer(line):
        if ends_sentence(line, match):
            spans.append((start, match.end()))
            start = match.end()
    spans.append((start, len(line)))
    return [
        (offset + first + len(part) - len(part.lstrip()), offset + first + len(part.rstrip()))
        for first, last in spans
        if (part := line[first:last]).strip()
    ]


def ends_sentence(text: str, match: re.Match[str]) -> bool:
    """Whether the mark that was matched ends a sentence, and not only an abbreviation or a number such as "the 3."."""
    following = text[match.end() : match.end() + _AROUND].lstrip()
    if not match.group().startswith("."):
        return not following[:1].islower()
    if following[:1].islower():
        return False
    before = [
        word.lstrip("(\"'“«[") for word in text[max(0, match.start() - _AROUND) : match.start()].split()
    ]
    if not before or text[match.start() - 1].isspace():
        return True
    word, plain = before[-1], before[-1].lower()
    if _ORDINAL.match(word):
        leads = before[-2].lower() if len(before) > 1 else ""
        return not (_MONTHS.match(following) or leads in _BEFORE_ORDINALS)
    if plain in _BEFORE_NUMBERS:
        return not following[:1].isdigit()
    return not (plain in _ABBREVIATIONS or _INITIAL.match(word) or _ACRONYM.match(word))
