"""Pages about watching the web: preview, sync, how often, and the secret address that starts one."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from knowledge import documents, hooks
from knowledge.forms import SourceForm
from knowledge.models import Source, SourceKind, SyncState
from knowledge.preview import preview
from knowledge.views import state_of
from netvexa.lib.errors import AppError, Invalid
from tenants import audit
from tenants.access import MemberRequest, Permission, member_required

_STOP_POLLING = 286  # htmx: swap this answer in and ask no more


@member_required(Permission.EDIT_KNOWLEDGE)
@require_POST
def show_preview(request: MemberRequest) -> HttpResponse:
    """The pages that a website or sitemap would bring."""
    form = SourceForm(request.POST)
    context: dict[str, object] = {}
    try:
        if not form.is_valid():
            raise Invalid("Enter an address, and check the fields below it.")
        kind = SourceKind.SITE if form.reach_kind == SourceKind.URL else form.reach_kind
        context["found"] = preview(form.cleaned_data["url"], kind=kind, scope=form.scope)
    except AppError as refused:
        context["error"] = refused.detail
    return render(request, "knowledge/parts/preview.html", context)


@member_required(Permission.VIEW)
@require_GET
def state(request: MemberRequest, source_id: UUID) -> HttpResponse:
    """The panel about a source's watching; it asks for itself while a sync runs."""
    source = Source.objects.get_or_404(source_id)
    status = 200 if source.sync_state == SyncState.RUNNING else _STOP_POLLING
    return render(request, "knowledge/parts/sync.html", state_of(source), status=status)


@member_required(Permission.EDIT_KNOWLEDGE)
@require_POST
def sync_now(request: MemberRequest, source_id: UUID) -> HttpResponse:
    """Look at all pages of a source now."""
    source = Source.objects.get_or_404(source_id)
    documents.sync_now(source)
    audit.record("source.synced", request=request, subject=source.title)
    return redirect("knowledge:show", source.pk)


@member_required(Permission.EDIT_KNOWLEDGE)
@require_POST
def set_interval(request: MemberRequest, source_id: UUID) -> HttpResponse:
    """How often a source is looked at."""
    source = Source.objects.get_or_404(source_id)
    chosen = request.POST.get("hours", "")
    try:
        documents.set_interval(source, int(chosen) if chosen.isdecimal() else None)
    except AppError as refused:
        messages.error(request, refused.detail)
    else:
        audit.record("source.interval", request=request, subject=source.title, after={"hours": chosen})
        messages.success(request, "Saved.")
    return redirect("knowledge:show", source.pk)


@member_required(Permission.EDIT_KNOWLEDGE)
@require_POST
def renew_hook(request: MemberRequest, source_id: UUID) -> HttpResponse:
    """A new secret address; shown on the page, and the one before stops working."""
    source = Source.objects.get_or_404(source_id)
    hooks.renew(source)
    audit.record("source.hook", request=request, subject=source.title)
    return redirect("knowledge:show", source.pk)


@csrf_exempt
@require_POST
def hook(request: HttpRequest, source_id: UUID, secret: str) -> HttpResponse:
    """Start a sync for whoever knows the address. One that is running already is followed by another."""
    begun = documents.sync_now(hooks.source_of(source_id, secret))
    return JsonResponse({"started": begun}, status=202)
