"""The first minutes: agent, knowledge, a try, the snippet. What is done is read from what exists."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from agents.forms import NewAgentForm
from agents.models import Agent
from agents.publishing import preview_ticket, snippet
from agents.views import answering_model, create_agent
from chat.models import Channel, Conversation
from knowledge.forms import SourceForm
from knowledge.models import Document, DocumentStatus
from knowledge.views import add_source, sources
from tenants import attempts, audit, mail
from tenants.access import MemberRequest, Permission, member_required
from tenants.forms import EmailForm
from tenants.models import Workspace


@dataclass(frozen=True)
class Step:
    """A step of setting up: what it is, whether it is done, where it is done."""

    name: str
    title: str
    text: str
    done: bool
    address: str


def first_agent() -> Agent | None:
    """The agent that the wizard is about: the oldest."""
    return Agent.objects.first()


def steps_of(workspace: Workspace) -> list[Step]:
    """The steps and which are done, from what exists in the current workspace."""
    seen = set(Conversation.objects.values_list("channel", flat=True).distinct())
    known = Document.objects.filter(status=DocumentStatus.READY).exists()
    given = (
        ("agent", "Name your agent", "A name, a tone and a greeting.", first_agent() is not None),
        ("knowledge", "Give it something to know", "A file, a web page or a text.", known),
        ("try", "Try it", "Ask what your customers ask.", bool(seen)),
        ("install", "Put it on your site", "One line of HTML.", Channel.WIDGET in seen),
    )
    return [Step(name, title, text, done, reverse(f"welcome:{name}")) for name, title, text, done in given]


def _page(
    request: MemberRequest, name: str, context: dict[str, object], *, status: int = 200
) -> HttpResponse:
    steps = steps_of(request.workspace)
    place = [step.name for step in steps].index(name)
    following = steps[place + 1].address if place + 1 < len(steps) else "/"
    before = steps[place - 1].address if place else ""
    whole = {
        "steps": steps,
        "here": name,
        "number": place + 1,
        "following": following,
        "before": before,
        **context,
    }
    return render(request, f"welcome/{name}.html", whole, status=status)


@member_required(Permission.VIEW)
@require_safe
def start(request: MemberRequest) -> HttpResponse:
    """On to the first step that is not done."""
    return redirect(next((step.address for step in steps_of(request.workspace) if not step.done), "/"))


@member_required(Permission.EDIT_AGENTS)
@require_http_methods(["GET", "HEAD", "POST"])
def agent(request: MemberRequest) -> HttpResponse:
    """Name, tone and greeting of the first agent."""
    existing = first_agent()
    initial = None if existing else {"name": f"{request.workspace.name} Assistant"[:60]}
    form = NewAgentForm(request.POST or None, instance=existing, initial=initial)
    if request.method == "POST" and form.is_valid():
        saved = _changed(request, form) if existing else create_agent(request, form)
        if saved:
            return redirect("welcome:knowledge")
    return _page(request, "agent", {"form": form, "agent": existing}, status=422 if form.errors else 200)


def _changed(request: MemberRequest, form: NewAgentForm) -> Agent:
    saved: Agent = form.save()
    after = {name: form.cleaned_data[name] for name in form.changed_data}
    audit.record("agent.changed", request=request, subject=saved.name, after=after)
    return saved


@member_required(Permission.EDIT_KNOWLEDGE)
@require_http_methods(["GET", "HEAD", "POST"])
def knowledge(request: MemberRequest) -> HttpResponse:
    """The first sources, read while one watches."""
    found = first_agent()
    if found is None:
        return redirect("welcome:agent")
    form = SourceForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid() and add_source(request, found, form):
        return redirect("welcome:knowledge")
    context: dict[str, object] = {"form": form, "agent": found, "sources": sources(found)[:20]}
    return _page(request, "knowledge", context, status=422 if form.errors else 200)


@member_required(Permission.VIEW)
@require_safe
def try_it(request: MemberRequest) -> HttpResponse:
    """Ask the agent, beside what it has read."""
    found = first_agent()
    if found is None:
        return redirect("welcome:agent")
    context: dict[str, object] = {
        "agent": found,
        "model": answering_model(found, request.workspace),
        "ticket": preview_ticket(found),
        "sources": sources(found)[:5],
        "any_ready": Document.objects.filter(status=DocumentStatus.READY).exists(),
    }
    return _page(request, "try", context)


@member_required(Permission.VIEW)
@require_safe
def install(request: MemberRequest) -> HttpResponse:
    """The snippet."""
    found = first_agent()
    if found is None:
        return redirect("welcome:agent")
    context: dict[str, object] = {
        "agent": found,
        "snippet": snippet(found, request.workspace),
        "mail_form": EmailForm(),
    }
    return _page(request, "install", context)


@member_required(Permission.VIEW)
@require_POST
def send_to_developer(request: MemberRequest, agent_id: UUID) -> HttpResponse:
    """Mail the snippet to whoever looks after the website."""
    found = Agent.objects.get_or_404(agent_id)
    form = EmailForm(request.POST)
    if not form.is_valid():
        messages.error(request, "That is not an e-mail address.")
        return redirect("agents:install", found.pk)
    to = form.cleaned_data["email"]
    attempts.count(attempts.INVITATIONS_BY_WORKSPACE, request.workspace.key)
    attempts.count(attempts.MAIL_BY_RECEIVER, to)
    code = snippet(found, request.workspace)
    mail.send("developer", to=to, context={"by": request.user, "agent": found, "snippet": code})
    messages.success(request, f"We sent the snippet to {to}.")
    return redirect("agents:install", found.pk)
