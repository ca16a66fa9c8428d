"""One's own account: name, address, password, devices."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from tenants import attempts, audit, email_change, faces, mail, second_factor, sessions, tokens
from tenants.access import MemberRequest, Permission, member_required
from tenants.context import identity
from tenants.forms import ChangePasswordForm, EmailChangeForm, ProfileForm
from tenants.models import User


@never_cache
@member_required(Permission.VIEW)
@require_http_methods(["GET", "POST"])
def account_page(request: MemberRequest) -> HttpResponse:
    """One's own name and address; password and devices have forms of their own on the page."""
    form = ProfileForm(request.POST or None, request.FILES or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        user = form.save(commit=False)
        _change_face(user, form)
        with identity():
            user.save(update_fields=["name", "avatar"])
        messages.success(request, "Saved.")
        return redirect("tenants:account")
    if form.errors:
        with identity():
            request.user.refresh_from_db()  # the page's frame shows what holds
    return _account_page(request, form=form)


def _change_face(user: User, form: ProfileForm) -> None:
    upload = form.cleaned_data["picture"]
    if upload or form.cleaned_data["remove_picture"]:
        faces.remove_face(user)
    if upload:
        faces.set_face(user, upload)


def _account_page(
    request: MemberRequest,
    *,
    form: ProfileForm | None = None,
    email_form: EmailChangeForm | None = None,
    password_form: ChangePasswordForm | None = None,
) -> HttpResponse:
    user = request.user
    wrong = any(given is not None and given.errors for given in (form, email_form, password_form))
    context = {
        "form": form or ProfileForm(instance=user),
        "email_form": email_form or EmailChangeForm(user=user),
        "password_form": password_form or ChangePasswordForm(user),
        "email_change": email_change.pending(user),
        "devices": sessions.log_ins_of(user),
        "login_id": request.session.get(sessions.LOGIN_ID, ""),
        "has_second_factor": second_factor.has_one(user),
        "codes_left": second_factor.codes_left(user),
        "face": faces.face_address(user),
    }
    return render(request, "app/account.html", context, status=422 if wrong else 200)


@never_cache
@sensitive_post_parameters()
@member_required(Permission.VIEW)
@require_POST
def ask_email_change(request: MemberRequest) -> HttpResponse:
    """Another address: asked for here, agreed to in both mailboxes."""
    form = EmailChangeForm(request.POST, user=request.user)
    if not form.is_valid():
        return _account_page(request, email_form=form)
    attempts.count(attempts.MAIL_BY_RECEIVER, form.cleaned_data["email"])
    email_change.ask(request.user, form.cleaned_data["email"])
    audit.record_of_person("email.change_asked", request=request, person=request.user)
    messages.success(request, "We sent a link to both addresses. Open both, and the new one holds.")
    return redirect("tenants:account")


@member_required(Permission.VIEW)
@require_POST
def take_back_email_change(request: MemberRequest) -> HttpResponse:
    """Keep the address."""
    email_change.take_back(request.user)
    audit.record_of_person("email.change_taken_back", request=request, person=request.user)
    messages.success(request, "Your address stays as it is.")
    return redirect("tenants:account")


@never_cache
@sensitive_post_parameters()
@member_required(Permission.VIEW)
@require_POST
def change_password(request: MemberRequest) -> HttpResponse:
    """Another password; it ends every session but this one."""
    attempts.count(attempts.LOG_IN_BY_ACCOUNT, f"change:{request.user.pk}")
    form = ChangePasswordForm(request.user, request.POST)
    if not form.is_valid():
        return _account_page(request, password_form=form)
    with identity():
        form.save()
    update_session_auth_hash(request, form.user)
    sessions.end_all_but(request.user, request.session.get(sessions.LOGIN_ID, ""))
    tokens.revoke_all_of(request.user)
    audit.record_of_person("password.changed", request=request, person=request.user)
    what = "Your password was changed"
    mail.send("account_changed", to=request.user.email, context={"person": request.user, "what": what})
    messages.success(request, "Your password is changed. Other devices are logged out.")
    return redirect("tenants:account")


@member_required(Permission.VIEW)
@require_POST
def end_session(request: MemberRequest, login_id: str) -> HttpResponse:
    """Log out one browser, on every host."""
    if login_id == request.session.get(sessions.LOGIN_ID):
        messages.error(request, "This is the browser you are using. Log out with the menu.")
    elif sessions.end(request.user, login_id):
        audit.record_of_person("sessions.ended", request=request, person=request.user)
        messages.success(request, "That device is logged out.")
    else:
        messages.error(request, "That device is logged out already.")
    return redirect("tenants:account")


@member_required(Permission.VIEW)
@require_POST
def end_other_sessions(request: MemberRequest) -> HttpResponse:
    """Log out everywhere else."""
    count = sessions.end_all_but(request.user, request.session.get(sessions.LOGIN_ID, ""))
    audit.record_of_person("sessions.ended", request=request, person=request.user, after={"count": count})
    messages.success(request, f"Logged out {count} other device{'s' if count != 1 else ''}.")
    return redirect("tenants:account")
