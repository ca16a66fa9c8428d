"""Pages about agents."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from agents import audiences
from agents.forms import AgentForm, NewAgentForm
from agents.gate_pages import tested_first
from agents.gates import Change, held
from agents.models import Agent
from agents.providers import plan_for, tier_table
from agents.publishing import opened_preview, preview_ticket, snippet
from agents.readiness import steps_of
from agents.tiers import EXTRACTIVE, choices
from agents.widget import config_of
from billing.limits import Closed, LimitReached, check
from billing.plans import Limit
from billing.subscriptions import standing_of
from netvexa.lib.errors import NotFound
from tenants import audit
from tenants.access import MemberRequest, Permission, member_required
from tenants.context import current_workspace
from tenants.models import Workspace

_AUDITED = list(AgentForm.Meta.fields)
BUILT_IN = "Built-in extractive model"


def name_of_model(model: str) -> str:
    """A model as people read it."""
    return BUILT_IN if model == EXTRACTIVE else model.partition(":")[2] or model


def answering_model(agent: Agent, workspace: Workspace) -> str:
    """The model that answers first for this agent, as people read it."""
    plan = plan_for(standing_of(workspace).plan.tier.value, configured=agent.model or None)
    return name_of_model(str(plan.rungs[0].ref))


def _models_for(workspace: Workspace) -> list[tuple[str, str]]:
    offered = choices(tier_table(), standing_of(workspace).plan.tier.value)
    return [("", "The plan’s own choice"), *((model, name_of_model(model)) for model in offered)]


@member_required(Permission.VIEW)
@require_safe
def agent_list(request: MemberRequest) -> HttpResponse:
    """Every agent of the workspace."""
    agents = Agent.objects.annotate(
        source_count=Count("sources", distinct=True), conversation_count=Count("conversations", distinct=True)
    )
    return render(request, "agents/list.html", {"agents": agents})


def create_agent(request: MemberRequest, form: NewAgentForm) -> Agent | None:
    """Make the agent that `form` describes; None, with an error on the form, where the plan is full."""
    try:
        check(standing_of(request.workspace), Limit.AGENTS, Agent.objects.count())
    except (Closed, LimitReached) as full:
        form.add_error(None, full.detail)
        return None
    agent = form.save()
    audit.record("agent.created", request=request, subject=agent.name, after={"id": str(agent.pk)})
    return agent


@member_required(Permission.EDIT_AGENTS)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: MemberRequest) -> HttpResponse:
    """Make an agent; its knowledge comes next."""
    form = NewAgentForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and (agent := create_agent(request, form)):
        messages.success(request, f"{agent.name} is made. Give it something to know.")
        return redirect("knowledge:of_agent", agent.pk)
    return render(request, "agents/new.html", {"form": form}, status=422 if form.errors else 200)


@member_required(Permission.VIEW)
@require_safe
def show(request: MemberRequest, agent_id: UUID) -> HttpResponse:
    """The agent's first tab that the member may use."""
    Agent.objects.get_or_404(agent_id)
    return redirect("agents:settings", agent_id)


@member_required(Permission.EDIT_AGENTS)
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: MemberRequest, agent_id: UUID) -> HttpResponse:
    """Behaviour and appearance."""
    agent = Agent.objects.get_or_404(agent_id)
    before = audit.changes(agent, _AUDITED)
    models = _models_for(request.workspace)
    form = AgentForm(request.POST or None, request.FILES or None, instance=agent, models=models)
    if request.method == "POST" and form.is_valid():
        if (run := held(_change(request, agent, form))) is not None:
            return tested_first(request, run, deed="agent.changed", subject=before["name"])
        form.save()
        after = audit.changes(agent, _AUDITED)
        changed = [name for name in _AUDITED if before[name] != after[name]]
        audit.record(
            "agent.changed",
            request=request,
            subject=agent.name,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )
        messages.success(request, "Saved. Changes count from the next message.")
        return redirect("agents:settings", agent.pk)
    if form.errors:
        agent.refresh_from_db()  # the page's head shows what holds
    context = {
        "agent": agent,
        "form": form,
        "tab": "settings",
        "model": answering_model(agent, request.workspace),
    }
    return render(request, "agents/settings.html", context, status=422 if form.errors else 200)


def _change(request: MemberRequest, agent: Agent, form: AgentForm) -> Change:
    given = {name: form.cleaned_data[name] for name in form.changed_data if name in _AUDITED}
    fields = {name: value for name, value in given.items() if value != form.initial.get(name)}
    return Change(agent, request.user.pk, fields)


@member_required(Permission.EDIT_AGENTS)
@require_POST
def set_active(request: MemberRequest, agent_id: UUID) -> HttpResponse:
    """Pause the agent, or let it go on."""
    agent = Agent.objects.get_or_404(agent_id)
    agent.is_active = request.POST.get("active") == "1"
    agent.version += 1
    agent.save(update_fields=["is_active", "version", "updated_at"])
    action = "agent.resumed" if agent.is_active else "agent.paused"
    audit.record(action, request=request, subject=agent.name)
    messages.success(request, f"{agent.name} {'answers again' if agent.is_active else 'is paused'}.")
    return redirect("agents:settings", agent.pk)


@member_required(Permission.EDIT_AGENTS)
@require_POST
def delete(request: MemberRequest, agent_id: UUID) -> HttpResponse:
    """Take an agent away, with its sources and conversations, once its name was typed."""
    agent = Agent.objects.get_or_404(agent_id)
    if request.POST.get("confirm", "").strip() != agent.name:
        messages.error(request, "The name did not match, so nothing was deleted.")
        return redirect("agents:settings", agent.pk)
    audit.record("agent.deleted", request=request, subject=agent.name, before={"id": str(agent.pk)})
    agent.delete()
    messages.success(request, f"{agent.name} is deleted.")
    return redirect("agents:list")


@member_required(Permission.VIEW)
@require_safe
def install(request: MemberRequest, agent_id: UUID) -> HttpResponse:
    """The snippet, and how it gets onto a page."""
    agent = Agent.objects.get_or_404(agent_id)
    context = {
        "agent": agent,
        "tab": "install",
        "snippet": snippet(agent, request.workspace),
        "steps": steps_of(agent),
    }
    return render(request, "agents/install.html", context)


@member_required(Permission.VIEW)
@require_safe
def try_it(request: MemberRequest, agent_id: UUID) -> HttpResponse:
    """Ask the agent, as a visitor of one audience if so chosen; such questions are free."""
    agent, audience = Agent.objects.get_or_404(agent_id), audiences.plain(request.GET.get("audience", ""))
    context = {
        "agent": agent,
        "tab": "try",
        "model": answering_model(agent, request.workspace),
        "ticket": preview_ticket(agent, audience=audience),
        "audience": audience,
        "audiences": audiences.in_use(),
    }
    return render(request, "agents/try.html", context)


@require_safe
def preview_config(request: HttpRequest, ticket: str, public_id: str) -> JsonResponse:
    """The widget's configuration for the team's own tries: free, and of a paused agent too.

    The loader asks without cookies, so a signed ticket of the page stands in for the log-in; it opens nothing
    but this. The socket looks at the session itself.
    """
    if (audience := opened_preview(ticket, public_id)) is None:
        raise NotFound("There is no such agent.")
    agent = Agent.objects.filter(public_id=public_id).first()
    if agent is None:
        raise NotFound("There is no such agent.")
    config = config_of(
        agent,
        avatar_url=f"{reverse('widget:avatar', args=[public_id])}?v={agent.version}",
        white_label=standing_of(current_workspace()).plan.white_label,
    )
    asks = urlencode({"preview": "1", **({"audience": audience} if audience else {})})
    response = JsonResponse({**config, "socket": f"{config['socket']}?{asks}"})
    response["Cache-Control"] = "no-store"
    return response


@member_required(Permission.VIEW)
@require_safe
def sample_site(request: MemberRequest, agent_id: UUID) -> HttpResponse:
    """The widget on a made-up shop's page, as it will look on one's own site."""
    agent = Agent.objects.get_or_404(agent_id)
    context = {"agent": agent, "ticket": preview_ticket(agent)}
    return render(request, "agents/sample_site.html", context)
