"""Pages about what agents know: sources with their live state, adding, retrying, deleting."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Prefetch, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from agents.gate_pages import tested_first
from agents.models import Agent
from billing.limits import Closed, LimitReached
from knowledge import documents, gated, hooks
from knowledge.forms import AudienceForm, LanguagesForm, SourceForm
from knowledge.models import (
    WEB_KINDS,
    Chunk,
    Document,
    DocumentStatus,
    Finding,
    FindingState,
    Source,
    SyncState,
)
from knowledge.room import check_limits
from knowledge.sync import shortest_interval
from netvexa.lib.errors import AppError
from tenants import audit
from tenants.access import MemberRequest, Permission, member_required
from tenants.addresses import safe_path

_PER_PAGE = 25
_DOCUMENTS_SHOWN = 200
HOUR_CHOICES = [
    (1, "Every hour"),
    (6, "Every 6 hours"),
    (24, "Every day"),
    (168, "Every week"),
    (720, "Every 30 days"),
]
_STOP_POLLING = 286  # htmx: swap this answer in and ask no more


def sources(agent: Agent | None = None) -> QuerySet[Source]:
    """Sources, newest first, of one agent or of all."""
    first = Document.objects.select_related("live").order_by("created_at")[:1]
    rows = Source.objects.select_related("agent").prefetch_related(
        Prefetch("documents", first, to_attr="first")
    )
    rows = rows.annotate(
        unfinished=_count(DocumentStatus.WAITING, DocumentStatus.WORKING),
        ready=_count(DocumentStatus.READY),
        failed=_count(DocumentStatus.FAILED),
        held=_count(DocumentStatus.HELD),
        staged=_count(DocumentStatus.STAGED),
        present=Count("documents", filter=~Q(documents__status=DocumentStatus.GONE)),
    ).order_by("-created_at")
    return rows.filter(agent=agent) if agent else rows


def _count(*statuses: DocumentStatus) -> Count:
    return Count("documents", filter=Q(documents__status__in=statuses))


@member_required(Permission.VIEW)
@require_GET
def source_list(request: MemberRequest) -> HttpResponse:
    """Every source of the workspace."""
    page = Paginator(sources(), _PER_PAGE).get_page(request.GET.get("page"))
    open_findings = Finding.objects.filter(state=FindingState.OPEN).count()
    context = {"page": page, "agents": Agent.objects.all(), "open_findings": open_findings}
    return render(request, "knowledge/list.html", context)


@member_required(Permission.VIEW)
@require_GET
def of_agent(request: MemberRequest, agent_id: UUID) -> HttpResponse:
    """What one agent knows."""
    return _agent_page(request, Agent.objects.get_or_404(agent_id), SourceForm())


def _agent_page(request: MemberRequest, agent: Agent, form: SourceForm) -> HttpResponse:
    page = Paginator(sources(agent), _PER_PAGE).get_page(request.GET.get("page"))
    context = {"agent": agent, "tab": "knowledge", "page": page, "form": form}
    context["languages"] = LanguagesForm(instance=agent)
    return render(request, "knowledge/of_agent.html", context, status=422 if form.errors else 200)


def add_source(request: MemberRequest, agent: Agent, form: SourceForm) -> Source | None:
    """Add what `form` holds; None, with an error on the form, when it or the plan refuses."""
    try:
        check_limits(request.workspace, adding=form.size)
    except (Closed, LimitReached) as full:
        form.add_error(None, full.detail)
        return None
    source = form.add_to(agent, by=request.user)
    if source is not None:
        audit.record("source.added", request=request, subject=source.title, after={"kind": source.kind})
    return source


@member_required(Permission.EDIT_KNOWLEDGE)
@require_POST
def add(request: MemberRequest, agent_id: UUID) -> HttpResponse:
    """Add a file, a page or a text."""
    agent = Agent.objects.get_or_404(agent_id)
    form = SourceForm(request.POST, request.FILES)
    following = safe_path(request.POST.get("next", ""), default="")
    if form.is_valid() and add_source(request, agent, form):
        return redirect(following or "knowledge:of_agent", *([] if following else [agent.pk]))
    return _agent_page(request, agent, form)


@member_required(Permission.VIEW)
@require_GET
def row(request: MemberRequest, source_id: UUID) -> HttpResponse:
    """One source's line of the list; it asks for itself every second until the source is read."""
    Source.objects.get_or_404(source_id)
    source = sources().get(pk=source_id)
    busy = source.unfinished or source.sync_state == SyncState.RUNNING  # type: ignore[attr-defined]  # annotated
    status = 200 if busy else _STOP_POLLING
    return render(request, "knowledge/parts/row.html", {"source": source}, status=status)


@member_required(Permission.VIEW)
@require_GET
def show(request: MemberRequest, source_id: UUID) -> HttpResponse:
    """A source's documents, and the passages that answers come from."""
    source = Source.objects.get_or_404(source_id)
    chunks = Chunk.objects.filter(version__serves__source=source).defer(
        "embedding", "lexical", "words", "search"
    )
    page = Paginator(
        chunks.order_by("version_id", "ordinal", "profile").distinct("version_id", "ordinal"), _PER_PAGE
    ).get_page(request.GET.get("page"))
    shown = request.GET.get("show", "")
    rows = source.documents.select_related("live")
    rows = rows.filter(status=shown) if shown in DocumentStatus.values else rows.present()
    context = {
        "source": source,
        "audience_form": AudienceForm(initial={"audience": source.audience}),
        "documents": rows[:_DOCUMENTS_SHOWN],
        "document_count": source.documents.present().count(),
        "shown": shown,
        "page": page,
        **state_of(source),
    }
    return render(request, "knowledge/source.html", context)


def state_of(source: Source) -> dict[str, object]:
    """What the panel about a source's watching shows."""
    counts = dict(source.documents.values_list("status").annotate(number=Count("pk")))
    return {
        "source": source,
        "counts": [
            (DocumentStatus(status), counts[status]) for status in DocumentStatus if counts.get(status)
        ],
        "watched": source.kind in WEB_KINDS,
        "hour_choices": HOUR_CHOICES,
        "hook": hooks.address_of(source),
        "shortest": shortest_interval(),
        "warnings": source.documents.exclude(warning="").count(),
    }


@member_required(Permission.VIEW)
@require_GET
def document_state(request: MemberRequest, document_id: UUID) -> HttpResponse:
    """A document's state on its source's page, likewise asking for itself."""
    document = Document.objects.get_or_404(document_id)
    unfinished = document.status in (DocumentStatus.WAITING, DocumentStatus.WORKING)
    context = {"document": document, "polls": True}
    return render(request, "knowledge/parts/state.html", context, status=200 if unfinished else _STOP_POLLING)


@member_required(Permission.EDIT_KNOWLEDGE)
@require_POST
def retry(request: MemberRequest, document_id: UUID) -> HttpResponse:
    """Read a document that failed once more."""
    document = Document.objects.get_or_404(document_id)
    return do(request, document, lambda: documents.retry(document), "source.retried")


@member_required(Permission.EDIT_KNOWLEDGE)
@require_POST
def refetch(request: MemberRequest, document_id: UUID) -> HttpResponse:
    """Fetch a web page anew."""
    document = Document.objects.get_or_404(document_id)
    return do(request, document, lambda: documents.refetch(document), "source.refetched")


def do(
    request: MemberRequest, document: Document, act: Callable[[], UUID | None], action: str
) -> HttpResponse:
    """Act, and say on the next page what was refused; what was done stands in the audit log. What waits for a test
    leads to its run.
    """
    try:
        run = act()
    except AppError as refused:
        messages.error(request, refused.detail)
    else:
        if run is not None:
            return tested_first(request, run, deed=action, subject=document.title)
        audit.record(action, request=request, subject=document.title)
    default = f"/knowledge/{document.source_id}/"
    return redirect(safe_path(request.POST.get("next", ""), default=default))


@member_required(Permission.EDIT_KNOWLEDGE)
@require_POST
def choose_audience(request: MemberRequest, source_id: UUID) -> HttpResponse:
    """Say whom a source is meant for."""
    source, form = Source.objects.get_or_404(source_id), AudienceForm(request.POST)
    before = source.audience
    if not form.is_valid():
        messages.error(request, str(form.errors["audience"][0]))
        return redirect("knowledge:show", source.pk)
    run = gated.set_audience(source, form.cleaned_data["audience"], by=request.user.pk)
    if run is not None:
        return tested_first(request, run, deed="source.audience", subject=source.title)
    audit.record(
        "source.audience",
        request=request,
        subject=source.title,
        before={"audience": before},
        after={"audience": source.audience},
    )
    meant_for = f"visitors of “{source.audience}” only" if source.audience else "everybody"
    messages.success(request, f"“{source.title}” answers {meant_for}, from the next question on.")
    return redirect("knowledge:show", source.pk)


@member_required(Permission.EDIT_KNOWLEDGE)
@require_POST
def delete(request: MemberRequest, source_id: UUID) -> HttpResponse:
    """Take a source away, with everything learnt from it."""
    source = Source.objects.get_or_404(source_id)
    title, agent_id = source.title, source.agent_id
    if (run := gated.delete_source(source, by=request.user.pk)) is not None:
        return tested_first(request, run, deed="source.deleted", subject=title)
    audit.record("source.deleted", request=request, subject=title, before={"id": str(source_id)})
    messages.success(request, f"“{source.title}” is deleted.")
    following = safe_path(request.POST.get("next", ""), default="")
    return redirect(following or "knowledge:of_agent", *([] if following else [agent_id]))
