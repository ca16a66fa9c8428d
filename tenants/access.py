"""Who may enter and do what: roles, permissions, and the only doors to tenant rows.

A role is a set of permissions; views, API and sockets ask for a permission, never for a role.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import Concatenate, ParamSpec, cast
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from netvexa.lib.errors import NotAllowed, NotFound
from tenants import second_factor
from tenants.context import nowhere, platform
from tenants.models import Domain, Membership, Role, User, Workspace

P = ParamSpec("P")


class Permission(StrEnum):
    """What a member may be allowed to do in a workspace."""

    VIEW = "view"
    REPLY = "reply"
    EDIT_KNOWLEDGE = "edit_knowledge"
    EDIT_AGENTS = "edit_agents"
    MANAGE_MEMBERS = "manage_members"
    MANAGE_API_KEYS = "manage_api_keys"
    MANAGE_BILLING = "manage_billing"
    MANAGE_WORKSPACE = "manage_workspace"
    DELETE_WORKSPACE = "delete_workspace"


_VIEWER = frozenset({Permission.VIEW})
_AGENT = _VIEWER | {Permission.REPLY, Permission.EDIT_KNOWLEDGE}
_ADMIN = _AGENT | {Permission.EDIT_AGENTS, Permission.MANAGE_MEMBERS, Permission.MANAGE_API_KEYS}
PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: _VIEWER,
    Role.AGENT: _AGENT,
    Role.ADMIN: _ADMIN | {Permission.MANAGE_WORKSPACE},
    Role.OWNER: frozenset(Permission),
}


class MemberRequest(HttpRequest):
    """A request on a workspace's host by one of its members (for type checkers)."""

    workspace: Workspace
    member: Membership
    user: User


def allows(member: Membership, permission: Permission) -> bool:
    """May this member do this?"""
    return permission in PERMISSIONS[Role(member.role)]


def workspace_of_host(host: str) -> Workspace:
    """The workspace behind a host name without port. Raises NotFound."""
    domain = Domain.objects.select_related("tenant").filter(domain=host.lower()).first()
    if domain is None:
        raise NotFound("There is no workspace at this address.")
    return cast(Workspace, domain.tenant)


def workspace_of_key(key: str) -> Workspace:
    """The workspace whose immutable key stands in an agent's public id. Raises NotFound."""
    with nowhere():  # a workspace's host serves the agents of others, too, and sees no other workspace
        workspace: Workspace | None = Workspace.objects.filter(key=key).first()
    if workspace is None:
        raise NotFound("There is no such agent.")
    return workspace


def membership_of(user: User, workspace: Workspace) -> Membership | None:
    """The person's membership; called while standing in the workspace, or as the platform."""
    if not user.is_authenticated or not user.is_active:
        return None
    member = Membership.objects.filter(workspace=workspace, user=user).first()
    if member is not None:
        member.user = user
    return member


def signed_in(request: HttpRequest) -> User:
    """The person behind a request that only the logged-in reach (for type checkers)."""
    return cast(User, request.user)


def workspaces_of(user: User) -> list[Workspace]:
    """Every workspace the person is a member of, by name."""
    with platform():
        return list(Workspace.objects.filter(memberships__user=user).order_by("name"))


def membership_for_switch(user: User, workspace_id: UUID) -> Membership:
    """The person's membership in another workspace than the current one. Raises NotFound."""
    with platform():
        member = (
            Membership.objects.select_related("workspace")
            .filter(user=user, workspace_id=workspace_id)
            .first()
        )
    if member is None:
        raise NotFound("There is no such workspace.")
    return member


def to_second_factor(request: HttpRequest) -> HttpResponse:
    """Lead somebody who is logged in by a password alone to proving, or setting up, the second factor."""
    step = "tenants:log_in_code" if second_factor.has_one(signed_in(request)) else "two_factor:set_up"
    following = request.get_full_path() if request.method in ("GET", "HEAD") else "/"
    return redirect(f"{reverse(step, urlconf=request.urlconf)}?{urlencode({'next': following})}")


View = Callable[Concatenate[MemberRequest, P], HttpResponse]


def member_required(permission: Permission) -> Callable[[View[P]], Callable[..., HttpResponse]]:
    """Let only members with `permission` into a view of a workspace's host.

    The anonymous are sent to the log-in page; a person who is not a member sees 404 (the workspace does not
    exist for them), a member without the permission 403. Where the workspace requires a second factor, a
    member without one is led to it first. `request.member` is set for the view.
    """

    def decorate(view: View[P]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def guarded(request: MemberRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            member = membership_of(request.user, request.workspace)
            if member is None:
                raise NotFound
            if request.workspace.two_factor_required and not second_factor.is_verified(request):
                return to_second_factor(request)
            if not allows(member, permission):
                raise NotAllowed("Your role in this workspace does not include this.")
            request.member = member
            return view(request, *args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]  # read by the test of every route
        return guarded

    return decorate
