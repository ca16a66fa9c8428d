"""Pages about what visitors ask in vain."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from agents.models import Agent
from chat import gaps
from chat.models import Gap
from chat.quality_models import GapState
from netvexa.lib.errors import Invalid
from tenants import audit
from tenants.access import MemberRequest, Permission, member_required

_PER_PAGE = 30
_SHOWN = 20  # conversations of one gap
_DONE = {
    GapState.HANDLED: "Marked as handled. It comes back if visitors ask it in vain again.",
    GapState.DISMISSED: "Dismissed. It does not come back.",
    GapState.OPEN: "It is open again.",
}


@member_required(Permission.VIEW)
@require_safe
def gap_list(request: MemberRequest, agent_id: UUID) -> HttpResponse:
    """What was asked in vain, what was asked most first."""
    agent = Agent.objects.get_or_404(agent_id)
    gaps.gather(agent.pk, limit=gaps.AT_ONCE)
    state = GapState(request.GET["state"]) if request.GET.get("state") in GapState.values else GapState.OPEN
    page = Paginator(gaps.open_gaps(agent, state=state), _PER_PAGE).get_page(request.GET.get("page"))
    askings = gaps.askings_of(page.object_list)
    rows = [(gap, gaps.wordings_of(askings[gap.pk])) for gap in page.object_list if askings[gap.pk]]
    context = {**_head(agent), "page": page, "rows": rows, "state": state.value, "states": GapState.choices}
    return render(request, "improve/gaps.html", context)


def _head(agent: Agent) -> dict[str, Any]:
    return {"agent": agent, "tab": "improve", "part": "gaps"}


@member_required(Permission.VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def gap(request: MemberRequest, gap_id: UUID) -> HttpResponse:
    """One gap: how it was asked, where, and what could close it."""
    row = Gap.objects.get_or_404(gap_id)
    if request.method == "POST":
        return _settle(request, gap_id)
    context = {
        **_head(row.agent),
        "gap": row,
        "askings": gaps.askings_of([row])[row.pk][:_SHOWN],
        "suggestion": gaps.suggestion_for(row),
    }
    return render(request, "improve/gap.html", context)


@member_required(Permission.EDIT_KNOWLEDGE)
def _settle(request: MemberRequest, gap_id: UUID) -> HttpResponse:
    row, wanted = Gap.objects.get_or_404(gap_id), request.POST.get("state", "")
    if wanted not in GapState.values:
        raise Invalid("Choose what to do with this question.")
    state = GapState(wanted)
    gaps.settle(row, state, by=request.user.pk)
    audit.record(f"gap.{state.value}", request=request, subject=row.agent.name, after={"id": str(row.pk)})
    messages.success(request, _DONE[state])
    return redirect("improve:gaps", row.agent_id)
