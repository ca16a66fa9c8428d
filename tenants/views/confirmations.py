"""The link that confirms an e-mail address, and asking for another."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tenants import attempts, audit, confirmation, email_change
from tenants.access import signed_in
from tenants.addresses import safe_path


@never_cache
@require_GET
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Confirm the address; opening the link twice does no harm."""
    try:
        user = confirmation.confirm(token)
    except confirmation.BadConfirmation as bad:
        return render(request, "tenants/confirm_failed.html", {"error": bad}, status=bad.status)
    return render(request, "tenants/confirmed.html", {"person": user})


@login_required
@require_POST
def ask_again(request: HttpRequest) -> HttpResponse:
    """Send the link once more."""
    user = signed_in(request)
    attempts.count(attempts.MAIL_BY_RECEIVER, user.email)
    if user.email_confirmed_at is None:
        confirmation.ask(user)
    messages.success(request, f"We sent a new link to {user.email}.")
    return redirect(safe_path(request.POST.get("next", "")))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def change_email(request: HttpRequest, token: str) -> HttpResponse:
    """The link in either mailbox. Opening asks, so that a mail scanner that follows links agrees to nothing."""
    try:
        if request.method == "POST":
            agreed = email_change.agree(token)
            if agreed.old_agreed_at and agreed.new_agreed_at:
                audit.record_of_person("email.changed", request=request, person=agreed.user)
            return render(request, "tenants/email_change.html", {"agreed": agreed})
        change, _ = email_change.find(token)
    except email_change.BadEmailChange as bad:
        return render(request, "tenants/email_change.html", {"error": bad}, status=bad.status)
    return render(request, "tenants/email_change.html", {"change": change})
