"""How often a stream is looked at: the more answers a process writes at once, the larger the pieces they come in."""

from __future__ import annotations

import math
import time

USUAL_SECONDS = 0.04  # faster than one reads
LONGEST_SECONDS = 0.2  # five pieces a second still read as one flow
UNHURRIED = 10  # so many at once are shown at the usual pace
TICK_SECONDS = 0.02  # all pauses of a process end on these: pieces are read, numbered and sent many together


def pace(answers: int) -> float:
    """Seconds between two pieces of an answer while so many are under way; each piece costs all of them."""
    return min(LONGEST_SECONDS, USUAL_SECONDS * max(1.0, answers / UNHURRIED))


def pause(seconds: float) -> float:
    """Seconds to sleep so that a pause of `seconds` ends together with others; 0.0 where none is left."""
    now = time.monotonic()
    return math.ceil((now + seconds) / TICK_SECONDS) * TICK_SECONDS - now if seconds > 0 else 0.0
