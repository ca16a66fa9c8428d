"""Pages that are pictures, read as lines with their place, as far as there is time.

Both scanned pages of a PDF and pictures that were uploaded come here. It says for the owner what was read from a
picture, how sure that is, which pages to look at, and which were not read. What a page gave is told at once, as JSON,
so that whoever reads the document again does not read that page again.
"""

from __future__ import annotations

import io
import json
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field

import numpy as np

from knowledge.parsing import ocr
from knowledge.parsing.errors import DocumentTooLarge, MislabelledDocument, NothingToRead
from knowledge.parsing.limits import Limits
from knowledge.parsing.pdf_lines import Cell, Line
from knowledge.parsing.pdf_text import GAP
from knowledge.parsing.scan import Scan

BODY = 10.0  # points of the usual letters where there is no text to compare with
LETTERS = 0.87  # of a box's height is the size of its letters
DOUBTFUL = 0.85  # confidence of a page below which a person should look at it
MOST_PIXELS = 40_000_000  # of an uploaded picture
NAMED = 8  # pages that a sentence names
SAME_SIZE = 1.3  # letters of lines that differ by less count as one size
NO_READER = "Text in pictures is not read on this installation: the package rapidocr is missing."


@dataclass
class Reader:
    """Reads pictures until its time is up. `read` holds pages and their confidence, `left` those for which there was
    no time, `lost` those that cannot be read.
    """

    limits: Limits
    scan: Scan = field(default_factory=Scan)
    body: float = BODY  # points that letters of the usual size count as
    read: dict[int, float] = field(default_factory=dict)
    left: list[int] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)

    @property
    def has_time(self) -> bool:
        return ocr.is_available() and time.monotonic() - self._began < self.limits.ocr_seconds

    def lines(self, draw: Callable[[], ocr.Picture], *, page: int, of: int = 1) -> list[Line]:
        """The lines of a page that is a picture; none where there is no text in it."""
        if page not in self.scan.known:
            if not self.has_time:
                self.left.append(page)
                return []
            self.scan.begins(page, of=of)
            self.scan.ends(page, _written(draw))
        found = self.scan.known[page]
        if found is None:
            self.lost.append(page)
            return []
        seen = _as_written(found)
        if not seen.rows:
            return []
        letters = sum(len(row.text) for row in seen.rows)
        self.read[page] = sum(row.confidence * len(row.text) for row in seen.rows) / letters
        return self._lined(seen, page=page)

    def _lined(self, seen: ocr.Page, *, page: int) -> list[Line]:
        """Measured in letters: the picture's own scale does not matter then. A box is as high as its letters happen to
        be, so that what is about the usual size is the usual size.
        """
        usual = statistics.median(row.bottom - row.top for row in seen.rows)
        scale = self.body / (usual * LETTERS)
        lines = []
        for row in seen.rows:
            ratio = (row.bottom - row.top) / usual
            lines.append(
                Line(
                    text=row.text,
                    page=page,
                    size=round(self.body * (1 if 1 / SAME_SIZE < ratio < SAME_SIZE else ratio), 1),
                    bold=False,
                    fixed_width=False,
                    left=row.cells[0].left * scale,
                    bottom=(seen.height - row.bottom) * scale,
                    height=seen.height * scale,
                    right=row.cells[-1].right * scale,
                    cells=_cells(row, scale=scale, gap=GAP * self.body),
                )
            )
        return lines

    def notes(self, pages: int) -> Iterator[str]:
        """Sentences for the owner."""
        if self.read:
            sure = round(100 * sum(self.read.values()) / len(self.read))
            yield f"{_of(len(self.read), pages)} read from a picture (OCR), {sure} % sure."
        doubtful = sorted(page for page, confidence in self.read.items() if confidence < DOUBTFUL)
        if doubtful:
            yield f"Hard to read, please check: {named(doubtful)}."
        if self.lost:
            yield (
                f"Could not be read, because of damage, or of too much memory or more than"
                f" {self.limits.page_seconds} s for one page: {named(self.lost)}. Scan them again."
            )
        if self.left and ocr.is_available():
            yield (
                f"Not read, because one reading takes at most {self.limits.ocr_seconds} s for pictures of text:"
                f" {named(self.left)}. Split the file to have them read."
            )
        elif self.left:
            yield f"{NO_READER} Left out: {named(self.left)}."


def _cells(row: ocr.Row, *, scale: float, gap: float) -> tuple[Cell, ...]:
    """The pieces with wide gaps between them, as a line of real text has them; none where there is no such gap."""
    cells: list[Cell] = []
    for piece in row.cells:
        cell = Cell(piece.text, piece.left * scale, piece.right * scale)
        if cells and cell.left - cells[-1].right < gap:
            before = cells.pop()
            cell = Cell(f"{before.text} {cell.text}", before.left, cell.right)
        cells.append(cell)
    return tuple(cells) if len(cells) > 1 else ()


def _written(draw: Callable[[], ocr.Picture]) -> str | None:
    """What a page gave, None where it cannot be drawn or read: whatever a library raised, the other pages are read."""
    try:
        return json.dumps(asdict(ocr.read(draw())))
    except MemoryError:
        raise
    except Exception:
        return None


def _as_written(text: str) -> ocr.Page:
    page = json.loads(text)
    rows = (ocr.Row(**row | {"cells": tuple(Cell(**cell) for cell in row["cells"])}) for row in page["rows"])
    return ocr.Page(tuple(rows), page["height"])


def _of(count: int, pages: int) -> str:
    return f"{count} of {pages} pages {'was' if count == 1 else 'were'}" if pages > 1 else "This page was"


def named(pages: list[int]) -> str:
    shown = ", ".join(map(str, pages[:NAMED]))
    more = len(pages) - NAMED
    return f"page{'s' if len(pages) > 1 else ''} {shown}{f' and {more} more' if more > 0 else ''}"


def picture_of(data: bytes) -> ocr.Picture:
    """An uploaded picture, the right way up. Raises DocumentTooLarge, MislabelledDocument."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None  # the size is looked at before anything is unpacked
    try:
        image = Image.open(io.BytesIO(data), formats=("PNG", "JPEG"))
        if image.width * image.height > MOST_PIXELS:
            raise DocumentTooLarge(
                f"This picture has more than {MOST_PIXELS // 1_000_000} million pixels. Make it smaller."
            )
        upright = ImageOps.exif_transpose(image).convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        raise MislabelledDocument("This picture is damaged or is none.") from None
    paper = Image.new("RGB", upright.size, "white")
    paper.paste(upright, mask=upright.getchannel("A"))
    return np.asarray(paper)[:, :, ::-1].copy()


def check_reader() -> None:
    """Raises NothingToRead where pictures cannot be read here."""
    if not ocr.is_available():
        raise NothingToRead(NO_READER)
