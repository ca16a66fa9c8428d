"""What a parsed document is made of; the one shape that parsers produce and the chunker reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class BlockKind(StrEnum):
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list_item"
    TABLE_ROW = "table_row"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of text with its place in the original.

    `level` is 1..6 for a heading and 0 otherwise. `page` counts from 1 (paged formats only), `page_label` is
    the number printed on it where it differs. `anchor` is the id that a link can jump to, or the row of a
    sheet. A heading that stands `alone` opens a passage of its own, however short.
    """

    kind: BlockKind
    text: str
    level: int = 0
    page: int | None = None
    page_label: str = ""
    anchor: str = ""
    alone: bool = False


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """`language` is an ISO 639-1 guess or "" when the text does not tell; `pages` is 0 for unpaged formats.

    `notes` are sentences for the owner of the document: what was left out and why. `hidden` is text that the
    original keeps from its readers: it is no knowledge, but tells what somebody wanted a machine to read.
    `links`, `canonical` and `sheets` (its style sheets) are addresses as the page writes them; `targets` are those to
    which the text that is read leads, without the frame of the page. `left` are pages for which there was no time.
    """

    title: str
    language: str
    blocks: tuple[Block, ...]
    media_type: str
    pages: int = 0
    notes: tuple[str, ...] = field(default=())
    hidden: str = ""
    links: tuple[str, ...] = ()
    canonical: str = ""
    sheets: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    left: tuple[int, ...] = ()

    @property
    def characters(self) -> int:
        return sum(len(block.text) for block in self.blocks)
