"""A process that outlives a killed supervisor for a moment, to end what its children started.

Linux tells the supervisor's children that it died (`netvexa.embedded.tether`), but not their children. This
one reads from a pipe which groups there are (`+123`, `-123`); when the pipe closes, however that came about,
it ends those groups. Run as a plain script with `python -I -S`: it imports next to nothing.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress

GRACE = 12.0  # seconds for the services to finish what they do


def main() -> None:
    os.setsid()  # a Ctrl-C on the terminal is for the supervisor
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    end(groups_from(sys.stdin))


def groups_from(lines: Iterable[str]) -> set[int]:
    """The groups that are left when the pipe closes."""
    groups: set[int] = set()
    for line in lines:
        number = int(line[1:])
        groups.add(number) if line[0] == "+" else groups.discard(number)
    return groups


def end(groups: set[int]) -> None:
    """Ask each group's leader, wait, then end the rest by force."""
    for group in groups:
        with suppress(ProcessLookupError):
            os.kill(group, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while any(map(exists, groups)) and time.monotonic() < deadline:
        time.sleep(0.1)
    for group in groups:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


def exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    main()
