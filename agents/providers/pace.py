"""How often a stream is looked at: the more answers a process writes at once, the larger the pieces they come in."""

from __future__ import annotations

USUAL_SECONDS = 0.04  # faster than one reads
LONGEST_SECONDS = 0.2  # five pieces a second still read as one flow
UNHURRIED = 10  # so many at once are shown at the usual pace


def pace(answers: int) -> float:
    """Seconds between two pieces of an answer while so many are under way; each piece costs all of them."""
    return min(LONGEST_SECONDS, USUAL_SECONDS * max(1.0, answers / UNHURRIED))
