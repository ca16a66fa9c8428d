"""API keys of a workspace: made, shown once, revoked."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from netvexa.lib.errors import NotFound
from tenants import audit, keys
from tenants.access import MemberRequest, Permission, member_required
from tenants.forms import ApiKeyForm
from tenants.keys import Scope
from tenants.models import ApiKey


class NewKeyForm(ApiKeyForm):
    """Name, scopes and how long the key works."""

    expires = forms.ChoiceField(
        label="Expires",
        choices=[("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year"), ("never", "Never")],
        initial="365",
    )

    def expires_at(self) -> datetime | None:
        given = self.cleaned_data["expires"]
        return None if given == "never" else timezone.now() + timedelta(days=int(given))


class RotateForm(forms.Form):
    """How long the old key works beside the new one."""

    overlap = forms.ChoiceField(
        label="The old key works on for",
        choices=[("1", "One hour"), ("24", "One day"), ("168", "A week")],
        initial="24",
    )


@never_cache
@member_required(Permission.MANAGE_API_KEYS)
@require_safe
def key_list(request: MemberRequest) -> HttpResponse:
    """The workspace's API keys."""
    return _page(request, NewKeyForm())


def _page(request: MemberRequest, form: NewKeyForm, *, secret: str = "") -> HttpResponse:
    context = {"api_keys": keys.live_keys(), "form": form, "secret": secret, "now": timezone.now()}
    context["rotate_form"] = RotateForm(auto_id=False)
    return render(request, "app/keys.html", context, status=422 if form.errors else 200)


@never_cache
@member_required(Permission.MANAGE_API_KEYS)
@require_POST
def create_key(request: MemberRequest) -> HttpResponse:
    """Make a key and show it, this once."""
    form = NewKeyForm(request.POST)
    if not form.is_valid():
        return _page(request, form)
    new = keys.make_key(
        name=form.cleaned_data["name"],
        scopes=[Scope(value) for value in form.cleaned_data["scopes"]],
        created_by=request.user,
        expires_at=form.expires_at(),
        allowed_addresses=form.cleaned_data["allowed_addresses"],
        hourly_limit=form.cleaned_data["hourly_limit"],
    )
    after = audit.changes(new.row, ["scopes", "allowed_addresses", "hourly_limit"])
    audit.record("api_key.created", request=request, subject=str(new.row), after=after)
    return _page(request, NewKeyForm(), secret=new.secret)


@never_cache
@member_required(Permission.MANAGE_API_KEYS)
@require_POST
def rotate_key(request: MemberRequest, key_id: UUID) -> HttpResponse:
    """Make a key with the same rights and show it; the old one works on for a while."""
    key, form = _key_or_404(key_id), RotateForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose how long the old key works on.")
        return redirect("keys:list")
    new = keys.rotate(key, overlap=timedelta(hours=int(form.cleaned_data["overlap"])), by=request.user)
    audit.record("api_key.rotated", request=request, subject=str(key), after={"replaced_by": str(new.row)})
    return _page(request, NewKeyForm(), secret=new.secret)


@member_required(Permission.MANAGE_API_KEYS)
@require_POST
def revoke_key(request: MemberRequest, key_id: UUID) -> HttpResponse:
    """End a key now."""
    key = _key_or_404(key_id)
    keys.revoke(key)
    audit.record("api_key.revoked", request=request, subject=str(key))
    messages.success(request, f"The key “{key.name}” does not work any more.")
    return redirect("keys:list")


def _key_or_404(key_id: UUID) -> ApiKey:
    key = next((key for key in keys.live_keys() if key.pk == key_id), None)
    if key is None:
        raise NotFound("There is no such key.")
    return key
