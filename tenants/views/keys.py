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


@never_cache
@member_required(Permission.MANAGE_API_KEYS)
@require_safe
def key_list(request: MemberRequest) -> HttpResponse:
    """The workspace's API keys."""
    return _page(request, NewKeyForm())


def _page(request: MemberRequest, form: NewKeyForm, *, secret: str = "") -> HttpResponse:
    context = {"api_keys": keys.live_keys(), "form": form, "secret": secret, "now": timezone.now()}
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
    )
    audit.record("api_key.created", request=request, subject=str(new.row), after={"scopes": new.row.scopes})
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
    key = keys.live_keys().filter(pk=key_id).first()
    if key is None:
        raise NotFound("There is no such key.")
    return key
