"""Settings of the workspace and its audit log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from netvexa.lib.errors import NotFound
from tenants import audit, audit_chain
from tenants.access import MemberRequest, Permission, member_required
from tenants.audit_export import as_csv, as_json
from tenants.context import current_workspace
from tenants.forms import SettingsForm
from tenants.models import AuditEvent

_FIELDS = ["name", "time_zone", "two_factor_required"]
_PER_PAGE = 50
_NIGHTS = 14
_WRITERS = {"csv": as_csv, "json": as_json}


@dataclass(frozen=True)
class Change:
    """One field of an entry of the audit log, in words; what was not there is empty."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class Night:
    """One night's probe: how much was asked at each place, and a sentence for each fault."""

    at: datetime
    asked: dict[str, int]
    faults: list[str]

    @property
    def total(self) -> int:
        return sum(self.asked.values())


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
    """What was done in this workspace, newest first; by action, person and day, if asked."""
    chosen = _chosen(request)
    page = Paginator(chosen.events, _PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "entries": [(event, changes_of(event)) for event in page],
        "actions": _actions(),
        **chosen.given,
        "is_filtered": any(chosen.given.values()),
        "query": urlencode({name: value for name, value in chosen.given.items() if value}),
    }
    return render(request, "app/audit_log.html", context)


@member_required(Permission.MANAGE_WORKSPACE)
@require_safe
def isolation(request: MemberRequest) -> HttpResponse:
    """What the nightly probe found: whether anything crosses between this workspace and another."""
    events = AuditEvent.objects.filter(workspace=current_workspace(), action=audit.ISOLATION_PROBED)
    nights = [Night(event.at, **(event.after or {})) for event in events.order_by("-at")[:_NIGHTS]]
    return render(request, "app/isolation.html", {"nights": nights, "last": nights[0] if nights else None})


@dataclass(frozen=True)
class Chosen:
    """The entries that a filter leaves, and the filter as it was understood."""

    events: QuerySet[AuditEvent]
    given: dict[str, str]


def _actions() -> list[str]:
    events = AuditEvent.objects.filter(workspace=current_workspace())
    return list(events.order_by("action").values_list("action", flat=True).distinct())


def _chosen(request: MemberRequest) -> Chosen:
    events = AuditEvent.objects.filter(workspace=current_workspace()).order_by("-at", "-pk")
    names = ("action", "actor", "since", "until")
    given = {name: request.GET.get(name, "").strip().replace("\0", "")[:254] for name in names}
    if given["action"] not in _actions():
        given["action"] = ""
    if given["action"]:
        events = events.filter(action=given["action"])
    if given["actor"]:
        events = events.filter(actor__icontains=given["actor"])
    for name, look_up in (("since", "at__date__gte"), ("until", "at__date__lte")):
        day = _day(given[name])
        given[name] = day.isoformat() if day else ""
        events = events.filter(**{look_up: day}) if day else events
    return Chosen(events, given)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@member_required(Permission.MANAGE_WORKSPACE)
@require_safe
def audit_export(request: MemberRequest, kind: str) -> HttpResponse:
    """The filtered entries as a file."""
    if kind not in _WRITERS:
        raise NotFound
    chosen = _chosen(request)
    audit.record("audit_log.exported", request=request, after={"kind": kind})
    body = _WRITERS[kind](chosen.events)
    media_type = "text/csv; charset=utf-8" if kind == "csv" else "application/json"
    name = f"audit-log-{request.workspace.slug}-{timezone.localdate():%Y-%m-%d}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(body, content_type=media_type, headers=headers)


@member_required(Permission.MANAGE_WORKSPACE)
@require_POST
def verify_audit_log(request: MemberRequest) -> HttpResponse:
    """Look the whole log through, and say whether an entry was tampered with."""
    verdict = audit_chain.verify(request.workspace)
    if verdict.holds:
        messages.success(request, f"The log holds: {verdict.entries} entries, each as it was written.")
    else:
        messages.error(request, f"The log does not hold at entry {verdict.wrong}. {verdict.problem}")
    return redirect("workspace:audit")


def changes_of(event: AuditEvent) -> list[Change]:
    """What the event changed, field by field."""
    before, after = event.before or {}, event.after or {}
    return [
        Change(field.replace("_", " "), _words(before.get(field)), _words(after.get(field)))
        for field in dict.fromkeys([*before, *after])
        if before.get(field) != after.get(field)
    ]


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
