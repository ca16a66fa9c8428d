"""Sessions that know whose they are, so that a person can see and end them.

Cookies are host-only, so somebody who works on the root host and in two workspaces has three sessions. All
that began with the same log-in carry its `login_id`, and logging out on one host ends them all.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db.models import Max, Min
from django.http import HttpRequest
from django.utils import timezone

from netvexa.lib.client import client_address
from tenants.context import identity
from tenants.models import Session, User

LOGIN_ID = "login_id"
_DEVICE, _ADDRESS, _BEGAN = "device", "address", "began"
_SEEN_EVERY = timedelta(minutes=5)
RECENT_SECONDS = 900


class SessionStore(DatabaseStore):
    """Django's database sessions, on our table, which only `identity()` reaches."""

    last_seen_at: datetime | None = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        session = cast(Session, super().create_model_instance(data))
        session.user_id = data.get(SESSION_KEY)
        session.login_id = data.get(LOGIN_ID, "")
        session.device = data.get(_DEVICE, "")
        session.address = data.get(_ADDRESS)
        session.created_at = datetime.fromtimestamp(data.get(_BEGAN, time.time()), UTC)
        return session

    @identity()
    def exists(self, session_key: str) -> bool:
        return bool(super().exists(session_key))

    @identity()
    def save(self, must_create: bool = False) -> None:
        super().save(must_create)

    @identity()
    def delete(self, session_key: str | None = None) -> None:
        super().delete(session_key)

    @identity()
    def _get_session_from_db(self) -> Session | None:
        session = cast("Session | None", super()._get_session_from_db())  # type: ignore[misc]  # not in the stubs
        self.last_seen_at = session.last_seen_at if session else None
        return session


def begin(request: HttpRequest, *, login_id: str = "") -> None:
    """Mark the session that `login()` just made; with the `login_id` of the one it was handed over from."""
    request.session[LOGIN_ID] = login_id or secrets.token_urlsafe(16)
    request.session[_DEVICE] = request.headers.get("User-Agent", "")[:300]
    request.session[_ADDRESS] = client_address(request) or None
    request.session[_BEGAN] = time.time()


def note_seen(request: HttpRequest) -> None:
    """Keep when and from where this session was last used; written every few minutes only."""
    store = cast(SessionStore, request.session)
    now = timezone.now()
    if store.last_seen_at is None or now - store.last_seen_at < _SEEN_EVERY:
        return
    with identity():
        Session.objects.filter(session_key=store.session_key).update(
            last_seen_at=now, address=client_address(request) or None
        )


def is_recent(request: HttpRequest) -> bool:
    """Whether the person logged in so lately that asking for the password again would only annoy."""
    began: float = request.session.get(_BEGAN, 0)
    return time.time() - began < RECENT_SECONDS


@identity()
def log_ins_of(user: User) -> Sequence[Mapping[str, Any]]:
    """The person's log-ins, each with `device`, `address`, `began` and `seen`, the one used last first."""
    rows = Session.objects.filter(user_id=user.pk, expire_date__gt=timezone.now())
    # A log-in has a session on each host; they share the browser, and nearly always the address.
    grouped = rows.values("login_id").annotate(
        began=Min("created_at"), seen=Max("last_seen_at"), device=Max("device"), address=Max("address")
    )
    return list(grouped.order_by("-seen"))


@identity()
def end(user: User, login_id: str) -> int:
    """End every session of this person that began with this log-in, on all hosts; returns how many."""
    if not login_id:
        return 0
    return Session.objects.filter(user_id=user.pk, login_id=login_id).delete()[0]


@identity()
def end_all(user: User) -> None:
    """Log the person out everywhere."""
    Session.objects.filter(user_id=user.pk).delete()


@identity()
def end_all_but(user: User, login_id: str) -> int:
    """End the person's other log-ins; returns how many there were."""
    others = Session.objects.filter(user_id=user.pk).exclude(login_id=login_id)
    count = others.values("login_id").distinct().count()
    others.delete()
    return count
