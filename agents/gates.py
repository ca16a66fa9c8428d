"""Changes of an agent that are tried before they count. Whoever can try one says so when it starts.

Agents cannot ask the chat, which stands above them and owns the test sets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from agents.models import Agent, ChangeGate

GUARDED = frozenset(
    {"instructions", "tone", "language", "model", "evidence_threshold", "unsupported_claims"}
)  # what shapes answers


@dataclass(frozen=True)
class Change:
    """Settings by name that `by` wants `agent` to have, plain JSON values; or the draft of a document, by its id,
    that is to serve.
    """

    agent: Agent
    fields: dict[str, Any]
    by: UUID | None
    draft: UUID | None = None


@dataclass(frozen=True)
class Held:
    """What becomes of a change: the run that tries it, or that it counts at once, and where there are tests the
    sentence why they were not asked.
    """

    run: UUID | None = None
    untested: str = ""


Gate = Callable[[Change], Held]
_gates: list[Gate] = []


def tries_changes(gate: Gate) -> None:
    """Ask `gate` about each change that shapes answers."""
    if gate not in _gates:
        _gates.append(gate)


def held(change: Change) -> Held:
    """Whether the change waits for a run. The first gate with something to say decides."""
    shapes_answers = change.draft is not None or bool(GUARDED & change.fields.keys())
    if change.agent.change_gate == ChangeGate.OFF or not shapes_answers:
        return Held()
    return next((answer for gate in _gates if (answer := gate(change)) != Held()), Held())
