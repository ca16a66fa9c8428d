"""Sizes as people say them."""

from __future__ import annotations

_UNITS = ((1024**3, "GB"), (1024**2, "MB"), (1024, "KB"))


def size_in_words(size: int) -> str:
    """Bytes in the unit that people use: "100 MB", "1.5 GB"."""
    unit, name = next((pair for pair in _UNITS if size >= pair[0]), _UNITS[-1])
    number = size / unit
    return f"{number:,.0f} {name}" if number >= 10 or number.is_integer() else f"{number:.1f} {name}"
