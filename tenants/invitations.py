"""Inviting a person into a workspace by e-mail; only the hash of the link's token is kept."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from netvexa.lib.errors import AppError, NotFound
from tenants import attempts, mail
from tenants.addresses import root_address
from tenants.context import current_workspace, identity, platform
from tenants.models import Invitation, Membership, Role, User

LIFETIME = timedelta(days=7)


class AlreadyMember(AppError):
    """The invited person is in the workspace already."""

    code = "already_member"
    status = 409
    default_detail = "This person is a member of the workspace already."


class WrongPerson(AppError):
    """Somebody else than the invited person opened the link."""

    code = "wrong_person"
    status = 403
    default_detail = "This invitation was sent to another e-mail address. Log in with that one to accept it."


@identity()
def invite(email: str, *, role: Role, by: User) -> Invitation:
    """Invite into the current workspace; an earlier invitation of the same person is replaced."""
    workspace, email = current_workspace(), email.strip().lower()
    attempts.count(attempts.INVITATIONS_BY_WORKSPACE, workspace.key)
    if Membership.objects.filter(workspace=workspace, user__email=email).exists():
        raise AlreadyMember
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        Invitation.objects.filter(workspace=workspace, email=email, accepted_at=None).delete()
        invitation: Invitation = Invitation.objects.create(
            workspace=workspace,
            email=email,
            role=role,
            token_hash=_hash(token),
            invited_by=by,
            expires_at=timezone.now() + LIFETIME,
        )
        link = root_address("tenants:invitation", token)
        mail.send(
            "invitation",
            to=email,
            context={"workspace": workspace, "by": by, "role": Role(role).label, "link": link},
        )
    return invitation


@identity()
def pending() -> list[Invitation]:
    """The current workspace's invitations that may still be accepted, newest first."""
    return list(
        Invitation.objects.filter(workspace=current_workspace(), accepted_at=None).order_by("-created_at")
    )


@identity()
def withdraw(invitation_id: UUID | str) -> Invitation:
    """Take an invitation of the current workspace back. Raises NotFound."""
    row: Invitation | None = Invitation.objects.filter(
        workspace=current_workspace(), pk=invitation_id, accepted_at=None
    ).first()
    if row is None:
        raise NotFound("There is no such invitation.")
    Invitation.objects.filter(pk=row.pk).delete()
    return row


def find(token: str) -> Invitation:
    """The open invitation behind a link. Raises NotFound."""
    with platform():
        row: Invitation | None = (
            Invitation.objects.select_related("workspace", "invited_by")
            .filter(token_hash=_hash(token), accepted_at=None, expires_at__gt=timezone.now())
            .first()
        )
    if row is None:
        raise NotFound("This invitation has expired, was taken back or has been used already.")
    return row


def accept(token: str, user: User) -> Membership:
    """Make the invited person a member; their address is proved by this. Raises NotFound, WrongPerson."""
    invitation = find(token)
    if invitation.email != user.email:
        raise WrongPerson
    with platform(), transaction.atomic():
        member, _ = Membership.objects.get_or_create(
            workspace=invitation.workspace, user=user, defaults={"role": invitation.role}
        )
        Invitation.objects.filter(pk=invitation.pk).update(accepted_at=timezone.now())
        User.objects.filter(pk=user.pk, email_confirmed_at=None).update(email_confirmed_at=timezone.now())
    return member


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
