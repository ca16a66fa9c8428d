"""The team of a workspace: members, invitations, and the seats that both take."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from billing.limits import check
from billing.plans import Limit
from billing.subscriptions import standing_of
from netvexa.lib.errors import AppError, NotAllowed, NotFound
from tenants import audit, invitations, members, second_factor
from tenants.access import MemberRequest, Permission, allows, member_required
from tenants.addresses import root_address
from tenants.forms import InviteForm, RoleForm
from tenants.models import Invitation, Role, Workspace


@dataclass(frozen=True)
class Seats:
    """How many seats are taken, by members and open invitations, of how many; None is no limit."""

    used: int
    maximum: int | None


def seats_of(workspace: Workspace) -> Seats:
    """The seats of the current workspace."""
    return Seats(members.members().count() + len(_open()), standing_of(workspace).limits[Limit.SEATS])


def _open(but: UUID | None = None) -> list[Invitation]:
    """Invitations that can still be accepted, without the one with the id `but`."""
    now = timezone.now()
    return [row for row in invitations.pending() if row.expires_at > now and row.pk != but]


@member_required(Permission.VIEW)
@require_safe
def member_list(request: MemberRequest) -> HttpResponse:
    """Everybody in the workspace, and who is invited."""
    return _page(request, InviteForm())


def _page(request: MemberRequest, form: InviteForm) -> HttpResponse:
    roles = [choice for choice in Role.choices if members.may_give(request.member, Role(choice[0]))]
    team = list(members.members())
    context = {
        "team": team,
        "with_second_factor": second_factor.holders(member.user_id for member in team),
        "invitations": invitations.pending(),
        "now": timezone.now(),
        "form": form,
        "roles": roles,
        "may_manage": allows(request.member, Permission.MANAGE_MEMBERS),
        "is_owner": request.member.role == Role.OWNER,
        "seats": seats_of(request.workspace),
    }
    return render(request, "app/members.html", context, status=422 if form.errors else 200)


@member_required(Permission.MANAGE_MEMBERS)
@require_POST
def invite(request: MemberRequest) -> HttpResponse:
    """Invite somebody by e-mail, if the plan has a seat left."""
    form = InviteForm(request.POST)
    if form.is_valid():
        try:
            row = _invite(
                request, form.cleaned_data["email"].strip().lower(), Role(form.cleaned_data["role"])
            )
        except AppError as error:
            form.add_error("email", error.detail)
        else:
            messages.success(request, f"We sent an invitation to {row.email}.")
            return redirect("members:list")
    return _page(request, form)


def _invite(request: MemberRequest, email: str, role: Role) -> Invitation:
    """Send the invitation under the workspace's lock, so that two at once cannot take the last seat."""
    email = email.strip().lower()
    if not members.may_give(request.member, role):
        raise NotAllowed("Only an owner can invite an owner.")
    with transaction.atomic():
        Workspace.objects.select_for_update().get(pk=request.workspace.pk)
        replaced = next((row.pk for row in invitations.pending() if row.email == email), None)
        used = members.members().count() + len(_open(but=replaced))
        check(standing_of(request.workspace), Limit.SEATS, used)
        row = invitations.invite(email, role=role, by=request.user)
        audit.record("invitation.sent", request=request, subject=row.email, after={"role": role.value})
    return row


@member_required(Permission.MANAGE_MEMBERS)
@require_POST
def resend(request: MemberRequest, invitation_id: UUID) -> HttpResponse:
    """Send an invitation again, with a new link and a new end; the older link stops working."""
    old = next((row for row in invitations.pending() if row.pk == invitation_id), None)
    if old is None:
        raise NotFound("There is no such invitation.")
    try:
        row = _invite(request, old.email, Role(old.role))
    except AppError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, f"We sent {row.email} a new link. The older one no longer works.")
    return redirect("members:list")


@member_required(Permission.MANAGE_MEMBERS)
@require_POST
def withdraw(request: MemberRequest, invitation_id: UUID) -> HttpResponse:
    """Take an invitation back."""
    row = invitations.withdraw(invitation_id)
    audit.record("invitation.withdrawn", request=request, subject=row.email)
    messages.success(request, f"The invitation of {row.email} is taken back.")
    return redirect("members:list")


@member_required(Permission.MANAGE_MEMBERS)
@require_POST
def change_role(request: MemberRequest, member_id: UUID) -> HttpResponse:
    """Give a member another role."""
    before = members.get_or_404(member_id).role
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose one of the roles.")
        return redirect("members:list")
    try:
        member = members.change_role(member_id, Role(form.cleaned_data["role"]), actor=request.member)
    except (NotAllowed, members.LastOwner) as error:
        messages.error(request, error.detail)
        return redirect("members:list")
    audit.record(
        "member.role_changed",
        request=request,
        subject=member.user.email,
        before={"role": before},
        after={"role": member.role},
    )
    messages.success(request, f"{member.user.display_name} is now: {Role(member.role).label}.")
    return redirect("members:list")


@member_required(Permission.MANAGE_MEMBERS)
@require_POST
def remove(request: MemberRequest, member_id: UUID) -> HttpResponse:
    """Take a member out."""
    try:
        member = members.remove(member_id, actor=request.member)
    except (NotAllowed, members.LastOwner) as error:
        messages.error(request, error.detail)
        return redirect("members:list")
    audit.record("member.removed", request=request, subject=member.user.email, before={"role": member.role})
    messages.success(request, f"{member.user.display_name} is not a member any more.")
    return redirect("members:list")


@member_required(Permission.VIEW)
@require_POST
def leave(request: MemberRequest) -> HttpResponse:
    """Leave the workspace oneself."""
    try:
        members.leave(request.member)
    except members.LastOwner as error:
        messages.error(request, error.detail)
        return redirect("members:list")
    audit.record("member.left", request=request, subject=request.user.email)
    return redirect(root_address("tenants:workspaces"))
