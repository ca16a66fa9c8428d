"""The leads of a workspace: a list and a file."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from chat.leads import ORDERS, as_csv, leads
from tenants import audit
from tenants.access import MemberRequest, Permission, member_required

_PER_PAGE = 50


@member_required(Permission.VIEW)
@require_safe
def lead_list(request: MemberRequest) -> HttpResponse:
    """What visitors left, newest or ripest first."""
    query, order = _query(request), request.GET.get("order", "")
    order = order if order in ORDERS else "newest"
    page = Paginator(leads(query, order=order), _PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "app/leads.html", {"page": page, "query": query, "order": order})


@member_required(Permission.VIEW)
@require_safe
def export(request: MemberRequest) -> HttpResponse:
    """The same as a file for a spreadsheet."""
    audit.record("leads.exported", request=request, after={"searched": bool(_query(request))})
    name = f"leads-{request.workspace.slug}-{timezone.localdate():%Y-%m-%d}.csv"
    return StreamingHttpResponse(  # type: ignore[return-value]  # a response like any other
        as_csv(request.workspace, _query(request)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


def _query(request: MemberRequest) -> str:
    return request.GET.get("q", "").replace("\0", "").strip()[:200]
