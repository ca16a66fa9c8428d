"""Pages about what agents know: sources with their live state, adding, retrying, deleting."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from agents.models import Agent
from billing import storage
from billing.limits import Closed, LimitReached, check
from billing.plans import Limit
from billing.subscriptions import standing_of
from knowledge import documents
from knowledge.forms import LanguagesForm, SourceForm
from knowledge.models import Chunk, Document, DocumentStatus, Source
from netvexa.lib.errors import AppError
from tenants import audit
from tenants.access import MemberRequest, Permission, member_required
from tenants.addresses import safe_path

_PER_PAGE = 25
_STOP_POLLING = 286  # htmx: swap this answer in and ask no more


def sources(agent: Agent | None = None) -> QuerySet[Source]:
    """Sources, newest first, of one agent or of all."""
    unfinished = Q(documents__status__in=[DocumentStatus.WAITING, DocumentStatus.WORKING])
    rows = Source.objects.select_related("agent").prefetch_related("documents__live")
    rows = rows.annotate(unfinished=Count("documents", filter=unfinished, distinct=True)).order_by(
        "-created_at"
    )
    return rows.filter(agent=agent) if agent else rows


@member_required(Permission.VIEW)
@require_GET
def source_list(request: MemberRequest) -> HttpResponse:
    """Every source of the workspace."""
    page = Paginator(sources(), _PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "knowledge/list.html", {"page": page, "agents": Agent.objects.all()})


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
        standing = standing_of(request.workspace)
        check(standing, Limit.SOURCES, Source.objects.count())
        check(standing, Limit.STORAGE_BYTES, storage.stored_bytes(), adding=form.size)
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
    status = 200 if source.unfinished else _STOP_POLLING  # type: ignore[attr-defined]  # annotated
    return render(request, "knowledge/parts/row.html", {"source": source}, status=status)


@member_required(Permission.VIEW)
@require_GET
def show(request: MemberRequest, source_id: UUID) -> HttpResponse:
    """A source's documents, and the passages that answers come from."""
    source = Source.objects.get_or_404(source_id)
    chunks = Chunk.objects.filter(version__serves__source=source).defer(
        "embedding", "lexical", "words", "search"
    )
    page = Paginator(chunks.order_by("version_id", "ordinal"), _PER_PAGE).get_page(request.GET.get("page"))
    context = {"source": source, "documents": source.documents.select_related("live"), "page": page}
    return render(request, "knowledge/source.html", context)


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
    return _do(request, document, lambda: documents.retry(document), "source.retried")


@member_required(Permission.EDIT_KNOWLEDGE)
@require_POST
def refetch(request: MemberRequest, document_id: UUID) -> HttpResponse:
    """Fetch a web page anew."""
    document = Document.objects.get_or_404(document_id)
    return _do(request, document, lambda: documents.refetch(document), "source.refetched")


def _do(request: MemberRequest, document: Document, act: Callable[[], None], action: str) -> HttpResponse:
    try:
        act()
    except AppError as refused:
        messages.error(request, refused.detail)
    else:
        audit.record(action, request=request, subject=document.title)
    default = f"/knowledge/{document.source_id}/"
    return redirect(safe_path(request.POST.get("next", ""), default=default))


@member_required(Permission.EDIT_KNOWLEDGE)
@require_POST
def delete(request: MemberRequest, source_id: UUID) -> HttpResponse:
    """Take a source away, with everything learnt from it."""
    source = Source.objects.get_or_404(source_id)
    audit.record("source.deleted", request=request, subject=source.title, before={"id": str(source.pk)})
    agent_id = source.agent_id
    documents.delete_source(source)
    messages.success(request, f"“{source.title}” is deleted.")
    following = safe_path(request.POST.get("next", ""), default="")
    return redirect(following or "knowledge:of_agent", *([] if following else [agent_id]))
