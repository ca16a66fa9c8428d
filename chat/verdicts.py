"""What becomes of a change that a run tried: it comes into use, waits for somebody, or is dropped.

Runs inside the workspace.
"""

from __future__ import annotations

import copy

from django.db import transaction

from agents.models import Agent, ChangeGate
from chat import deeds
from chat.deeds import Change
from chat.models import Trial
from chat.quality_models import TrialState, Verdict
from netvexa.lib.errors import NotAllowed
from tenants import audit


def with_change(agent: Agent, change: Change) -> Agent:
    """The agent with the settings as they would be; not saved."""
    changed = copy.copy(agent)
    if deeds.deed_of(change) is None:
        for name, value in change.items():
            setattr(changed, name, value)
    return changed


def may_apply(trial: Trial) -> bool:
    """Whether the team may use the change in spite of what breaks."""
    is_clean = trial.state == TrialState.DONE and not trial.broken
    return trial.verdict == Verdict.HELD and (is_clean or trial.agent.change_gate != ChangeGate.BLOCK)


def apply(trial: Trial) -> None:
    """Put the change into use, or drop it where things changed meanwhile. Raises NotAllowed where it has to wait."""
    if not may_apply(trial):
        raise NotAllowed(
            "This change breaks test questions, and the agent’s settings say that such changes wait."
        )
    deed = deeds.deed_of(trial.change)
    with transaction.atomic():
        done = _set(trial) if deed is None else deeds.do(trial.agent, trial.change, by=trial.created_by)
        if done and deed is not None:
            audit.note(
                "change.applied",
                actor="test run",
                subject=trial.agent.name,
                after={"told": trial.basis["told"]},
            )
        trial.verdict = Verdict.APPLIED if done else Verdict.DROPPED
        trial.save(update_fields=["verdict", "updated_at"])


def _set(trial: Trial) -> bool:
    """Save the settings; False where the agent was changed meanwhile."""
    agent = Agent.objects.select_for_update().get(pk=trial.agent_id)
    if agent.version != trial.basis["agent_version"]:
        return False
    before = {name: getattr(agent, name) for name in trial.change}
    agent = with_change(agent, trial.change)
    agent.version += 1
    agent.save(update_fields=[*trial.change, "version", "updated_at"])
    after = {"before": before, "now": trial.change}
    audit.note("agent.changed", actor="test run", subject=agent.name, after=after)
    return True


def drop(trial: Trial) -> None:
    """Forget the change."""
    if trial.verdict == Verdict.HELD:
        trial.verdict = Verdict.DROPPED
        trial.save(update_fields=["verdict", "updated_at"])
