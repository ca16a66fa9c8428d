"""Logging in by way of an identity provider, on a workspace's host."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from tenants import arrival, devices, sign_on
from tenants.models import Workspace
from tenants.views.entry import go_on


@never_cache
@require_POST
def begin(request: HttpRequest, provider: str) -> HttpResponse:
    """Go to the provider."""
    found = sign_on.provider_named(provider, request.workspace)  # type: ignore[attr-defined]
    return found.begin(request, state=sign_on.new_state(request))


@never_cache
@require_GET
def finish(request: HttpRequest, provider: str) -> HttpResponse:
    """Come back from it."""
    workspace: Workspace = request.workspace  # type: ignore[attr-defined]
    found = sign_on.provider_named(provider, workspace)
    user, identity = sign_on.person_of(request, found, workspace)
    if not identity.second_factor:
        return go_on(request, user, "/")
    arrival.begin(request, user)
    return devices.keep(request, redirect("/"))
