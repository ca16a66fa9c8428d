"""Logging in and out, and coming over from another host."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tenants import arrival, audit, devices, passkeys, second_factor, sessions
from tenants.access import (
    MemberRequest,
    Permission,
    member_required,
    membership_for_switch,
    signed_in,
    workspaces_of,
)
from tenants.addresses import root_address, safe_path
from tenants.forms import CodeForm, LogInForm
from tenants.handover import BadHandover, address_of, redeem
from tenants.models import User, Workspace
from tenants.sign_on import providers_of


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def log_in(request: HttpRequest) -> HttpResponse:
    """Log in on the root host or on a workspace's own."""
    following = safe_path(request.POST.get("next") or request.GET.get("next") or "", default="")
    if request.user.is_authenticated:
        return redirect(following or _home_of(request, signed_in(request)))
    form = LogInForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid() and form.user:
        return go_on(request, form.user, following)
    workspace = _workspace_of(request)
    providers = providers_of(workspace) if workspace else {}
    context = {"form": form, "next": following, "providers": providers}
    return render(request, "tenants/log_in.html", context, status=_status_of(form))


def go_on(request: HttpRequest, user: User, following: str) -> HttpResponse:
    """After the first factor: to the second, or in."""
    if second_factor.has_one(user):
        arrival.wait(request, user, following=following)
        return redirect("tenants:log_in_code")
    arrival.begin(request, user)
    return devices.keep(request, redirect(following or _home_of(request, user)))


@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
def log_in_code(request: HttpRequest) -> HttpResponse:
    """The second factor: of somebody who is logging in, or who is logged in by a password alone."""
    waiting = _who_waits(request)
    if waiting is None:
        return redirect("tenants:log_in")
    form = CodeForm(request.POST or None, request=request, user=waiting.user)
    if request.method == "POST" and form.is_valid() and form.device is not None:
        if request.user.is_authenticated:
            request.session.cycle_key()
            second_factor.verify_session(request, form.device)
        else:
            arrival.begin(request, waiting.user, device=form.device)
        return devices.keep(request, redirect(waiting.following or _home_of(request, waiting.user)))
    if form.has_error("__all__", passkeys.CopiedPasskey.code):
        audit.record_of_person("passkey.refused_as_copy", request=request, person=waiting.user)
    known = passkeys.usable_here(request, waiting.user)
    context = {
        "form": form,
        "person": waiting.user,
        "next": waiting.following,
        "options": passkeys.options_to_prove(request, known) if known else "",
        "has_authenticator": second_factor.has_authenticator(waiting.user),
    }
    return render(request, "tenants/log_in_code.html", context, status=_status_of(form))


def _who_waits(request: HttpRequest) -> arrival.Waiting | None:
    if not request.user.is_authenticated:
        return arrival.waiting(request)
    user = signed_in(request)
    if second_factor.is_verified(request) or not second_factor.has_one(user):
        return None
    return arrival.Waiting(user, safe_path(request.POST.get("next") or request.GET.get("next") or ""))


def _status_of(form: LogInForm | CodeForm) -> int:
    if form.has_error("__all__", "rate_limited"):
        return 429
    return 422 if form.errors else 200


def _home_of(request: HttpRequest, user: User) -> str:
    """A workspace's own host: its home. The root host: the only workspace, or the choice of several."""
    if _workspace_of(request) is not None or request.urlconf == settings.HOST_URLCONFS["admin"]:
        return "/"
    workspaces = workspaces_of(user)
    if len(workspaces) == 1:
        return _address_in(request, user, workspaces[0])
    return root_address("tenants:workspaces")


def _workspace_of(request: HttpRequest) -> Workspace | None:
    workspace: Workspace | None = request.workspace  # type: ignore[attr-defined]
    return workspace


def _address_in(request: HttpRequest, user: User, workspace: Workspace, path: str = "/") -> str:
    return address_of(
        workspace,
        user,
        login_id=request.session.get(sessions.LOGIN_ID, ""),
        device_id=second_factor.device_of_session(request),
        path=path,
    )


@never_cache
@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """Log out here and on every host that this log-in was handed over to."""
    if request.user.is_authenticated:
        sessions.end(signed_in(request), request.session.get(sessions.LOGIN_ID, ""))
    logout(request)
    messages.success(request, "You are logged out.")
    return redirect("tenants:log_in")


@never_cache
@require_GET
def enter(request: HttpRequest) -> HttpResponse:
    """The other end of a hand-over: begin a session on this workspace's host."""
    workspace = _workspace_of(request)
    if workspace is None:
        return redirect("tenants:log_in")
    try:
        handover = redeem(request.GET.get("token", ""), workspace)
    except BadHandover as bad:
        if request.user.is_authenticated:
            return redirect("/")
        messages.info(request, bad.detail)
        return redirect("tenants:log_in")
    arrival.hand_over(request, handover.user, login_id=handover.login_id, device_id=handover.device_id)
    return redirect(handover.path)


@never_cache
@login_required
@require_GET
def workspaces(request: HttpRequest) -> HttpResponse:
    """Every workspace the person is a member of."""
    found = workspaces_of(signed_in(request))
    return render(request, "tenants/workspaces.html", {"workspaces": found})


@never_cache
@member_required(Permission.VIEW)
@require_GET
def workspace_menu(request: MemberRequest) -> HttpResponse:
    """The part of the workspace menu that lists the person's other workspaces; fetched when it is opened."""
    others = [workspace for workspace in workspaces_of(request.user) if workspace != request.workspace]
    return render(request, "tenants/parts/other_workspaces.html", {"others": others})


@never_cache
@login_required
@require_POST
def switch(request: HttpRequest, workspace_id: UUID) -> HttpResponse:
    """Go to one of one's workspaces."""
    user = signed_in(request)
    member = membership_for_switch(user, workspace_id)
    return redirect(_address_in(request, user, member.workspace))
