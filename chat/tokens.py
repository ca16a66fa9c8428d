"""Who a visitor is: the signed token that the widget keeps, and the proof by which a site vouches for its user."""

from __future__ import annotations

import hashlib
import hmac
import time
from datetime import timedelta
from uuid import UUID

import jwt
from django.core import signing
from django.utils import timezone

from agents.audiences import claimed
from agents.models import Agent
from chat.protocol import Identity
from netvexa.lib.errors import NotAllowed

LIFETIME = timedelta(days=30)  # from the last visit: each welcome brings a new one


JWT_LONGEST = timedelta(hours=24)
JWT_LEEWAY = 60  # seconds that two servers' clocks may differ


class IdentityExpired(NotAllowed):
    """What the site's server once said holds no longer."""

    default_detail = "The site's proof of who you are has expired. Please reload the page."


class BadToken(NotAllowed):
    """The token is forged, too old, or another agent's."""

    default_detail = "This chat has expired. A new one begins."


def visitor_token(visitor_id: UUID, *, agent: Agent) -> str:
    """An opaque text that opens this visitor's conversations with this agent."""
    return signing.dumps(visitor_id.hex, salt=_salt(agent))


def visitor_of(token: str, *, agent: Agent) -> UUID:
    """The visitor whose token this is. Raises BadToken."""
    try:
        return UUID(signing.loads(token, salt=_salt(agent), max_age=LIFETIME))
    except (signing.BadSignature, ValueError, TypeError):
        raise BadToken from None


def _salt(agent: Agent) -> str:
    return f"chat.visitor:{agent.public_id}"  # holds the workspace's key


def proven(identity: Identity, *, agent: Agent) -> Identity:
    """The identity as far as the site's server has vouched for it. Raises NotAllowed.

    While a secret is being exchanged, the new one and the old one are both good.
    """
    for secret in _secrets(agent):
        found = _from_jwt(identity.token, secret) if identity.token else _by_hash(identity, secret)
        if found is not None:
            return found
    raise NotAllowed("The site could not prove who you are.")


def _secrets(agent: Agent) -> list[str]:
    until = agent.retired_secret_until
    old = agent.retired_secret if until is not None and until > timezone.now() else ""
    return [agent.identity_secret, *([old] if old else [])]


def _by_hash(identity: Identity, secret: str) -> Identity | None:
    text = identity.user_id if identity.expires is None else f"{identity.user_id}.{identity.expires}"
    made = hmac.new(secret.encode(), text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(made.encode(), identity.hash.lower().encode("utf-8", "replace")):
        return None
    if identity.expires is not None and identity.expires < time.time():
        raise IdentityExpired
    return identity


def _from_jwt(token: str, secret: str) -> Identity | None:
    try:
        claims = jwt.decode(
            token, secret, algorithms=["HS256"], leeway=JWT_LEEWAY, options={"require": ["sub", "exp"]}
        )
    except jwt.ExpiredSignatureError:
        raise IdentityExpired from None
    except jwt.InvalidTokenError:
        return None
    user_id, expires = str(claims["sub"])[:200], int(claims["exp"])
    if not user_id or expires > time.time() + JWT_LONGEST.total_seconds() + JWT_LEEWAY:
        return None
    name, email = (str(claims.get(key) or "") for key in ("name", "email"))
    audiences = claimed(claims.get("audiences"))
    return Identity(user_id, name=name[:120], email=email[:254], expires=expires, audiences=audiences)
