"""The gate that agents' changes pass: a run of the test set, with the change, before it counts."""

from __future__ import annotations

from agents.gates import Change, Held
from agents.models import Agent
from chat import tasks, trials
from knowledge import proposals


def try_change(change: Change) -> Held:
    """Begin a run that tries a change of an agent that has a test set."""
    agent = Agent.objects.get(pk=change.agent.pk)
    if not agent.expectations.exists():
        return Held()
    if change.draft is not None and not proposals.is_triable(change.draft):
        return Held(untested=proposals.UNTESTED)
    proposed = {**change.fields, **({trials.DRAFT: str(change.draft)} if change.draft else {})}
    trial = trials.begin(agent, by=change.by, change=proposed)
    tasks.run_trial.enqueue(trial.pk)
    return Held(run=trial.pk)
