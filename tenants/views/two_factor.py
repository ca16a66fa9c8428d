"""Setting up, renewing and ending the second factor; the same pages on every host."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tenants import attempts, audit, mail, passkeys, second_factor, sessions
from tenants.access import signed_in, to_second_factor
from tenants.addresses import safe_path
from tenants.forms import NewPasskeyForm, PasswordAgainForm, SetUpForm
from tenants.models import Passkey, User


@never_cache
@login_required
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Whether there is a second factor, and what can be done about it."""
    return _overview(request, PasswordAgainForm(user=signed_in(request)))


def _overview(request: HttpRequest, form: PasswordAgainForm) -> HttpResponse:
    user = signed_in(request)
    context = {
        "has_one": second_factor.has_one(user),
        "has_authenticator": second_factor.has_authenticator(user),
        "passkeys": passkeys.passkeys_of(user),
        "codes_left": second_factor.codes_left(user),
        "form": form,
    }
    return render(request, "tenants/two_factor.html", context, status=422 if form.errors else 200)


@never_cache
@sensitive_post_parameters()
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def set_up(request: HttpRequest) -> HttpResponse:
    """Scan, type the first code, keep the recovery codes."""
    user, following = signed_in(request), safe_path(request.POST.get("next") or request.GET.get("next") or "")
    if second_factor.has_authenticator(user):
        return redirect("two_factor:overview")
    if not _may_add(request, user):
        return to_second_factor(request)
    form = SetUpForm(request.POST or None, user=user, ask_password=not sessions.is_recent(request))
    if request.method == "POST" and form.is_valid():
        try:
            device, codes = second_factor.set_up(user, form.cleaned_data["code"])
        except (second_factor.WrongCode, attempts.TooManyAttempts) as error:
            form.add_error("code", error.detail)
        else:
            request.session.cycle_key()
            second_factor.verify_session(request, device)
            sessions.end_all_but(user, request.session.get(sessions.LOGIN_ID, ""))
            _tell(request, user, "two_factor.on", "Two-factor log-in is on")
            return _codes(request, codes, following)
    return _scan(request, user, form, following)


def _may_add(request: HttpRequest, user: User) -> bool:
    """Whoever has a second factor proves it before adding another: else the password alone would be enough."""
    return second_factor.is_verified(request) or not second_factor.has_one(user)


@never_cache
@sensitive_post_parameters()
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new_passkey(request: HttpRequest) -> HttpResponse:
    """Name it, let the browser make it; with the first second factor come the recovery codes."""
    user, following = signed_in(request), safe_path(request.POST.get("next") or request.GET.get("next") or "")
    if not _may_add(request, user):
        return to_second_factor(request)
    form = NewPasskeyForm(request.POST or None, user=user, ask_password=not sessions.is_recent(request))
    if request.method == "POST" and form.is_valid():
        is_first = not second_factor.has_one(user)
        try:
            passkey = passkeys.make(
                request, user, form.cleaned_data["passkey"], name=form.cleaned_data["name"]
            )
        except (passkeys.WrongPasskey, passkeys.TooManyPasskeys, attempts.TooManyAttempts) as error:
            form.add_error(None, error.detail)
        else:
            return _passkey_made(request, user, passkey, following=following, is_first=is_first)
    context = {"form": form, "next": following, "options": passkeys.options_to_make(request, user)}
    return render(request, "tenants/passkey_new.html", context, status=422 if form.errors else 200)


def _passkey_made(
    request: HttpRequest, user: User, passkey: Passkey, *, following: str, is_first: bool
) -> HttpResponse:
    request.session.cycle_key()
    second_factor.verify_session(request, passkey)
    _tell(request, user, "passkey.added", f"The passkey “{passkey.name}” was added", {"name": passkey.name})
    if not is_first:
        messages.success(request, f"The passkey “{passkey.name}” works from now on.")
        return redirect("two_factor:overview")
    sessions.end_all_but(user, request.session.get(sessions.LOGIN_ID, ""))
    return _codes(request, second_factor.new_codes(user), following)


@never_cache
@sensitive_post_parameters()
@login_required
@require_POST
def remove_passkey(request: HttpRequest, passkey_id: int) -> HttpResponse:
    """Forget a passkey, with the password."""
    user = signed_in(request)
    form = PasswordAgainForm(request.POST, user=user)
    if not form.is_valid():
        return _overview(request, form)
    passkey = passkeys.remove(user, passkey_id)
    if passkey is None:
        messages.error(request, "That passkey is gone already.")
        return redirect("two_factor:overview")
    _tell(
        request, user, "passkey.removed", f"The passkey “{passkey.name}” was removed", {"name": passkey.name}
    )
    messages.success(request, f"The passkey “{passkey.name}” does not work any more.")
    return redirect("two_factor:overview")


def _scan(request: HttpRequest, user: User, form: SetUpForm, following: str) -> HttpResponse:
    device = second_factor.offer(user)
    context = {
        "form": form,
        "next": following,
        "picture": mark_safe(second_factor.qr_code(device)),  # noqa: S308  drawn by us, of our own address
        "secret": second_factor.secret_of(device),
    }
    return render(request, "tenants/two_factor_set_up.html", context, status=422 if form.errors else 200)


@sensitive_variables("codes")
def _codes(request: HttpRequest, codes: list[str], following: str) -> HttpResponse:
    return render(request, "tenants/recovery_codes.html", {"codes": codes, "next": following})


@never_cache
@sensitive_post_parameters()
@login_required
@require_POST
def renew_codes(request: HttpRequest) -> HttpResponse:
    """Ten new recovery codes instead of the old ones."""
    user = signed_in(request)
    form = PasswordAgainForm(request.POST, user=user)
    if not second_factor.has_one(user) or not form.is_valid():
        return _overview(request, form)
    codes = second_factor.new_codes(user)
    _tell(request, user, "two_factor.codes_renewed", "Your recovery codes were renewed")
    return _codes(request, codes, "/")


@never_cache
@sensitive_post_parameters()
@login_required
@require_POST
def turn_off(request: HttpRequest) -> HttpResponse:
    """Back to the password alone."""
    user = signed_in(request)
    form = PasswordAgainForm(request.POST, user=user)
    if not form.is_valid():
        return _overview(request, form)
    if second_factor.has_one(user):
        second_factor.remove(user)
        _tell(request, user, "two_factor.off", "Two-factor log-in is off")
        messages.success(request, "Two-factor log-in is off.")
    return redirect("two_factor:overview")


def _tell(
    request: HttpRequest, user: User, action: str, what: str, after: dict[str, str] | None = None
) -> None:
    """Note it in the log of every workspace the person is in, and write to them, in case it was not them."""
    audit.record_of_person(action, request=request, person=user, after=after)
    mail.send("account_changed", to=user.email, context={"person": user, "what": what})
