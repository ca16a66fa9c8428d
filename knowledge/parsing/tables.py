"""Table rows as sentences of their own: each cell beside its column's name, so that a row can stand alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def table_rows(rows: Sequence[Sequence[str]], *, has_header: bool) -> Iterator[str]:
    """One text a row: "Plan: Pro | Price: $49". Without a header the cells stand side by side."""
    header = rows[0] if rows and has_header else ()
    for row in rows[1:] if header else rows:
        named = len(header) == len(row)
        cells = [
            f"{header[column]}: {cell}" if named and header[column] else cell
            for column, cell in enumerate(row)
            if cell
        ]
        if cells:
            yield " | ".join(cells)
