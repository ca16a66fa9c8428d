"""Lines of a CSV file that a spreadsheet opens without running anything in it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

START = "\ufeff"  # a byte order mark, without which Excel guesses the wrong encoding
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(value: str) -> str:
    """The value with a quote ahead if a spreadsheet would run it as a formula (OWASP: CSV injection)."""
    return f"'{value}" if value.startswith(_FORMULA_STARTS) else value


def line_of(values: Iterable[str]) -> str:
    """One line, every cell safe."""
    file = io.StringIO()
    csv.writer(file).writerow(map(safe_cell, values))
    return file.getvalue()
