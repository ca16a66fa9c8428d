"""What processes cost: processor seconds of a process with all its children, dead ones included, and memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Processes:
    """Named roots of process trees."""

    roots: dict[str, int]

    def seconds(self) -> dict[str, float]:
        """Processor seconds so far, user and system together, by name."""
        return {name: sum(map(_seconds, _tree(pid))) for name, pid in self.roots.items()}

    def kilobytes(self, name: str) -> float:
        """Resident memory of one root alone."""
        return float(psutil.Process(self.roots[name]).memory_info().rss) / 1024


def _tree(pid: int) -> Iterable[psutil.Process]:
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:  # it ended between the listing and now: its parent has its time
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


def since(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """Milliseconds between two readings, by name."""
    return {name: (after[name] - before[name]) * 1000 for name in before}
