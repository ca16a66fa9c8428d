"""A workspace's host while its schema is being built: one page for every path, which goes on by itself."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from netvexa.lib.errors import NotFound
from tenants.access import Permission, allows, membership_for_switch, membership_of, signed_in
from tenants.context import WorkspaceClosed, WorkspaceNotReady, platform
from tenants.models import Membership, ProvisioningState, Workspace
from tenants.signup import start_provisioning

_RETRY_AFTER = 2  # seconds


def preparing(request: HttpRequest) -> HttpResponse:
    """Say how far the workspace is; 503, so that nobody takes the page for the one that was asked for."""
    workspace = _workspace_of(request)
    if "text/html" not in request.headers.get("Accept", ""):
        error = _error_of(workspace)
        response: HttpResponse = JsonResponse(error.as_json(), status=error.status)
    else:
        response = render(request, "site/preparing.html", _context(request, workspace), status=503)
    if workspace.state != ProvisioningState.SUSPENDED:
        response["Retry-After"] = str(_RETRY_AFTER)
    response["Cache-Control"] = "no-store"
    return response


def _error_of(workspace: Workspace) -> WorkspaceNotReady:
    return WorkspaceClosed() if workspace.state == ProvisioningState.SUSPENDED else WorkspaceNotReady()


def _context(request: HttpRequest, workspace: Workspace) -> dict[str, object]:
    states = ProvisioningState
    member = _member_of(request, workspace) if workspace.deletion_due_at else None
    return {
        "member": member,
        "may_restore": member is not None and allows(member, Permission.DELETE_WORKSPACE),
        "failed": workspace.state == states.FAILED,
        "suspended": workspace.state == states.SUSPENDED,
        "retry_after": _RETRY_AFTER,
    }


def _member_of(request: HttpRequest, workspace: Workspace) -> Membership | None:
    if not request.user.is_authenticated:
        return None
    with platform():
        return membership_of(signed_in(request), workspace)


def _workspace_of(request: HttpRequest) -> Workspace:
    workspace: Workspace = request.workspace  # type: ignore[attr-defined]  # set by HostMiddleware
    return workspace


@require_POST
def retry(request: HttpRequest) -> HttpResponse:
    """Try once more to build the schema; for members only."""
    workspace = _workspace_of(request)
    if not request.user.is_authenticated:
        raise NotFound
    membership_for_switch(signed_in(request), workspace.pk)
    if workspace.state != ProvisioningState.SUSPENDED:
        start_provisioning(workspace)
        messages.info(request, "Trying again.")
    return redirect("/")
