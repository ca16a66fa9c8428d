"""The audit log: who did what, to what, from where. Rows are only ever added, chained."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import models
from django.http import HttpRequest

from netvexa.lib.client import client_address
from tenants.audit_chain import append
from tenants.context import current_workspace, platform
from tenants.models import AuditEvent, User, Workspace


def record(
    action: str,
    *,
    request: HttpRequest,
    subject: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    workspace: Workspace | None = None,
) -> None:
    """Note an action of whoever sent `request`, in its workspace unless another is named.

    Called where the row may be written: in that workspace, or as the platform. Values must be plain JSON;
    secrets never go in.
    """
    user = request.user
    append(
        AuditEvent(
            workspace=workspace or getattr(request, "workspace", None),
            actor_id=user.pk,
            actor=str(user) if user.is_authenticated else "anonymous",
            action=action,
            subject=subject[:200],
            before=before,
            after=after,
            address=client_address(request) or None,
        )
    )


def record_of_person(action: str, *, request: HttpRequest, person: User) -> None:
    """Note what somebody changed about their own account, in each workspace they are a member of.

    Whoever runs a workspace wants to know that a member's account became weaker; a person in none is noted
    for the platform's staff.
    """
    with platform():
        places = list(Workspace.objects.filter(memberships__user=person).order_by("pk"))
        for place in places or [None]:
            record(action, request=request, subject=person.email, workspace=place)


def note(
    action: str,
    *,
    actor: str,
    subject: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    workspace: Workspace | None = None,
) -> UUID:
    """Note what nobody who is logged in has done, in the current workspace unless another is named; the event's id."""
    event = AuditEvent(
        workspace=workspace or current_workspace(),
        actor=actor,
        action=action,
        subject=subject[:200],
        before=before,
        after=after,
    )
    return append(event).pk


def changes(instance: models.Model, fields: list[str]) -> dict[str, Any]:
    """The named fields of a row as plain JSON, for `before` and `after`."""
    return {name: _plain(getattr(instance, name)) for name in fields}


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | list | dict | None) else str(value)
