"""Settings of the workspace and its audit log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from tenants import audit
from tenants.access import MemberRequest, Permission, member_required
from tenants.context import current_workspace
from tenants.forms import SettingsForm
from tenants.models import AuditEvent

_FIELDS = ["name", "time_zone", "two_factor_required"]
_PER_PAGE = 50


@dataclass(frozen=True)
class Change:
    """One field of an entry of the audit log, in words; what was not there is empty."""

    field: str
    before: str
    after: str


@member_required(Permission.MANAGE_WORKSPACE)
@require_http_methods(["GET", "HEAD", "POST"])
def settings_page(request: MemberRequest) -> HttpResponse:
    """Name, time zone, and what log-in takes."""
    before = audit.changes(request.workspace, _FIELDS)
    form = SettingsForm(request.POST or None, instance=request.workspace, request=request)
    if request.method == "POST" and form.is_valid():
        request.workspace.save(update_fields=_FIELDS)
        after = audit.changes(request.workspace, _FIELDS)
        audit.record("workspace.changed", request=request, before=before, after=after)
        messages.success(request, "Saved.")
        return redirect("workspace:settings")
    if form.errors:
        request.workspace.refresh_from_db(fields=_FIELDS)  # the page's frame shows the name that holds
    return render(request, "app/settings.html", {"form": form}, status=422 if form.errors else 200)


@member_required(Permission.MANAGE_WORKSPACE)
@require_safe
def audit_log(request: MemberRequest) -> HttpResponse:
    """What was done in this workspace, newest first; by action and by person, if asked."""
    events = AuditEvent.objects.filter(workspace=current_workspace())
    actions = list(events.order_by("action").values_list("action", flat=True).distinct())
    action, actor = request.GET.get("action", ""), request.GET.get("actor", "").strip().replace("\0", "")
    if action in actions:
        events = events.filter(action=action)
    if actor:
        events = events.filter(actor__icontains=actor[:254])
    page = Paginator(events.order_by("-at", "-pk"), _PER_PAGE).get_page(request.GET.get("page"))
    entries = [(event, changes_of(event)) for event in page]
    context = {"page": page, "entries": entries, "actions": actions, "action": action, "actor": actor}
    return render(request, "app/audit_log.html", context)


def changes_of(event: AuditEvent) -> list[Change]:
    """What the event changed, field by field."""
    before, after = event.before or {}, event.after or {}
    return [
        Change(field.replace("_", " "), _words(before.get(field)), _words(after.get(field)))
        for field in dict.fromkeys([*before, *after])
        if before.get(field) != after.get(field)
    ]


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
