"""The reading of a document's pictures of text, page by page, so that what was read outlasts who read it."""

from __future__ import annotations

from dataclasses import dataclass, field

TRIES = 2  # of a page: what else the machine does may have stopped its reader
MOST_LOST = 5  # pages that could not be read; with so many, one more that stops its reader ends the reading


@dataclass
class Scan:
    """`known` holds what was read of a page as `ocr_pages` writes it, None where it cannot be read.

    This one remembers as long as it lives; `knowledge.scans` keeps it longer.
    """

    known: dict[int, str | None] = field(default_factory=dict)
    _under_way: int = 0
    _stops: int = 0

    def begins(self, page: int, *, of: int) -> None:
        self._under_way = page

    def ends(self, page: int, read: str | None) -> None:
        self.known[page] = read
        self._under_way = self._stops = 0

    def goes_on_without(self) -> bool:
        """Its reader was stopped, by a limit or by a crash. Whether another shall go on: with the page that was under
        way once more, and then without it.
        """
        page, self._under_way = self._under_way, 0
        if not page:
            return False
        self._stops += 1
        if self._stops >= TRIES:
            if list(self.known.values()).count(None) >= MOST_LOST:
                return False
            self.ends(page, None)
        return True
