"""Sessions that know whose they are, so that a person can see and end them.

Cookies are host-only, so somebody who works on the root host and in two workspaces has three sessions. All
that began with the same log-in carry its `login_id`, and logging out on one host ends them all.
"""

from __future__ import annotations

import secrets
from typing import Any, cast

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.http import HttpRequest

from tenants.models import Session, User

LOGIN_ID = "login_id"
_DEVICE = "device"


class SessionStore(DatabaseStore):
    """Django's database sessions, on our table."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        session = cast(Session, super().create_model_instance(data))
        session.user_id = data.get(SESSION_KEY)
        session.login_id = data.get(LOGIN_ID, "")
        session.device = data.get(_DEVICE, "")
        return session


def begin(request: HttpRequest, *, login_id: str = "") -> None:
    """Mark the session that `login()` just made; with the `login_id` of the one it was handed over from."""
    request.session[LOGIN_ID] = login_id or secrets.token_urlsafe(16)
    request.session[_DEVICE] = request.headers.get("User-Agent", "")[:300]


def end(user: User, login_id: str) -> None:
    """End every session of this person that began with this log-in, on all hosts."""
    if login_id:
        Session.objects.filter(user_id=user.pk, login_id=login_id).delete()


def end_all_but(user: User, login_id: str) -> int:
    """End the person's other log-ins; returns how many there were."""
    others = Session.objects.filter(user_id=user.pk).exclude(login_id=login_id)
    count = others.values("login_id").distinct().count()
    others.delete()
    return count
