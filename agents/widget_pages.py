"""The pages on which a team sets up the widget of an agent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from agents import identity
from agents.appearance import text_keys
from agents.models import Agent
from agents.nudge_forms import NudgesForm
from agents.publishing import preview_ticket
from agents.widget_forms import ContactForm, FeaturesForm, HoursForm, LookForm, TextsForm, WidgetForm
from billing.subscriptions import standing_of
from netvexa.lib.errors import NotFound
from tenants import audit
from tenants.access import MemberRequest, Permission, member_required


@dataclass(frozen=True)
class Group:
    """A page of settings; its fields stand in `agents/widget/<name>.html`."""

    title: str
    text: str
    form: type[WidgetForm] | type[NudgesForm]
    audited: tuple[str, ...]


GROUPS: dict[str, Group] = {
    "look": Group(
        "Look",
        "Colour, corner and what opens the chat.",
        LookForm,
        ("colour", "position", "look", "branding"),
    ),
    "features": Group(
        "What visitors can do",
        "Switches of the chat’s panel.",
        FeaturesForm,
        tuple(FeaturesForm.base_fields),
    ),
    "contact": Group(
        "Contact form", "When visitors are asked who they are.", ContactForm, ("leads_enabled", "lead_form")
    ),
    "hours": Group("Business hours", "When people of your team are there.", HoursForm, ("hours",)),
    "messages": Group(
        "Messages by itself",
        "A line beside the bubble, when the moment is right.",
        NudgesForm,
        ("proactive",),
    ),
    "texts": Group("Texts", "Your words in place of ours.", TextsForm, ("strings",)),
}


@member_required(Permission.EDIT_AGENTS)
@require_safe
def first(request: MemberRequest, agent_id: UUID) -> HttpResponse:
    """The first of the pages."""
    return redirect("agents:widget_group", agent_id, "look")


@member_required(Permission.EDIT_AGENTS)
@require_http_methods(["GET", "HEAD", "POST"])
def group(request: MemberRequest, agent_id: UUID, name: str) -> HttpResponse:
    """One group of settings."""
    chosen = GROUPS.get(name)
    if chosen is None:
        raise NotFound
    agent = Agent.objects.get_or_404(agent_id)
    white_label = standing_of(request.workspace).plan.white_label
    form = chosen.form(request.POST or None, request.FILES or None, agent=agent, white_label=white_label)
    if request.method == "POST" and form.is_valid():
        _save(request, agent, chosen, form)
        messages.success(request, "Saved. Pages show it within five minutes.")
        return redirect("agents:widget_group", agent.pk, name)
    failed = request.method == "POST"
    context = {
        **_frame(agent, name),
        "form": form,
        "group": chosen,
        "failed": failed,
        "fields": f"agents/widget/{name}.html",
        "text_keys": text_keys() if name == "texts" else {},
    }
    return render(request, "agents/widget/group.html", context, status=422 if failed else 200)


def _save(request: MemberRequest, agent: Agent, chosen: Group, form: WidgetForm | NudgesForm) -> None:
    names = list(chosen.audited)
    before = audit.changes(agent, names)
    form.apply(agent)
    agent.version += 1
    agent.save()
    after = audit.changes(agent, names)
    changed = [name for name in names if before[name] != after[name]]
    audit.record(
        "agent.changed",
        request=request,
        subject=agent.name,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )


def _frame(agent: Agent, name: str) -> dict[str, Any]:
    """What all of these pages show around their form."""
    return {
        "agent": agent,
        "tab": "widget",
        "groups": [(key, one.title) for key, one in GROUPS.items()],
        "chosen": name,
        "ticket": preview_ticket(agent),
    }


@never_cache
@member_required(Permission.EDIT_AGENTS)
@require_safe
def identity_page(request: MemberRequest, agent_id: UUID) -> HttpResponse:
    """How a customer's server says who its user is."""
    return _identity(request, Agent.objects.get_or_404(agent_id), secret="")


def _identity(request: MemberRequest, agent: Agent, *, secret: str) -> HttpResponse:
    context = {
        **_frame(agent, "identity"),
        "secret": secret,
        "snippets": identity.SNIPPETS,
        "on_the_page": identity.ON_THE_PAGE,
        "old_holds": identity.old_holds(agent),
    }
    return render(request, "agents/widget/identity.html", context)


@never_cache
@member_required(Permission.EDIT_AGENTS)
@require_POST
def show_secret(request: MemberRequest, agent_id: UUID) -> HttpResponse:
    """The secret, once."""
    agent = Agent.objects.get_or_404(agent_id)
    secret = identity.show_once(agent)
    if not secret:
        messages.error(request, "The secret was shown before. Exchange it for a new one.")
        return redirect("agents:identity", agent.pk)
    agent.refresh_from_db()
    audit.record("agent.secret_shown", request=request, subject=agent.name)
    return _identity(request, agent, secret=secret)


@never_cache
@member_required(Permission.EDIT_AGENTS)
@require_POST
def exchange_secret(request: MemberRequest, agent_id: UUID) -> HttpResponse:
    """A new secret; the old one holds for two more days."""
    agent = Agent.objects.get_or_404(agent_id)
    try:
        secret = identity.exchange(agent)
    except identity.TwoSecrets as refused:
        messages.error(request, refused.detail)
        return redirect("agents:identity", agent.pk)
    audit.record("agent.secret_exchanged", request=request, subject=agent.name)
    return _identity(request, agent, secret=secret)


@member_required(Permission.EDIT_AGENTS)
@require_POST
def end_old_secret(request: MemberRequest, agent_id: UUID) -> HttpResponse:
    """The old secret holds no longer."""
    agent = Agent.objects.get_or_404(agent_id)
    identity.end_old(agent)
    audit.record("agent.old_secret_ended", request=request, subject=agent.name)
    messages.success(request, "Only the new secret counts from now on.")
    return redirect("agents:identity", agent.pk)
