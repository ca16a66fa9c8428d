"""From a proof of who somebody is to a session: the only place where one begins.

Whatever proves it (a password, a hand-over from another host, single sign-on), the way is the same: a person
with a second factor waits for it, then the session begins, is marked, and a new browser is told about by mail.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from django_otp.models import Device

from tenants import audit, devices, second_factor, sessions
from tenants.context import identity, platform
from tenants.models import Membership, User, Workspace

BACKEND: str = settings.AUTHENTICATION_BACKENDS[0]
WAITS_SECONDS = 600
_WAITING = "waiting_for_second_factor"


@dataclass(frozen=True)
class Waiting:
    """Somebody who has proved the first factor, and where they wanted to go."""

    user: User
    following: str


@identity()
def begin(request: HttpRequest, user: User, *, device: Device | None = None) -> None:
    """Log the person in; `device` is the second factor that they have proved as well."""
    request.session.pop(_WAITING, None)
    login(request, user, BACKEND)
    sessions.begin(request)
    if device is not None:
        second_factor.verify_session(request, device)
    devices.note_log_in(request, user)
    _record(request, user)


@identity()
def hand_over(request: HttpRequest, user: User, *, login_id: str, device_id: str) -> None:
    """Continue a log-in of another host on this one, verified if it was there."""
    login(request, user, BACKEND)
    sessions.begin(request, login_id=login_id)
    if (device := second_factor.device_of(user, device_id)) is not None:
        second_factor.verify_session(request, device)
    _record(request, user)


def _record(request: HttpRequest, user: User) -> None:
    """Note in its log that a member came into a workspace, or one of the staff into the admin."""
    workspace: Workspace | None = getattr(request, "workspace", None)
    is_admin = request.urlconf == settings.HOST_URLCONFS["admin"]
    with platform():
        if is_admin or Membership.objects.filter(workspace=workspace, user=user).exists():
            after = {"second_factor": second_factor.is_verified(request)}
            audit.record("session.began", request=request, subject=user.email, after=after)


def wait(request: HttpRequest, user: User, *, following: str) -> None:
    """Note that the person has still to prove the second factor; nobody is logged in by this."""
    request.session.cycle_key()
    request.session[_WAITING] = {
        "user": str(user.pk),
        "hash": user.get_session_auth_hash(),  # a password changed meanwhile ends the wait
        "until": time.time() + WAITS_SECONDS,
        "next": following,
    }


@identity()
def waiting(request: HttpRequest) -> Waiting | None:
    """Who waits in this browser, if they have not waited too long."""
    noted = request.session.get(_WAITING)
    if not noted or noted["until"] < time.time():
        return None
    user = User.objects.filter(pk=noted["user"], is_active=True).first()
    if user is None or not constant_time_compare(noted["hash"], user.get_session_auth_hash()):
        return None
    return Waiting(user, noted["next"])
