"""The API's tokens: a short access token, and a refresh token that works once.

Both are JWTs whose audience is one workspace, and both stand on a row (`TokenGrant`) that is looked up whenever
one is shown: revoked there, they end at once; where the row cannot be read, nobody gets in. A refresh token that
is shown a second time was stolen from one of the two who showed it, so all tokens of its grant end.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import cast
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from netvexa.lib.errors import AppError
from tenants import credentials
from tenants.context import platform
from tenants.credentials import Credential
from tenants.keys import Scope
from tenants.models import ApiKey, Membership, TokenGrant, User, Workspace

GRANT_LIFETIME = timedelta(days=30)
_TOUCH_EVERY = timedelta(minutes=1)


class TokenRefused(AppError):
    """The token is forged, too old, used already, revoked, or of another workspace: all look alike."""

    code = "token_refused"
    status = 401
    default_detail = "This token is not valid here. Get a new one with your key or your password."


@dataclass(frozen=True, kw_only=True)
class Pair:
    """What a caller is given. `expires_in` is the access token's life in seconds."""

    access: str
    refresh: str
    expires_in: int
    scopes: list[str]


def issue(
    workspace: Workspace,
    *,
    scopes: Iterable[Scope],
    key: ApiKey | None = None,
    member: Membership | None = None,
) -> Pair:
    """Begin a grant that stands on the key or on the member, and give its first pair."""
    refresh = RefreshToken()
    grant = TokenGrant(
        workspace=workspace,
        key=key,
        member=member,
        scopes=sorted(scope.value for scope in scopes),
        refresh_jti=refresh["jti"],
        expires_at=timezone.now() + GRANT_LIFETIME,
    )
    with platform():
        grant.save(force_insert=True)
    return _pair(grant, refresh)


def refresh(given: str, workspace: Workspace | None) -> Pair:
    """A new pair for a refresh token, which is used up by this. Raises TokenRefused.

    `workspace` is the host's; at the API's own host, where there is none, the token names it.
    """
    token = _decoded(RefreshToken, given, workspace)
    following = RefreshToken()
    with platform(), transaction.atomic():
        grant = _grant(token, lock=True)
        fresh = grant is not None and grant.refresh_jti == token["jti"]
        if grant is not None and fresh:
            grant.refresh_jti = following["jti"]
            grant.save(update_fields=["refresh_jti"])
        elif grant is not None:
            grant.revoked_at = timezone.now()
            grant.save(update_fields=["revoked_at"])
    if grant is None or not fresh:
        raise TokenRefused
    return _pair(grant, following)


def recognise(given: str, workspace: Workspace | None) -> Credential:
    """Whom an access token stands for. Raises TokenRefused."""
    token = _decoded(AccessToken, given, workspace)
    with platform():
        grant = _grant(token)
        if grant is None:
            raise TokenRefused
        now = timezone.now()
        if now - grant.last_used_at > _TOUCH_EVERY:
            TokenGrant.objects.filter(pk=grant.pk).update(last_used_at=now)
    return _credential(grant)


def revoke(given: str, workspace: Workspace | None) -> Workspace:
    """End everything that came from the grant of this refresh token; whose it was. Raises TokenRefused."""
    token = _decoded(RefreshToken, given, workspace)
    with platform():
        grant = TokenGrant.objects.select_related("workspace").filter(pk=token["grant"]).first()
        if grant is None:
            raise TokenRefused
        TokenGrant.objects.filter(pk=grant.pk, revoked_at=None).update(revoked_at=timezone.now())
        return grant.workspace


def revoke_all_of(user: User) -> None:
    """End every token that stands on a membership of this person, in all workspaces."""
    with platform():
        TokenGrant.objects.filter(member__user=user, revoked_at=None).update(revoked_at=timezone.now())


def _decoded(kind: type[Token], given: str, workspace: Workspace | None) -> Token:
    try:
        token = kind(given)  # type: ignore[arg-type]  # its annotation wants a token, its code a string
        UUID(token["grant"])
        audience = UUID(token["aud"])
    except (TokenError, KeyError, ValueError, TypeError):
        raise TokenRefused from None
    if workspace is not None and audience != workspace.pk:
        raise TokenRefused
    return token


def _grant(token: Token, *, lock: bool = False) -> TokenGrant | None:
    """The live grant behind a token, if what it stands on is still there."""
    rows = TokenGrant.objects.select_related(
        "workspace", "key__workspace", "member__user", "member__workspace"
    )
    rows = rows.select_for_update(of=("self",)) if lock else rows
    grant = rows.filter(
        pk=token["grant"], workspace=token["aud"], revoked_at=None, expires_at__gt=timezone.now()
    ).first()
    if grant is None:
        return None
    if grant.key is not None:
        return grant if grant.key.is_live else None
    return grant if cast(Membership, grant.member).user.is_active else None


def _credential(grant: TokenGrant) -> Credential:
    scopes = frozenset(Scope(value) for value in grant.scopes)
    if grant.key is not None:
        return credentials.of_key(grant.key, scopes=scopes)
    return credentials.of_member(cast(Membership, grant.member), scopes=scopes)


def _pair(grant: TokenGrant, refresh: RefreshToken) -> Pair:
    access = AccessToken()
    for token in (refresh, access):
        token["aud"], token["grant"] = str(grant.workspace_id), str(grant.pk)
    refresh["exp"] = int(grant.expires_at.timestamp())
    return Pair(
        access=str(access),
        refresh=str(refresh),
        expires_in=int(access.lifetime.total_seconds()),
        scopes=list(grant.scopes),
    )
