"""Members, invitations and API keys of a workspace."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from netvexa.lib.errors import AppError, NotAllowed, NotFound
from tenants import audit, invitations, keys, members
from tenants.access import MemberRequest, Permission, member_required
from tenants.addresses import root_address
from tenants.forms import ApiKeyForm, InviteForm, RoleForm
from tenants.keys import Scope
from tenants.models import ApiKey, Role


@member_required(Permission.VIEW)
@require_GET
def member_list(request: MemberRequest) -> HttpResponse:
    """Everybody in the workspace, and who is invited."""
    return _members_page(request, InviteForm())


def _members_page(request: MemberRequest, form: InviteForm) -> HttpResponse:
    context = {
        "members": members.members(),
        "invitations": invitations.pending(),
        "form": form,
        "roles": [(value, label) for value, label in Role.choices if members.may_give(request.member, Role(value))],
        "may_manage": request.member.role in (Role.OWNER, Role.ADMIN),
    }
    return render(request, "tenants/members.html", context, status=422 if form.errors else 200)


@member_required(Permission.MANAGE_MEMBERS)
@require_POST
def invite(request: MemberRequest) -> HttpResponse:
    """Invite somebody by e-mail."""
    form = InviteForm(request.POST)
    if form.is_valid():
        role = Role(form.cleaned_data["role"])
        try:
            if not members.may_give(request.member, role):
                raise NotAllowed("Only an owner can invite an owner.")
            row = invitations.invite(form.cleaned_data["email"], role=role, by=request.user)
        except AppError as error:
            form.add_error("email", error.detail)
        else:
            audit.record("invitation.sent", request=request, subject=row.email, after={"role": role.value})
            messages.success(request, f"We sent an invitation to {row.email}.")
            return redirect("tenants:members")
    return _members_page(request, form)


@member_required(Permission.MANAGE_MEMBERS)
@require_POST
def withdraw_invitation(request: MemberRequest, invitation_id: UUID) -> HttpResponse:
    """Take an invitation back."""
    row = invitations.withdraw(invitation_id)
    audit.record("invitation.withdrawn", request=request, subject=row.email)
    messages.success(request, f"The invitation of {row.email} is taken back.")
    return redirect("tenants:members")


@member_required(Permission.MANAGE_MEMBERS)
@require_POST
def change_role(request: MemberRequest, member_id: UUID) -> HttpResponse:
    """Give a member another role."""
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose one of the roles.")
        return redirect("tenants:members")
    before = members.get_or_404(member_id)
    try:
        member = members.change_role(member_id, Role(form.cleaned_data["role"]), actor=request.member)
    except (NotAllowed, members.LastOwner) as error:
        messages.error(request, error.detail)
        return redirect("tenants:members")
    audit.record(
        "member.role_changed",
        request=request,
        subject=member.user.email,
        before={"role": before.role},
        after={"role": member.role},
    )
    messages.success(request, f"{member.user.display_name} is now: {Role(member.role).label}.")
    return redirect("tenants:members")


@member_required(Permission.MANAGE_MEMBERS)
@require_POST
def remove_member(request: MemberRequest, member_id: UUID) -> HttpResponse:
    """Take a member out."""
    try:
        member = members.remove(member_id, actor=request.member)
    except (NotAllowed, members.LastOwner) as error:
        messages.error(request, error.detail)
        return redirect("tenants:members")
    audit.record("member.removed", request=request, subject=member.user.email, before={"role": member.role})
    messages.success(request, f"{member.user.display_name} is not a member any more.")
    return redirect("tenants:members")


@member_required(Permission.VIEW)
@require_POST
def leave(request: MemberRequest) -> HttpResponse:
    """Leave the workspace oneself."""
    try:
        members.leave(request.member)
    except members.LastOwner as error:
        messages.error(request, error.detail)
        return redirect("tenants:members")
    audit.record("member.left", request=request, subject=request.user.email)
    return redirect(root_address("tenants:workspaces"))


@member_required(Permission.MANAGE_API_KEYS)
@require_GET
def api_keys(request: MemberRequest) -> HttpResponse:
    """The workspace's API keys."""
    return _keys_page(request, ApiKeyForm())


def _keys_page(request: MemberRequest, form: ApiKeyForm, secret: str = "") -> HttpResponse:
    context = {"keys": keys.live_keys(), "form": form, "secret": secret, "scopes": list(Scope)}
    response = render(request, "tenants/api_keys.html", context, status=422 if form.errors else 200)
    response["Cache-Control"] = "no-store"  # the page may show a secret
    return response


@member_required(Permission.MANAGE_API_KEYS)
@require_POST
def create_api_key(request: MemberRequest) -> HttpResponse:
    """Make a key and show it, this once."""
    form = ApiKeyForm(request.POST)
    if not form.is_valid():
        return _keys_page(request, form)
    scopes = [Scope(value) for value in form.cleaned_data["scopes"]]
    new = keys.make_key(name=form.cleaned_data["name"], scopes=scopes, created_by=request.user)
    audit.record("api_key.created", request=request, subject=str(new.row), after={"scopes": new.row.scopes})
    return _keys_page(request, ApiKeyForm(), secret=new.secret)


@member_required(Permission.MANAGE_API_KEYS)
@require_POST
def revoke_api_key(request: MemberRequest, key_id: UUID) -> HttpResponse:
    """End a key now."""
    key = _key_or_404(key_id)
    keys.revoke(key)
    audit.record("api_key.revoked", request=request, subject=str(key))
    messages.success(request, f"The key “{key.name}” does not work any more.")
    return redirect("tenants:api_keys")


def _key_or_404(key_id: UUID) -> ApiKey:
    key = keys.live_keys().filter(pk=key_id).first()
    if key is None:
        raise NotFound("There is no such key.")
    return key
