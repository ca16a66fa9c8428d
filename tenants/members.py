"""The members of a workspace: who they are, what role they have, and that an owner always remains."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from netvexa.lib.errors import AppError, NotAllowed, NotFound
from tenants.context import current_workspace, identity
from tenants.models import Membership, Role


class LastOwner(AppError):
    """Without an owner nobody could manage the workspace any more."""

    code = "last_owner"
    status = 409
    default_detail = "A workspace needs an owner. Make somebody else an owner first."


def members() -> QuerySet[Membership]:
    """The current workspace's members, oldest first."""
    here = Membership.objects.filter(workspace=current_workspace())
    return here.with_people().order_by("created_at", "pk")


def get_or_404(member_id: UUID | str) -> Membership:
    """A member of the current workspace. Raises NotFound."""
    member = members().filter(pk=member_id).first()
    if member is None:
        raise NotFound("There is no such member.")
    return member


def may_give(actor: Membership, role: Role) -> bool:
    """Only owners make owners, or change what owners are."""
    return actor.role == Role.OWNER or role != Role.OWNER


@identity()
def change_role(member_id: UUID | str, role: Role, *, actor: Membership) -> Membership:
    """Give a member another role. Raises NotFound, NotAllowed, LastOwner."""
    with transaction.atomic():
        member = _locked(member_id, actor=actor)
        if not may_give(actor, role):
            raise NotAllowed("Only an owner can make somebody an owner.")
        if member.role == Role.OWNER and role != Role.OWNER:
            _keep_an_owner(member)
        member.role = role
        member.save(update_fields=["role"])
    return member


@identity()
def remove(member_id: UUID | str, *, actor: Membership) -> Membership:
    """Take a member out of the workspace. Raises NotFound, NotAllowed, LastOwner."""
    with transaction.atomic():
        member = _locked(member_id, actor=actor)
        if member.role == Role.OWNER:
            _keep_an_owner(member)
        Membership.objects.filter(pk=member.pk).delete()
    return member


def leave(member: Membership) -> None:
    """Leave the workspace oneself. Raises LastOwner."""
    remove(member.pk, actor=member)


def _locked(member_id: UUID | str, *, actor: Membership) -> Membership:
    # All of the workspace's owners are locked first, so that two who leave at once cannot both succeed.
    list(members().filter(role=Role.OWNER).select_for_update(of=("self",)).order_by("pk"))
    member = get_or_404(member_id)
    if not may_give(actor, Role(member.role)):
        raise NotAllowed("Only an owner can change or remove an owner.")
    return member


def _keep_an_owner(member: Membership) -> None:
    if not members().filter(role=Role.OWNER).exclude(pk=member.pk).exists():
        raise LastOwner
