"""Lines of CSV files that people open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(value: str) -> str:
    """The value with a quote ahead if a spreadsheet would run it as a formula (OWASP: CSV injection)."""
    return f"'{value}" if value.startswith(_FORMULA_STARTS) else value


def csv_line(values: Iterable[str]) -> str:
    """One line, whose cells are safe."""
    file = io.StringIO()
    csv.writer(file).writerow(map(safe_cell, values))
    return file.getvalue()
