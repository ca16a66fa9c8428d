"""One's own account: name, address, password, devices."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from tenants import attempts, confirmation, faces, sessions
from tenants.access import MemberRequest, Permission, member_required
from tenants.forms import ChangePasswordForm, ProfileForm
from tenants.models import Session, User


@never_cache
@member_required(Permission.VIEW)
@require_http_methods(["GET", "POST"])
def account_page(request: MemberRequest) -> HttpResponse:
    """One's own name and address; password and devices have forms of their own on the page."""
    before = request.user.email
    form = ProfileForm(request.POST or None, request.FILES or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        user = form.save(commit=False)
        if user.email != before:
            user.email_confirmed_at = None
            confirmation.ask(user)
        _change_face(user, form)
        user.save(update_fields=["name", "email", "email_confirmed_at", "avatar"])
        messages.success(request, "Saved.")
        return redirect("tenants:account")
    if form.errors:
        request.user.refresh_from_db()  # the page's frame shows what holds
    return _account_page(request, form, ChangePasswordForm(request.user))


def _change_face(user: User, form: ProfileForm) -> None:
    upload = form.cleaned_data["picture"]
    if upload or form.cleaned_data["remove_picture"]:
        faces.remove_face(user)
    if upload:
        faces.set_face(user, upload)


def _account_page(
    request: MemberRequest, form: ProfileForm, password_form: ChangePasswordForm
) -> HttpResponse:
    login_id = request.session.get(sessions.LOGIN_ID, "")
    devices = Session.objects.filter(user_id=request.user.pk).order_by("login_id", "created_at")
    context = {
        "form": form,
        "password_form": password_form,
        "face": faces.face_address(request.user),
        "devices": devices.distinct("login_id"),
        "login_id": login_id,
    }
    status = 422 if form.errors or password_form.errors else 200
    return render(request, "app/account.html", context, status=status)


@never_cache
@sensitive_post_parameters()
@member_required(Permission.VIEW)
@require_POST
def change_password(request: MemberRequest) -> HttpResponse:
    """Another password; it ends every session but this one."""
    attempts.count(attempts.LOG_IN_BY_ACCOUNT, f"change:{request.user.pk}")
    form = ChangePasswordForm(request.user, request.POST)
    if not form.is_valid():
        return _account_page(request, ProfileForm(instance=request.user), form)
    form.save()
    update_session_auth_hash(request, form.user)
    sessions.end_all_but(request.user, request.session.get(sessions.LOGIN_ID, ""))
    messages.success(request, "Your password is changed. Other devices are logged out.")
    return redirect("tenants:account")


@member_required(Permission.VIEW)
@require_POST
def end_other_sessions(request: MemberRequest) -> HttpResponse:
    """Log out everywhere else."""
    count = sessions.end_all_but(request.user, request.session.get(sessions.LOGIN_ID, ""))
    messages.success(request, f"Logged out {count} other device{'s' if count != 1 else ''}.")
    return redirect("tenants:account")
