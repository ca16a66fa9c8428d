"""The choice of the model that reads an agent's knowledge."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from agents.models import Agent
from knowledge.forms import LanguagesForm
from knowledge.profiles import is_settled
from knowledge.tasks import settle_profile
from tenants import audit
from tenants.access import MemberRequest, Permission, member_required


@member_required(Permission.EDIT_KNOWLEDGE)
@require_POST
def choose_languages(request: MemberRequest, agent_id: UUID) -> HttpResponse:
    """Say what the agent's knowledge is written in; what it knows is read again where that needs another model."""
    agent = Agent.objects.get_or_404(agent_id)
    before = agent.knowledge_languages
    form = LanguagesForm(request.POST, instance=agent)
    if not form.is_valid():
        messages.error(request, "Choose one of the languages that are offered.")
        return redirect("knowledge:of_agent", agent.pk)
    form.save()
    audit.record(
        "knowledge.languages_changed",
        request=request,
        subject=agent.name,
        before={"languages": before},
        after={"languages": agent.knowledge_languages},
    )
    if is_settled(agent):
        messages.success(request, "Saved.")
    else:
        settle_profile.enqueue(agent.pk)
        messages.success(
            request, "Saved. The sources are read again; until that is done, answers come as before."
        )
    return redirect("knowledge:of_agent", agent.pk)
