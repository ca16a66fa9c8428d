"""Who a visitor is: the signed token that the widget keeps, and the hash by which a site vouches for its user."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from uuid import UUID

from django.core import signing

from agents.models import Agent
from chat.protocol import Identity
from netvexa.lib.errors import NotAllowed

LIFETIME = timedelta(days=30)  # from the last visit: each welcome brings a new one


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


def check_identity(identity: Identity, *, agent: Agent) -> None:
    """Raise NotAllowed unless the site's server has vouched for this user."""
    made = hmac.new(
        agent.identity_secret.encode(), identity.user_id.encode("utf-8", "replace"), hashlib.sha256
    )
    if not hmac.compare_digest(made.hexdigest().encode(), identity.hash.lower().encode("utf-8", "replace")):
        raise NotAllowed("The site could not prove who you are.")
