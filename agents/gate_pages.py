"""What a page answers where a change waits for its test."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from tenants import audit
from tenants.access import MemberRequest


def tested_first(request: MemberRequest, run: UUID, *, deed: str, subject: str) -> HttpResponse:
    """Lead to the run that tries what somebody wants to do; `deed` is its name in the audit log."""
    after = {"change": deed, "run": str(run)}
    audit.record("change.tested_first", request=request, subject=subject, after=after)
    messages.info(request, "Your change is tested first. It counts as soon as nothing breaks.")
    return redirect("improve:trial", run)
