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
_LAST_WORD = re.compile(r"(\S+)$")
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
        "no",
        "nos",
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
    ]
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
        if _ends_sentence(line, match):
            spans.append((start, match.end()))
            start = match.end()
    spans.append((start, len(line)))
    return [
        (offset + first + len(part) - len(part.lstrip()), offset + first + len(part.rstrip()))
        for first, last in spans
        if (part := line[first:last]).strip()
    ]


def _ends_sentence(line: str, match: re.Match[str]) -> bool:
    following = line[match.end() :].lstrip()[:1]
    if not match.group().startswith("."):
        return not following.islower()
    if following.islower():
        return False
    before = _LAST_WORD.search(line, 0, match.start())
    word = before.group(1).lstrip("(\"'“«[").lower() if before else ""
    return not (word in _ABBREVIATIONS or _INITIAL.match(word))
