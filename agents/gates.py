"""Changes of an agent and of what it knows that are tried before they count. Who can try one says so when it starts.

Agents and knowledge cannot ask the chat, which stands above them and owns the test sets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from agents.models import Agent, ChangeGate

GUARDED = frozenset(
    {"instructions", "tone", "language", "model", "evidence_threshold", "unsupported_claims"}
)  # what shapes answers


class Deed(StrEnum):
    """A change of what an agent knows; beside each, what a `Change` names with it."""

    PUBLISH = "draft"  # the draft's id
    RESTORE = "restore"  # the earlier version's id
    DELETE_SOURCE = "delete_source"  # its id
    DELETE_DOCUMENT = "delete_document"  # its id
    AUDIENCE = "audience"  # the source's id and whom it is to be meant for: a `knowledge.gated.Meant`
    PUSH = "push"  # a sent document that is to serve another audience: a `knowledge.gated.Moved`
    EXACT_ANSWER = "exact_answer"  # a `chat.curated_changes.Wanted`
    DELETE_EXACT_ANSWER = "delete_exact_answer"  # its id
    IMPORT_EXACT_ANSWERS = "import_exact_answers"  # a `chat.curated_changes.Imported`
    CONTENT = "content"  # the ids of versions that were read and wait, and of documents that are to go
    PROFILE = "profile"  # the id of an embedding profile


# Nobody waits for these: a gate that warns lets them through, and tells what they break.
BACKGROUND = frozenset({Deed.CONTENT, Deed.PROFILE})
# Machines ask for these again and again: while a run is undecided, the same change is no other one.
REPEATED = frozenset({Deed.PROFILE, Deed.PUSH})


@dataclass(frozen=True)
class Change:
    """Settings by name that `by` wants `agent` to have, or a deed with what it needs: plain JSON values."""

    agent: Agent
    by: UUID | None
    fields: dict[str, Any] = field(default_factory=dict)
    deed: Deed | None = None
    value: Any = None

    @property
    def shapes_answers(self) -> bool:
        return self.deed is not None or bool(GUARDED & self.fields.keys())

    def as_json(self) -> dict[str, Any]:
        return {self.deed.value: self.value} if self.deed else self.fields


@dataclass(frozen=True)
class Gate:
    """`tries` begins a run. `keeps_back` says whether a version that was read has to wait for one (without a version: a
    document that is to go), which `look` begins for an agent once no more comes. `deciding` is the run of an agent's
    content that is under way or waits for the team.
    """

    tries: Callable[[Change], UUID | None]
    keeps_back: Callable[[Agent, UUID | None], bool]
    look: Callable[[UUID], None]
    deciding: Callable[[UUID], UUID | None]


_gates: list[Gate] = []


def tries_changes(gate: Gate) -> None:
    """Ask `gate` about each change that shapes answers."""
    if gate not in _gates:
        _gates.append(gate)


def held(change: Change) -> UUID | None:
    """The run that the change waits for; None where it counts at once. The first gate with something to say decides."""
    if change.agent.change_gate == ChangeGate.OFF or not change.shapes_answers:
        return None
    return next((run for gate in _gates if (run := gate.tries(change)) is not None), None)


def keeps_back(agent: Agent, version_id: UUID | None = None) -> bool:
    """Whether a version that was read waits for a run before it serves, or a document before it goes."""
    return agent.change_gate != ChangeGate.OFF and any(gate.keeps_back(agent, version_id) for gate in _gates)


def deciding(agent_id: UUID) -> UUID | None:
    """The run that decides about the agent's content that waits; None where it did not begin yet."""
    return next((run for gate in _gates if (run := gate.deciding(agent_id)) is not None), None)


def look(agent_id: UUID) -> None:
    """Some content of the agent waits."""
    for gate in _gates:
        gate.look(agent_id)
