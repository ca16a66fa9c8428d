"""The radar's page: what to look at, each with the ways to mend it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from knowledge.models import Finding, FindingKind, FindingState
from knowledge.tasks import scan_knowledge
from netvexa.lib.errors import NotFound
from tenants import audit
from tenants.access import MemberRequest, Permission, member_required

_PER_PAGE = 25


@member_required(Permission.VIEW)
@require_GET
def radar(request: MemberRequest) -> HttpResponse:
    """Open findings, of one kind where it is named."""
    rows = Finding.objects.filter(state=FindingState.OPEN)
    counts = dict(rows.values_list("kind").annotate(number=Count("pk")).order_by())
    kind = request.GET.get("kind", "")
    if kind in FindingKind.values:
        rows = rows.filter(kind=kind)
    rows = rows.select_related("document__source__agent", "other__source")
    page = Paginator(rows.order_by("kind", "-found_at", "pk"), _PER_PAGE).get_page(request.GET.get("page"))
    kinds = [(value, label, counts.get(value, 0)) for value, label in FindingKind.choices]
    context = {"page": page, "kinds": kinds, "kind": kind, "total": sum(counts.values())}
    return render(request, "knowledge/radar.html", context)


@member_required(Permission.EDIT_KNOWLEDGE)
@require_POST
def scan(request: MemberRequest) -> HttpResponse:
    """Look at everything again, in the background."""
    scan_knowledge.enqueue()
    messages.success(request, "Looking through everything. Come back in a minute.")
    return redirect("knowledge:radar")


@member_required(Permission.EDIT_KNOWLEDGE)
@require_POST
def dismiss(request: MemberRequest, finding_id: UUID) -> HttpResponse:
    """This is fine as it is; do not tell again."""
    finding = Finding.objects.filter(pk=finding_id).first()
    if finding is None:
        raise NotFound("There is no such finding.")
    Finding.objects.filter(pk=finding.pk).update(state=FindingState.DISMISSED)
    audit.record("finding.dismissed", request=request, subject=finding.sentence[:200])
    return redirect("knowledge:radar")
