"""Sign-up, and making a further workspace."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from netvexa.lib.client import client_address
from tenants import arrival, attempts, audit, confirmation, devices, second_factor, sessions
from tenants.access import signed_in
from tenants.context import platform
from tenants.forms import SignUpForm, WorkspaceForm
from tenants.handover import address_of
from tenants.models import Membership, Role, User, Workspace, slug_validator
from tenants.signup import EmailTaken, SlugTaken, create_workspace, sign_up, slug_is_free, suggest_slug

WELCOME = "/welcome/"


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_up_page(request: HttpRequest) -> HttpResponse:
    """Account and workspace in one form; afterwards straight into the wizard."""
    if request.user.is_authenticated:
        return redirect("tenants:new_workspace")
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        attempts.count(attempts.SIGN_UP_BY_ADDRESS, client_address(request))
        try:
            workspace = sign_up(form.person(), form.workspace())
        except SlugTaken as taken:
            form.add_error("slug", taken.detail)
        except EmailTaken as taken:
            form.add_error("email", taken.detail)
        else:
            return _welcome(request, workspace)
    return render(request, "tenants/sign_up.html", {"form": form}, status=422 if form.errors else 200)


def _welcome(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    user = _owner_of(workspace)
    arrival.begin(request, user)
    confirmation.ask(user)
    return _into(request, workspace, user)


def _owner_of(workspace: Workspace) -> User:
    with platform():
        return Membership.objects.select_related("user").get(workspace=workspace, role=Role.OWNER).user


def _into(request: HttpRequest, workspace: Workspace, user: User) -> HttpResponse:
    with platform():
        audit.record("workspace.created", request=request, subject=workspace.slug, workspace=workspace)
    login_id = request.session.get(sessions.LOGIN_ID, "")
    device_id = second_factor.device_of_session(request)
    address = address_of(workspace, user, login_id=login_id, device_id=device_id, path=WELCOME)
    return devices.keep(request, redirect(address))


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def new_workspace(request: HttpRequest) -> HttpResponse:
    """A further workspace for somebody who has an account."""
    user = signed_in(request)
    form = WorkspaceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        attempts.count(attempts.SIGN_UP_BY_ADDRESS, client_address(request))
        try:
            return _into(request, create_workspace(user, form.workspace()), user)
        except SlugTaken as taken:
            form.add_error("slug", taken.detail)
    return render(request, "tenants/new_workspace.html", {"form": form}, status=422 if form.errors else 200)


@never_cache
@require_GET
def slug_check(request: HttpRequest) -> HttpResponse:
    """Beside the address field: is it free? With `name` instead of `slug`, the field with a suggestion."""
    name = request.GET.get("workspace_name", "").strip()
    if request.GET.get("from") == "name":
        form = WorkspaceForm(initial={"slug": suggest_slug(name)})
        return render(
            request, "tenants/parts/slug_field.html", {"form": form, "state": "free" if name else ""}
        )
    slug = request.GET.get("slug", "").strip()
    return render(request, "tenants/parts/slug_state.html", {"state": _state_of(slug), "slug": slug})


def _state_of(slug: str) -> str:
    if not slug:
        return ""
    if not slug_validator.regex.fullmatch(slug):  # type: ignore[union-attr]  # compiled at first use
        return "malformed"
    return "free" if slug_is_free(slug) else "taken"
