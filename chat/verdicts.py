"""What becomes of a change that a run tried: it comes into use, waits for somebody, or is dropped.

Runs inside the workspace.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from agents.gates import BACKGROUND
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


@contextmanager
def deciding(agent_id: UUID) -> Iterator[Agent | None]:
    """Meanwhile nobody else decides about a change of the agent, or begins a run of what waits. None where the agent
    is gone.
    """
    with transaction.atomic():
        yield Agent.objects.select_for_update(no_key=True).filter(pk=agent_id).first()


def of_background(trials: QuerySet[Trial]) -> QuerySet[Trial]:
    """Those of what nobody waits for, such as new content of a website."""
    return trials.filter(change__has_any_keys=sorted(BACKGROUND))


def is_of_background(trial: Trial) -> bool:
    """Whether nobody waits for it, such as new content of a website."""
    return deeds.deed_of(trial.change) in BACKGROUND


def goes_on(trial: Trial) -> bool:
    """Whether the change comes into use whatever its run says."""
    return is_of_background(trial) and trial.agent.change_gate != ChangeGate.BLOCK


def may_apply(trial: Trial) -> bool:
    """Whether the team may use the change in spite of what breaks. What came in the background and was kept back
    would otherwise stand in the way of all that comes after it.
    """
    is_clean = trial.state == TrialState.DONE and not trial.broken
    may = is_clean or is_of_background(trial) or trial.agent.change_gate != ChangeGate.BLOCK
    return trial.verdict == Verdict.HELD and may


def apply(trial: Trial) -> None:
    """Put the change into use, or drop it where things changed meanwhile. Raises NotAllowed where it has to wait.

    While `deciding`, as are `drop` and `close`.
    """
    if not may_apply(trial):
        raise NotAllowed(
            "This change breaks test questions, and the agent’s settings say that such changes wait."
        )
    deed = deeds.deed_of(trial.change)
    done = _set(trial) if deed is None else _do(trial)
    if done and deed is not None:
        audit.note(
            "change.applied",
            actor="test run",
            subject=trial.agent.name,
            after={"told": trial.basis["told"]},
        )
    trial.verdict = Verdict.APPLIED if done else Verdict.DROPPED
    trial.save(update_fields=["verdict", "basis", "updated_at"])


def _do(trial: Trial) -> bool:
    """Keep in mind which versions may serve, since their reading ends later; False where it could not be done."""
    may_serve = deeds.do(trial.agent, trial.change, by=trial.created_by)
    trial.basis["may_serve"] = may_serve or []
    return may_serve is not None


def _set(trial: Trial) -> bool:
    """Save the settings; False where the agent was changed meanwhile."""
    agent = Agent.objects.get(pk=trial.agent_id)
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
    """Forget the change; content that waited becomes a draft."""
    deeds.drop(trial.agent, trial.change)
    close(trial)


def close(trial: Trial) -> None:
    """Another run decides about the change."""
    trial.verdict = Verdict.DROPPED
    trial.save(update_fields=["verdict", "updated_at"])
