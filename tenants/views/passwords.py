"""Forgotten passwords: asked for by mail, set by a link that works once. Nothing tells who has an account."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.tokens import default_token_generator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from tenants import attempts, mail
from tenants.addresses import root_address
from tenants.forms import EmailForm
from tenants.models import Session, User


@never_cache
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for the link; the answer is the same whether there is an account or not."""
    form = EmailForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"].lower()
        attempts.count(attempts.MAIL_BY_RECEIVER, email)
        _send_link(User.objects.filter(email=email, is_active=True).first())
        return render(request, "tenants/password_asked.html", {"email": email})
    return render(request, "tenants/password_ask.html", {"form": form}, status=422 if form.errors else 200)


def _send_link(user: User | None) -> None:
    if user is None:
        return
    uid, token = urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)
    link = root_address("tenants:password_set", uid, token)
    mail.send("password", to=user.email, context={"person": user, "link": link})


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
        Session.objects.filter(user_id=user.pk).delete()
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
