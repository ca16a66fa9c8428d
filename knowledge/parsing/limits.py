"""How much one document may hold, and what its parser may use up."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1024 * 1024
MAX_HIDDEN = 5000  # characters that are kept of what a document hides


@dataclass(frozen=True, slots=True)
class Limits:
    """`memory` is the address space of the parser's process in bytes, `seconds` its wall and processor
    time. Pages that are pictures of text are begun for `ocr_seconds`, each may take `page_seconds` of the processor.
    """

    pages: int = 5000
    characters: int = 20_000_000
    memory: int = 1536 * MEGABYTE
    seconds: int = 240
    ocr_seconds: float = 120
    page_seconds: int = 60
