"""How many bytes the current workspace stores: each app that keeps files says so when it starts.

Billing cannot ask apps that stand above it, and the plan's limit is one for all of them.
"""

from __future__ import annotations

from collections.abc import Callable

_counters: list[Callable[[], int]] = []


def counts_to_storage(counter: Callable[[], int]) -> None:
    """Add what `counter` returns, called inside a workspace, to what is stored."""
    if counter not in _counters:
        _counters.append(counter)


def stored_bytes() -> int:
    """What all files of the current workspace take up."""
    return sum(counter() for counter in _counters)
