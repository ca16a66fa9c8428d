"""A parsed document to chunks: passages small enough for the embedding model, cut where the author cut.

A chunk stays inside one section and keeps the path of headings above it. Sentences are never cut, except one
that alone is longer than a chunk. Parts of a section have even sizes, so that no chunk is a leftover line;
sections of a line or two are joined with the next one under the same heading.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from knowledge.blocks import Block, BlockKind, ParsedDocument
from knowledge.sentences import sentence_spans

MAX_TOKENS = 200  # of text; with the headings above it and special tokens it stays within MiniLM's 256
MIN_TOKENS = 25  # a section below this is joined with the next
MAX_HEADING_TOKENS = 40
MAX_HEADING = 200  # characters of one heading kept in the path

TokenCounter = Callable[[Sequence[str]], list[int]]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A span of the chunk's text and the page it stands on."""

    start: int
    end: int
    page: int | None = None


@dataclass(frozen=True, slots=True)
class ChunkDraft:
    """`heading_path` runs from the document's title down. `tokens` counts the text without the headings.

    `page` and `page_label` are where the chunk begins, `anchor` the id to jump to.
    """

    heading_path: tuple[str, ...]
    text: str
    sentences: tuple[Sentence, ...]
    tokens: int
    page: int | None = None
    page_label: str = ""
    anchor: str = ""


@dataclass(slots=True)
class _Piece:
    """A sentence, or a part of one that is too long, with what its block says about its place.

    `opens` is true for the first piece of a block. `heading` marks the title of a joined section: it is shown
    but is no sentence that could answer anything.
    """

    text: str
    block: Block
    opens: bool
    tokens: int = 0
    heading: bool = False


@dataclass(slots=True)
class _Section:
    path: tuple[str, ...]
    pieces: list[_Piece] = field(default_factory=list)
    alone: bool = False  # never joined with its neighbours

    @property
    def tokens(self) -> int:
        return sum(piece.tokens for piece in self.pieces)


def chunk(
    document: ParsedDocument, *, count_tokens: TokenCounter, max_tokens: int = MAX_TOKENS
) -> list[ChunkDraft]:
    sections = list(_sections(document))
    pieces = [piece for section in sections for piece in section.pieces]
    for piece, tokens in zip(pieces, count_tokens([piece.text for piece in pieces]), strict=True):
        piece.tokens = tokens
    for section in sections:
        section.pieces = list(_within(section.pieces, max_tokens, count_tokens))
    return [
        _draft(section.path, part)
        for section in _joined(sections)
        for part in _parts(section.pieces, max_tokens)
    ]


def _sections(document: ParsedDocument) -> Iterator[_Section]:
    """Runs of blocks under the same headings."""
    title = document.title.strip()[:MAX_HEADING]
    root = (title,) if title else ()
    above: list[tuple[int, str]] = []
    section = _Section(root)
    for block in document.blocks:
        if block.kind is BlockKind.HEADING:
            if section.pieces:
                yield section
            above = [(level, text) for level, text in above if level < block.level]
            above.append((block.level, block.text[:MAX_HEADING]))
            section = _Section(_path(root, above), alone=block.alone)
        else:
            section.pieces.extend(_pieces(block))
    if section.pieces:
        yield section


def _path(root: tuple[str, ...], above: Iterable[tuple[int, str]]) -> tuple[str, ...]:
    """The title is not said twice when the first heading repeats it."""
    headings = tuple(text for _, text in above)
    return headings if root and headings and headings[0].casefold() == root[0].casefold() else root + headings


def _pieces(block: Block) -> Iterator[_Piece]:
    if block.kind is BlockKind.CODE:
        yield from (
            _Piece(line, block, opens=index == 0) for index, line in enumerate(block.text.split("\n")) if line
        )
        return
    for index, (start, end) in enumerate(sentence_spans(block.text)):
        yield _Piece(block.text[start:end], block, opens=index == 0)


def _within(pieces: Iterable[_Piece], limit: int, count_tokens: TokenCounter) -> Iterator[_Piece]:
    """Cut what is too long by itself: first at spaces, and where there are none, anywhere."""
    for piece in pieces:
        if piece.tokens <= limit:
            yield piece
            continue
        share = max(20, len(piece.text) * limit // (piece.tokens * 5 // 4))
        for index, text in enumerate(_cut(piece.text, share)):
            yield _Piece(text, piece.block, opens=piece.opens and index == 0, tokens=count_tokens([text])[0])


def _cut(text: str, share: int) -> Iterator[str]:
    while len(text) > share:
        at = text.rfind(" ", share // 2, share)
        at = at if at > 0 else share
        yield text[:at].strip()
        text = text[at:].strip()
    if text:
        yield text


def _joined(sections: Sequence[_Section]) -> Iterator[_Section]:
    """Put a very short section in front of the next one that stands under the same parent."""
    waiting: _Section | None = None
    for section in sections:
        current = section
        if waiting is not None:
            if not section.alone and _same_parent(waiting.path, section.path):
                current = _join(waiting, section)
            else:
                yield waiting
        waiting = current if current.tokens < MIN_TOKENS and not current.alone else None
        if waiting is None:
            yield current
    if waiting is not None:
        yield waiting


def _same_parent(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    """Siblings, or a section and its own first subsection."""
    shared = len(_common(first, second))
    return shared >= 1 and (shared == len(first) or shared == len(first) - 1)


def _join(first: _Section, second: _Section) -> _Section:
    """The path is what both share; the headings below it become lines of the text."""
    path = _common(first.path, second.path)
    pieces: list[_Piece] = []
    for section in (first, second):
        below = section.path[len(path) :]
        if below:
            heading = Block(BlockKind.HEADING, " – ".join(below), page=section.pieces[0].block.page)
            pieces.append(
                _Piece(heading.text, heading, opens=True, tokens=len(heading.text) // 4 + 1, heading=True)
            )
        pieces.extend(section.pieces)
    return _Section(path, pieces)


def _common(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    length = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        length += 1
    return first[:length]


def _parts(pieces: Sequence[_Piece], limit: int) -> Iterator[list[_Piece]]:
    """Even parts: as few as fit, each near the average of what is left, begun with a block where that is
    close.
    """
    left = sum(piece.tokens for piece in pieces)
    part: list[_Piece] = []
    size = 0
    target = _share(left, limit)
    for piece in pieces:
        over = size + piece.tokens > target if piece.opens else size + piece.tokens / 2 > target
        if part and (size + piece.tokens > limit or (over and size >= 0.85 * target)):
            yield part
            left -= size
            part, size, target = [], 0, _share(left, limit)
        part.append(piece)
        size += piece.tokens
    if part:
        yield part


def _share(left: int, limit: int) -> float:
    return left / max(1, math.ceil(left / limit))


def _draft(path: tuple[str, ...], pieces: Sequence[_Piece]) -> ChunkDraft:
    text = ""
    sentences: list[Sentence] = []
    for piece in pieces:
        if text:
            text += "\n" if piece.opens or piece.block.kind is BlockKind.CODE else " "
        start = len(text)
        text += piece.text
        if not piece.heading:
            sentences.append(Sentence(start, len(text), piece.block.page))
    first = pieces[0].block
    return ChunkDraft(
        heading_path=path,
        text=text,
        sentences=tuple(sentences),
        tokens=sum(piece.tokens for piece in pieces),
        page=first.page,
        page_label=first.page_label,
        anchor=next((piece.block.anchor for piece in pieces if piece.block.anchor), ""),
    )
