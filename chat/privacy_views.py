"""People's data: find a person, hand their data out, erase them; receipts; how long things are kept."""

from __future__ import annotations

import json
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from chat import persons, retention
from chat.privacy_forms import EraseForm, PersonForm, RetentionForm
from netvexa.lib.errors import NotFound
from tenants import audit, receipts
from tenants.access import MemberRequest, Permission, member_required
from tenants.models import ErasureReceipt, PrivacySettings

_PER_PAGE = 20


@member_required(Permission.MANAGE_WORKSPACE)
@require_safe
def overview(request: MemberRequest) -> HttpResponse:
    """Find a person, how long things are kept, and the receipts of erasures."""
    form = RetentionForm(chosen=retention.settings_of_workspace())
    return _overview(request, PersonForm(), form)


def _overview(request: MemberRequest, form: PersonForm, retention_form: RetentionForm) -> HttpResponse:
    rows = ErasureReceipt.objects.filter(workspace=request.workspace)
    context = {
        "form": form,
        "retention_form": retention_form,
        "outlook": retention.outlook(now=timezone.now()),
        "now": timezone.now(),
        "page": Paginator(rows, _PER_PAGE).get_page(request.GET.get("page")),
    }
    wrong = form.errors or retention_form.errors
    return render(request, "app/privacy.html", context, status=422 if wrong else 200)


@member_required(Permission.MANAGE_WORKSPACE)
@require_POST
def person(request: MemberRequest) -> HttpResponse:
    """What is kept of a person. Asked by POST, so that no address comes into a log or a history."""
    form = PersonForm(request.POST)
    if not form.is_valid():
        return _overview(request, form, RetentionForm(chosen=retention.settings_of_workspace()))
    return _person(request, form.cleaned_data["subject"])


def _person(request: MemberRequest, subject: str, *, problem: str = "") -> HttpResponse:
    found = persons.find(subject)
    counts = found.counts()
    marks = receipts.marks_of(request.workspace.key, found.subject)
    context = {
        "person": found,
        "counts": counts,
        "is_known": any(counts.values()),
        "conversations": found.conversations.select_related("agent").order_by("-last_message_at")[:20],
        "receipts": ErasureReceipt.objects.filter(workspace=request.workspace, subject_mark__in=marks),
        "problem": problem,
    }
    return render(request, "app/privacy_person.html", context, status=422 if problem else 200)


@member_required(Permission.MANAGE_WORKSPACE)
@require_POST
def download(request: MemberRequest) -> HttpResponse:
    """Everything that is kept of a person, as a file."""
    form = PersonForm(request.POST)
    if not form.is_valid():
        raise NotFound
    found = persons.find(form.cleaned_data["subject"])
    audit.record("person.exported", request=request, after=found.counts())
    response = HttpResponse(
        json.dumps(persons.exported(found), indent=2, ensure_ascii=False), content_type="application/json"
    )
    response["Content-Disposition"] = f'attachment; filename="person-{timezone.localdate():%Y-%m-%d}.json"'
    response["Cache-Control"] = "no-store"
    return response


@member_required(Permission.MANAGE_WORKSPACE)
@require_POST
def erase(request: MemberRequest) -> HttpResponse:
    """Erase a person for ever."""
    form = EraseForm(request.POST)
    if not form.is_valid():
        return _person(
            request, request.POST.get("subject", ""), problem="Type “erase” to confirm. Nothing was erased."
        )
    receipt = persons.erase(persons.find(form.cleaned_data["subject"]), actor=request.user.email)
    messages.success(request, f"Erased. The receipt is {receipt.pk}; you find it below.")
    return redirect("privacy:overview")


@member_required(Permission.MANAGE_WORKSPACE)
@require_safe
def receipt(request: MemberRequest, receipt_id: UUID) -> HttpResponse:
    """The receipt of an erasure, as a file."""
    row = ErasureReceipt.objects.filter(workspace=request.workspace, pk=receipt_id).first()
    if row is None:
        raise NotFound("There is no such receipt.")
    response = JsonResponse(receipts.as_json(row), json_dumps_params={"indent": 2})
    response["Content-Disposition"] = f'attachment; filename="erasure-{row.pk}.json"'
    response["Cache-Control"] = "no-store"
    return response


@member_required(Permission.MANAGE_WORKSPACE)
@require_POST
def save_retention(request: MemberRequest) -> HttpResponse:
    """How long each kind is kept, and what is not stored at all."""
    chosen = retention.settings_of_workspace()
    before = {
        **{kind: chosen.retention.get(kind) for kind in retention.KINDS},
        "masks_contacts": chosen.masks_contacts,
    }
    form = RetentionForm(request.POST, chosen=chosen)
    if not form.is_valid():
        return _overview(request, PersonForm(), form)
    masks = form.cleaned_data["masks_contacts"]
    retention.choose(form.days())
    PrivacySettings.objects.filter(workspace=request.workspace).update(masks_contacts=masks)
    after = {**form.days(), "masks_contacts": masks}
    audit.record("privacy.changed", request=request, before=before, after=after)
    messages.success(request, "Saved. What is past its time is deleted every night.")
    return redirect("privacy:overview")
