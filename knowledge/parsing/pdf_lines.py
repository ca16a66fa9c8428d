"""Lines of text with their place and size on the page, and the lines that are drawn between them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_LINE_HYPHEN = re.compile(r"[\u00ad\u0002\ufffe-]$")
_MARGIN = 1 / 12


@dataclass(frozen=True, slots=True)
class Cell:
    """Words of a line with wide gaps beside them, and from where to where they reach."""

    text: str
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class Line:
    """`size` is the font's in points; `left` and `bottom` are where its baseline starts, from the lower left.

    `cells` are two or more where the line has wide gaps, and none where it is one piece.
    """

    text: str
    page: int
    size: float
    bold: bool
    fixed_width: bool
    left: float
    bottom: float
    height: float
    right: float = 0.0
    cells: tuple[Cell, ...] = ()

    @property
    def in_margin(self) -> bool:
        """Whether it stands where running titles and page numbers do: in the top or bottom twelfth."""
        return not _MARGIN <= self.bottom / max(self.height, 1.0) <= 1 - _MARGIN

    @property
    def parts(self) -> tuple[Cell, ...]:
        return self.cells or (Cell(self.text, self.left, self.right),)


@dataclass(frozen=True, slots=True)
class Rule:
    """A drawn line, or the edge of a drawn box: upright or level `at`, and from where to where it reaches."""

    upright: bool
    at: float
    start: float
    end: float


Rules = Sequence[Rule]


def joined(lines: Iterable[str]) -> str:
    """One text of several lines; a word that was divided at the end of a line is whole again."""
    text = ""
    for line in lines:
        if _LINE_HYPHEN.search(text) and len(text) > 2 and text[-2].isalpha() and line[:1].islower():
            text = text[:-1] + line
        else:
            text = f"{text} {line}" if text else line
    return text
