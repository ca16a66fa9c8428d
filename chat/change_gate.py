"""The gate that agents' changes pass: a run of the test set, with the change, before it counts."""

from __future__ import annotations

from uuid import UUID

from agents.gates import Change
from agents.models import Agent
from chat import tasks, trials
from knowledge import proposals


def try_change(change: Change) -> UUID | None:
    """Try a change of an agent that has a test set; the run's id, or None where there is nothing to test."""
    agent = Agent.objects.get(pk=change.agent.pk)
    if not agent.expectations.exists():
        return None
    if change.draft is not None and not proposals.is_triable(change.draft):
        return None
    proposed = {**change.fields, **({trials.DRAFT: str(change.draft)} if change.draft else {})}
    trial = trials.begin(agent, by=change.by, change=proposed)
    tasks.run_trial.enqueue(trial.pk)
    return trial.pk
