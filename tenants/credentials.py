"""What a request to the API was let in with: a key, or a token that stands on a key or on a member."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from tenants.access import Permission, allows
from tenants.keys import Scope
from tenants.models import ApiKey, Membership, Workspace

# What a member's role must include for a token of theirs to have the scope: the one table of roles decides.
NEEDED: dict[Scope, Permission] = {
    Scope.READ_AGENTS: Permission.VIEW,
    Scope.WRITE_AGENTS: Permission.EDIT_AGENTS,
    Scope.READ_CONVERSATIONS: Permission.VIEW,
    Scope.WRITE_CONVERSATIONS: Permission.REPLY,
    Scope.READ_KNOWLEDGE: Permission.VIEW,
    Scope.WRITE_KNOWLEDGE: Permission.EDIT_KNOWLEDGE,
    Scope.READ_LEADS: Permission.VIEW,
    Scope.WRITE_LEADS: Permission.REPLY,
    Scope.READ_ANALYTICS: Permission.VIEW,
    Scope.WRITE_WEBHOOKS: Permission.MANAGE_WORKSPACE,
    Scope.ADMIN: Permission.MANAGE_WORKSPACE,
}


@dataclass(frozen=True, kw_only=True)
class Credential:
    """Who calls, where, and what they may do."""

    workspace: Workspace
    scopes: frozenset[Scope]
    name: str  # as the audit log shows it
    holder_id: UUID  # the key, or the member: calls are counted by it
    person_id: UUID | None  # the person behind it, if they are still there
    key: ApiKey | None = None
    hourly_limit: int | None = None
    is_token: bool = False

    def allows(self, scope: Scope) -> bool:
        return scope in self.scopes or Scope.ADMIN in self.scopes


def of_key(key: ApiKey, *, scopes: frozenset[Scope] | None = None) -> Credential:
    """The key's own credential, or of a token made from it, which may have fewer scopes but never more."""
    own = frozenset(Scope(value) for value in key.scopes)
    return Credential(
        workspace=key.workspace,
        scopes=own if scopes is None else within(own, scopes),
        name=f"API key {key}",
        holder_id=key.pk,
        person_id=key.created_by_id,
        key=key,
        hourly_limit=key.hourly_limit,
        is_token=scopes is not None,
    )


def of_member(member: Membership, *, scopes: frozenset[Scope]) -> Credential:
    """A member's token: what it was made for, as far as their role includes it now."""
    return Credential(
        workspace=member.workspace,
        scopes=within(scopes_of(member), scopes),
        name=member.user.email,
        holder_id=member.pk,
        person_id=member.user_id,
    )


def scopes_of(member: Membership) -> frozenset[Scope]:
    """Every scope that the member's role includes."""
    return frozenset(scope for scope, permission in NEEDED.items() if allows(member, permission))


def within(own: frozenset[Scope], asked: frozenset[Scope]) -> frozenset[Scope]:
    """What of `asked` is covered by `own`; `admin` covers everything."""
    return asked if Scope.ADMIN in own else asked & own
