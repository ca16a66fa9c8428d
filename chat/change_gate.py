"""The gate that changes pass: a run of the agent's test set, with the change, before it counts; and what the team
decides about a change that a run held back.
"""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from agents.gates import Change
from agents.models import Agent, ChangeGate
from chat import deeds, tasks, trials, verdicts
from chat.models import Trial


class Decision(StrEnum):
    """What the team may do about a change that was held back."""

    APPLY = "apply"
    DROP = "drop"
    RETRY = "retry"


def try_change(change: Change) -> UUID | None:
    """Begin a run that tries a change of an agent that has a test set."""
    agent = Agent.objects.get(pk=change.agent.pk)
    proposed = change.as_json()
    if not agent.expectations.exists() or not deeds.is_triable(proposed):
        return None
    trial = trials.begin(agent, by=change.by, change=proposed)
    tasks.run_trial.enqueue(trial.pk)
    return trial.pk


def is_of_knowledge(trial: Trial) -> bool:
    """Whether those who edit knowledge decide; settings, and what the gate blocks, are for those who edit agents."""
    return deeds.deed_of(trial.change) is not None and trial.agent.change_gate != ChangeGate.BLOCK


def decide(trial: Trial, decision: Decision) -> Trial:
    """Do it; returns the run to look at. Raises NotAllowed where the gate blocks the change, Invalid where there is
    nothing to decide.
    """
    if decision is Decision.RETRY:
        trial = trials.again(trial)
        tasks.run_trial.enqueue(trial.pk)
    elif decision is Decision.DROP:
        verdicts.drop(trial)
    else:
        verdicts.apply(trial)
        tasks.make_curated_vectors.enqueue(trial.agent_id)
    return trial
