"""How much there is of what a plan limits by its number: each app says how to count its own.

Billing cannot ask apps that stand above it. Everything here is called inside a workspace.
"""

from __future__ import annotations

from collections.abc import Callable

from billing.models import UsageKind
from billing.storage import stored_bytes
from tenants.members import members

Counter = Callable[[], int]
_counters: dict[UsageKind, Counter] = {
    UsageKind.STORAGE: stored_bytes,
    UsageKind.SEATS: lambda: members().count(),
}


def measured_by(kind: UsageKind, counter: Counter) -> None:
    """Let `counter` say how much there is of a kind."""
    _counters[kind] = counter


def levels() -> dict[UsageKind, int]:
    """What there is of each kind in the current workspace."""
    return {kind: counter() for kind, counter in _counters.items()}
