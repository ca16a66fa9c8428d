"""The blocks that lines make: headings, paragraphs, list items, rows of tables. Knows nothing of PDF files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from knowledge.blocks import Block, BlockKind
from knowledge.parsing.pdf_lines import Line, Rules, joined
from knowledge.parsing.pdf_tables import Table, tables_in
from knowledge.parsing.text import LIST_MARK, list_items

_DIGITS = re.compile(r"\d+|\b[ivxlc]{1,7}\b", re.IGNORECASE)
_LEADER = re.compile(r"(?:\s?[.·…]){4,}\s*(?:\d+|[ivxlc]+)?$")  # a line of a table of contents
_PAGE_NUMBER = re.compile(r"\s(?:\d{1,4}|[ivxlc]{1,6})$")
_NUMBERING = re.compile(
    r"^(?:(?:[Cc]hapter|[Ss]ection|[Pp]art|[Aa]ppendix|[Aa]nnex)\s+)?"
    r"(?:[A-Z]?\d+(?:\.\d+)*[.:)]?|[A-Z](?:\.\d+)+|[A-Z][.:)]|[IVXLC]+[.:)])\s+"
)
_WORDS = re.compile(r"\w+")
_ENDS_SENTENCE = re.compile(r"[.!?:;][\"')\]»”]*$")

_HEADING_SIZE = 1.12  # times the body's size
_MAX_HEADING = 120
_REPEATED_SHARE = 0.02  # of the pages show a running title, three of them at least
_MAX_RUNNING = 90
_CONTENTS_SHARE = 0.6  # of a page's lines end in a page number
_RISING_SHARE = 0.9  # of these are no less than the one before
_GAP = 1.75  # line heights from baseline to baseline; more, and a new paragraph begins


@dataclass(frozen=True, slots=True)
class Outline:
    """The bookmarks of a page: normalised title to level, 1 the highest."""

    levels: Mapping[int, Mapping[str, int]]

    @property
    def titles(self) -> set[str]:
        return {title for titles in self.levels.values() for title in titles}

    @property
    def depth(self) -> int:
        return max((level for titles in self.levels.values() for level in titles.values()), default=0)

    def level_of(self, line: Line) -> int:
        """0 when no bookmark points at this line. Bookmarks may be a page off, so the neighbours count."""
        title = normalised_title(line.text)
        for page in (line.page, line.page - 1, line.page + 1):
            level = self.levels.get(page, {}).get(title, 0)
            if level and title:
                return level
        return 0


def normalised_title(text: str) -> str:
    bare = _NUMBERING.sub("", f"{text} ") or text
    return " ".join(_WORDS.findall(bare.casefold()))


def blocks_of(
    lines: Sequence[Line], outline: Outline, labels: Sequence[str], rules: Mapping[int, Rules]
) -> Iterator[Block]:
    """Drop running titles and contents pages, then find tables and join lines to paragraphs, list items and headings.
    `rules` are those of each page, by its number from 1.
    """
    kept = list(_without_contents(list(_without_running_titles(lines, outline)), outline))
    body = body_size(kept)
    ranks = _heading_ranks(kept, body)
    items = list_items(line.text for line in kept)
    current: list[Line] = []
    for line in tables_in(kept, rules):
        if isinstance(line, Table):
            yield from _paragraph(current, labels, items)
            current = []
            yield from (_block(BlockKind.TABLE_ROW, text, line.page, labels) for text in line.texts())
            continue
        level = _heading_level(line, outline, body, ranks)
        if level:
            yield from _paragraph(current, labels, items)
            current = []
            yield _block(BlockKind.HEADING, line.text, line.page, labels, level=min(level, 6))
        elif current and _starts_anew(current[-1], line, items):
            yield from _paragraph(current, labels, items)
            current = [line]
        else:
            current.append(line)
    yield from _paragraph(current, labels, items)


def _without_running_titles(lines: Sequence[Line], outline: Outline) -> Iterator[Line]:
    """Leave out what stands in the same words (numbers aside) in the same place of the margin of many
    pages.
    """
    threshold = max(3, int(len({line.page for line in lines}) * _REPEATED_SHARE))
    seen = {key: len(pages) for key, pages in _pages_by_place(lines).items()}
    body = body_size(lines)
    for line in lines:
        repeated = line.in_margin and len(line.text) <= _MAX_RUNNING and seen[_place(line)] >= threshold
        if not repeated or (line.size >= body * _HEADING_SIZE and outline.level_of(line)):
            yield line


def _place(line: Line) -> tuple[str, int]:
    return _DIGITS.sub("#", line.text.casefold()), round(line.bottom / 3)


def _pages_by_place(lines: Iterable[Line]) -> dict[tuple[str, int], set[int]]:
    found: dict[tuple[str, int], set[int]] = {}
    for line in lines:
        found.setdefault(_place(line), set()).add(line.page)
    return found


def _without_contents(lines: Sequence[Line], outline: Outline) -> Iterator[Line]:
    """Leave out tables of contents: they hold every heading's words and answer nothing."""
    titles = outline.titles
    listing = _listing_pages(lines)
    for line in lines:
        entry = _entry(line)
        if _LEADER.search(line.text):
            continue
        if entry and (line.page in listing or normalised_title(line.text[: entry.start()]) in titles):
            continue
        yield line


def _entry(line: Line) -> re.Match[str] | None:
    """The page number at the end of a line; a row with figures in several columns is of another table."""
    figures = [cell for cell in line.cells[1:] if cell.text[-1:].isdigit()]
    return _PAGE_NUMBER.search(line.text) if len(figures) < 2 else None


def _listing_pages(lines: Sequence[Line]) -> set[int]:
    """Pages whose lines mostly end in a number, which never or hardly ever is less than the one before."""
    numbered: dict[int, list[str]] = {}
    for line in lines:
        entry = _entry(line)
        if entry and len(line.text) < _MAX_HEADING:
            numbered.setdefault(line.page, []).append(entry.group().strip())
    total = Counter(line.page for line in lines)
    return {
        page
        for page, found in numbered.items()
        if len(found) >= 8 and len(found) >= _CONTENTS_SHARE * total[page] and _rises(found)
    }


def _rises(numbers: Sequence[str]) -> bool:
    steps = [int(one) <= int(other) for one, other in pairwise(filter(str.isdecimal, numbers))]
    return sum(steps) >= _RISING_SHARE * len(steps)


def body_size(lines: Iterable[Line]) -> float:
    """The size that most characters have."""
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[round(line.size, 1)] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0


def _heading_ranks(lines: Iterable[Line], body: float) -> dict[float, int]:
    """Sizes above the body's, the largest first: level 1, 2, 3."""
    sizes = sorted({round(line.size) for line in lines if _is_large(line, body)}, reverse=True)
    return {size: rank for rank, size in enumerate(sizes, start=1)}


def _is_large(line: Line, body: float) -> bool:
    return line.size >= body * _HEADING_SIZE and len(line.text) <= _MAX_HEADING


def _heading_level(line: Line, outline: Outline, body: float, ranks: Mapping[float, int]) -> int:
    """Bookmarks decide first. What only looks like a heading goes below them."""
    if line.size < body or line.fixed_width or not _WORDS.search(line.text):
        return 0
    bookmarked = outline.level_of(line)
    if bookmarked and (line.bold or line.size > body * 1.02):
        return bookmarked
    if _is_large(line, body):
        return (
            outline.depth + ranks.get(round(line.size), 1)
            if outline.depth
            else ranks.get(round(line.size), 1)
        )
    if not outline.depth and line.bold and len(line.text) <= 80 and not _ENDS_SENTENCE.search(line.text):
        return len(ranks) + 1
    return 0


def _starts_anew(before: Line, line: Line, items: Collection[str]) -> bool:
    if line.fixed_width or before.fixed_width:
        return line.fixed_width != before.fixed_width
    if line.text in items or abs(line.size - before.size) > 0.6:
        return True
    drop = before.bottom - line.bottom
    if line.page != before.page or drop < 0:  # a new page or column: a sentence may run on
        return bool(_ENDS_SENTENCE.search(before.text)) or not line.text[:1].islower()
    return drop > _GAP * max(line.size, before.size) or before.bold != line.bold


def _paragraph(lines: Sequence[Line], labels: Sequence[str], items: Collection[str]) -> Iterator[Block]:
    if not lines:
        return
    if lines[0].fixed_width:
        yield _block(BlockKind.CODE, "\n".join(line.text for line in lines), lines[0].page, labels)
        return
    listed = lines[0].text in items
    text = joined(line.text for line in lines)
    kind = BlockKind.LIST_ITEM if listed else BlockKind.PARAGRAPH
    yield _block(kind, LIST_MARK.sub("", text) if listed else text, lines[0].page, labels)


def _block(kind: BlockKind, text: str, page: int, labels: Sequence[str], *, level: int = 0) -> Block:
    label = labels[page - 1] if page <= len(labels) else ""
    return Block(kind, text, level=level, page=page, page_label=label if label != str(page) else "")
