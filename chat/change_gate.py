"""The gate that changes pass: a run of the agent's test set, with the change, before it counts; and what the team
decides about a change that a run held back.
"""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from agents.gates import REPEATED, Change, Deed, Gate
from agents.models import Agent, ChangeGate
from chat import deeds, tasks, trials, verdicts
from chat.models import Trial
from chat.quality_models import Verdict
from knowledge import proposals
from netvexa.lib.errors import Invalid
from tenants.context import current_workspace


class Decision(StrEnum):
    """What the team may do about a change that was held back."""

    APPLY = "apply"
    DROP = "drop"
    RETRY = "retry"


def try_change(change: Change) -> UUID | None:
    """Begin a run that tries a change of an agent that has a test set."""
    agent = Agent.objects.get(pk=change.agent.pk)
    proposed = change.as_json()
    if change.deed in REPEATED:
        waits = agent.trials.filter(change=proposed, verdict__in=(Verdict.PENDING, Verdict.HELD))
        if (before := waits.first()) is not None:
            return before.pk
    if not agent.expectations.exists() or not deeds.is_triable(proposed):
        return None
    trial = trials.begin(agent, by=change.by, change=proposed)
    tasks.run_trial.enqueue(trial.pk)
    return trial.pk


def keeps_back(agent: Agent, version_id: UUID | None) -> bool:
    """Whether what was read, or is to go, waits for a run: not where there are no tests, or a run let it through."""
    if version_id is None:
        return agent.expectations.exists()
    passed = agent.trials.filter(verdict=Verdict.APPLIED, basis__may_serve__contains=[str(version_id)])
    return agent.expectations.exists() and not passed.exists()


def look(agent_id: UUID) -> None:
    """Begin a run once nothing more comes."""
    job = (str(current_workspace().pk), str(agent_id))
    tasks.try_content.apply_async(job, countdown=proposals.QUIET.total_seconds() + 1)


def deciding(agent_id: UUID) -> UUID | None:
    """The run that decides about the agent's content that waits."""
    waits = Trial.objects.filter(agent=agent_id, verdict__in=(Verdict.PENDING, Verdict.HELD))
    of_content = waits.filter(change__has_key=Deed.CONTENT.value).order_by("-created_at")
    return of_content.values_list("pk", flat=True).first()


GATE = Gate(tries=try_change, keeps_back=keeps_back, look=look, deciding=deciding)


def is_of_knowledge(trial: Trial) -> bool:
    """Whether those who edit knowledge decide; settings, and what the gate blocks, are for those who edit agents."""
    return deeds.deed_of(trial.change) is not None and trial.agent.change_gate != ChangeGate.BLOCK


def decide(trial: Trial, decision: Decision) -> Trial:
    """Do it; returns the run to look at. Raises NotAllowed where the gate blocks the change, Invalid where there is
    nothing to decide, or not any more.
    """
    with verdicts.deciding(trial.agent_id):
        trial = Trial.objects.get_or_404(trial.pk)
        if trial.verdict != Verdict.HELD:
            raise Invalid("No change waits for this run.")
        if decision is Decision.RETRY:
            trial = trials.again(trial)
            tasks.run_trial.enqueue(trial.pk)
        elif decision is Decision.DROP:
            verdicts.drop(trial)
        else:
            verdicts.apply(trial)
            tasks.make_curated_vectors.enqueue(trial.agent_id)
    return trial
