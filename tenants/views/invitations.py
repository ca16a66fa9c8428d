"""Accepting an invitation, with an account or by making one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from tenants import arrival, audit, devices, second_factor, sessions
from tenants.access import signed_in
from tenants.context import platform
from tenants.forms import InvitedPersonForm
from tenants.handover import address_of
from tenants.invitations import WrongPerson, accept, find
from tenants.models import Invitation, User


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Who is logged in accepts with one click; who has an account logs in first; others make one here."""
    offer = find(token)
    if request.user.is_authenticated:
        return _accept_as(request, offer, token)
    if User.objects.filter(email=offer.email).exists():
        return render(request, "tenants/invitation_log_in.html", {"offer": offer})
    return _sign_up_into(request, offer, token)


def _accept_as(request: HttpRequest, offer: Invitation, token: str) -> HttpResponse:
    user = signed_in(request)
    if user.email != offer.email:
        return render(
            request,
            "tenants/invitation_wrong_person.html",
            {"offer": offer, "error": WrongPerson()},
            status=403,
        )
    if request.method == "POST":
        return _enter(request, user, token)
    return render(request, "tenants/invitation.html", {"offer": offer})


def _sign_up_into(request: HttpRequest, offer: Invitation, token: str) -> HttpResponse:
    form = InvitedPersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        user = User.objects.create_user(offer.email, given["password"], name=given["name"])
        arrival.begin(request, user)
        return _enter(request, user, token)
    context = {"form": form, "offer": offer}
    return render(request, "tenants/invitation_sign_up.html", context, status=422 if form.errors else 200)


def _enter(request: HttpRequest, user: User, token: str) -> HttpResponse:
    member = accept(token, user)
    with platform():
        after = {"role": member.role}
        audit.record(
            "member.joined", request=request, subject=user.email, after=after, workspace=member.workspace
        )
    messages.success(request, f"Welcome to {member.workspace.name}.")
    address = address_of(
        member.workspace,
        user,
        login_id=request.session[sessions.LOGIN_ID],
        device_id=second_factor.device_of_session(request),
    )
    return devices.keep(request, redirect(address))
