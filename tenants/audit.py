"""The audit log: who did what, to what, from where. Rows are only ever added, chained."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.db import models
from django.http import HttpRequest

from netvexa.lib.client import client_address
from netvexa.lib.masking import mask_cards, mask_contacts
from tenants.audit_chain import append
from tenants.context import current_workspace, platform
from tenants.models import AuditEvent, User, Workspace

HIDDEN = "(hidden)"
_SECRET = re.compile(r"secret|password|passphrase|(^|_)token$|^key$|api_key$|_hash$", re.IGNORECASE)
_IDENTIFIER = re.compile(r"[0-9a-fA-F-]{32,64}|\d{4}-\d\d-\d\d(?:[T ].*)?")  # an id, a digest or a time
ISOLATION_PROBED = "isolation.probed"  # what the nightly probe found, kept where nobody can change it


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

    Called where the row may be written: in that workspace, or as the platform. Values must be plain JSON; what
    is secret or somebody's address in them is blanked.
    """
    user = request.user
    append(
        AuditEvent(
            workspace=workspace or getattr(request, "workspace", None),
            actor_id=user.pk,
            actor=str(user) if user.is_authenticated else "anonymous",
            action=action,
            subject=subject[:200],
            before=_without_secrets(before),
            after=_without_secrets(after),
            address=client_address(request) or None,
        )
    )


def record_of_person(
    action: str, *, request: HttpRequest, person: User, after: dict[str, Any] | None = None
) -> None:
    """Note what somebody changed about their own account, in each workspace they are a member of.

    Whoever runs a workspace wants to know that a member's account became weaker; a person in none is noted
    for the platform's staff.
    """
    with platform():
        for place in places_of(person):
            record(action, request=request, subject=person.email, workspace=place, after=after)


def places_of(person: User) -> list[Workspace | None]:
    """The workspaces whose log tells of a person; None, the platform's, where they are in none."""
    return list(Workspace.objects.filter(memberships__user=person).order_by("pk")) or [None]


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
        before=_without_secrets(before),
        after=_without_secrets(after),
    )
    return append(event).pk


def changes(instance: models.Model, fields: list[str]) -> dict[str, Any]:
    """The named fields of a row as plain JSON, for `before` and `after`."""
    return {name: _plain(getattr(instance, name)) for name in fields}


def difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """`before` and `after` of what is not the same in both, to be handed on to `record`."""
    names = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
    return {
        "before": {name: before[name] for name in names if name in before},
        "after": {name: after[name] for name in names if name in after},
    }


def _without_secrets(value: Any, name: str = "") -> Any:
    """The same value, without what must not stand in clear in rows that are kept for years."""
    if value and _SECRET.search(name):
        return HIDDEN
    if isinstance(value, dict):
        return {key: _without_secrets(one, str(key)) for key, one in value.items()}
    if isinstance(value, list):
        return [_without_secrets(one) for one in value]
    if isinstance(value, str) and not _IDENTIFIER.fullmatch(value):
        return mask_contacts(mask_cards(value))
    return value


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | list | dict | None) else str(value)
