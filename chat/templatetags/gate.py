"""What pages about knowledge tell of the gate."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import template

from chat import verdicts
from chat.models import Trial
from chat.quality_models import TrialState, Verdict

register = template.Library()


@register.inclusion_tag("improve/parts/gate.html")
def gate_notice(agent_id: UUID) -> dict[str, Any]:
    """The newest run of what came in the background, while there is something to say: it goes on, something waits, or
    what is in use broke answers and no run since then was without fault.
    """
    runs = Trial.objects.filter(agent=agent_id).order_by("-created_at").defer("results")
    row = next((run for run in runs if verdicts.is_of_background(run)), None)
    if row is None or row.verdict == Verdict.DROPPED:
        return {}
    if row.verdict == Verdict.APPLIED:
        later = [run for run in runs if run.created_at > row.created_at and run.is_of_what_holds]
        mended = any(run.passed == run.total for run in later)
        if mended or not (row.broken or row.state == TrialState.FAILED):
            return {}
    return {"trial": row}
