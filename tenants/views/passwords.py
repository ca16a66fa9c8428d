"""Forgotten passwords: asked for by mail, set by a link that works once. Nothing tells who has an account."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.tokens import default_token_generator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlsafe_base64_decode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from kombu.exceptions import OperationalError

from netvexa.lib.client import client_address
from netvexa.lib.errors import Unavailable
from tenants import attempts, audit, sessions, tokens
from tenants.forms import EmailForm
from tenants.models import User
from tenants.reset import send_password_link


@never_cache
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for the link; the answer is the same whether there is an account or not."""
    form = EmailForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"].lower()
        attempts.count(attempts.RESET_BY_ADDRESS, client_address(request))
        attempts.count(attempts.MAIL_BY_RECEIVER, email)
        try:
            send_password_link.delay(email)
        except OperationalError:
            raise Unavailable from None
        return render(request, "tenants/password_asked.html", {"email": email})
    return render(request, "tenants/password_ask.html", {"form": form}, status=422 if form.errors else 200)


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def choose(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    """Set the new password; every session the person has ends with the old one."""
    user = _person_of(uid)
    if user is None or not default_token_generator.check_token(user, token):
        return render(request, "tenants/password_link_dead.html", status=404)
    form = SetPasswordForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        sessions.end_all(user)
        tokens.revoke_all_of(user)
        audit.record_of_person("password.reset", request=request, person=user)
        attempts.forgive(attempts.LOG_IN_BY_ACCOUNT, user.email)
        messages.success(request, "Your new password is set. Log in with it.")
        return redirect("tenants:log_in")
    return render(request, "tenants/password_set.html", {"form": form}, status=422 if form.errors else 200)


def _person_of(uid: str) -> User | None:
    try:
        user_id = UUID(urlsafe_base64_decode(uid).decode())
    except ValueError:
        return None
    return User.objects.filter(pk=user_id, is_active=True).first()
