"""From one host to another without logging in twice.

Cookies are host-only on purpose. A person who is known on the root host is sent to a workspace's `/enter/`
with a token that is signed, good for a minute, for one person and one workspace, and works once.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from urllib.parse import urlencode

from django.core import signing
from django.core.cache import cache

from netvexa.lib.errors import AppError
from tenants.addresses import named_workspace_address, safe_path
from tenants.context import identity
from tenants.models import User, Workspace

LIFETIME_SECONDS = 60
_SALT = "tenants.handover"


class BadHandover(AppError):
    """The token is forged, too old, used already, or for another workspace."""

    code = "bad_handover"
    status = 403
    default_detail = "This link has expired. Please log in."


@dataclass(frozen=True)
class Handover:
    """Whom a token lets in, and where to."""

    user: User
    login_id: str
    device_id: str
    path: str


def address_of(
    workspace: Workspace, user: User, *, login_id: str, device_id: str = "", path: str = "/"
) -> str:
    """Where to send a person who is logged in here, so that they are logged in there.

    `device_id` is the second factor that the session here was verified with, if it was.
    """
    given = {
        "u": str(user.pk),
        "w": str(workspace.pk),
        "l": login_id,
        "d": device_id,
        "p": path,
        "n": secrets.token_hex(8),
    }
    token = signing.dumps(given, salt=_SALT, compress=True)
    return f"{named_workspace_address(workspace, 'tenants:enter')}?{urlencode({'token': token})}"


def redeem(token: str, workspace: Workspace) -> Handover:
    """Whom this token lets into `workspace`. Raises BadHandover; the second time for the same token too."""
    try:
        given = signing.loads(token, salt=_SALT, max_age=LIFETIME_SECONDS)
    except signing.BadSignature:
        raise BadHandover from None
    if given["w"] != str(workspace.pk):
        raise BadHandover
    if not cache.add(f"handover:{given['n']}", 1, LIFETIME_SECONDS * 2):
        raise BadHandover
    with identity():
        user = User.objects.filter(pk=given["u"], is_active=True).first()
    if user is None:
        raise BadHandover
    return Handover(user, given["l"], given["d"], safe_path(given["p"]))
