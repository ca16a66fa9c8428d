"""What pages about knowledge tell of the gate."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import template
from django.db.models import F, QuerySet

from agents.models import Agent
from chat import verdicts
from chat.models import Trial
from chat.quality_models import TrialState, Verdict
from knowledge import proposals

register = template.Library()


@register.inclusion_tag("improve/parts/gate.html")
def gate_notice(agent_id: UUID) -> dict[str, Any]:
    """What there is to say of an agent's newest run of what came in the background: it goes on, something waits, or
    what is in use broke answers and no run since then was without fault. Or that something waits for its run.
    """
    return _told(Trial.objects.filter(agent=agent_id), proposals.agents_with_waiting().filter(pk=agent_id))


@register.inclusion_tag("improve/parts/gate.html")
def gate_notices() -> dict[str, Any]:
    """Likewise of all agents, which are named."""
    return {**_told(Trial.objects.all(), proposals.agents_with_waiting()), "names_agents": True}


def _told(runs: QuerySet[Trial], waiting: QuerySet[Agent]) -> dict[str, Any]:
    newest = verdicts.of_background(runs).order_by("agent_id", "-created_at").distinct("agent_id")
    told = [run for run in newest.select_related("agent").defer("results") if _is_news(run)]
    going = {run.agent_id for run in told if run.verdict in (Verdict.PENDING, Verdict.HELD)}
    return {"trials": told, "waiting": [agent for agent in waiting if agent.pk not in going]}


def _is_news(run: Trial) -> bool:
    if run.verdict != Verdict.APPLIED:
        return run.verdict != Verdict.DROPPED
    if not (run.broken or run.state == TrialState.FAILED):
        return False
    later = Trial.objects.filter(agent=run.agent_id, created_at__gt=run.created_at, state=TrialState.DONE)
    return not later.filter(verdict__in=(Verdict.NONE, Verdict.APPLIED), passed=F("total")).exists()
