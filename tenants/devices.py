"""The browsers a person uses: what to call one, which are known, and a mail when a new one logs in.

A browser is known by a cookie it was given at an earlier log-in, or, because cookies stop at a host, by being
the same kind of browser on the same network.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from netvexa.lib.client import client_address
from tenants import mail
from tenants.addresses import root_address
from tenants.context import identity
from tenants.models import KnownDevice, User

COOKIE = "__Host-device" if settings.SECURE else "netvexa_device"
KEPT_SECONDS = 400 * 24 * 3600  # the longest that browsers keep a cookie
_MARK_LENGTH = 32
_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def name_of(agent: str) -> str:
    """A browser's own long name as people know it: "Chrome on Windows"."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "Unknown browser")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    return f"{browser} on {system}" if system else browser


@identity()
def note_log_in(request: HttpRequest, user: User) -> None:
    """Remember the browser that has just logged in; write to the person if it is a new one.

    The very first log-in is the sign-up and tells nobody anything.
    """
    mark = _cookie_of(request) or secrets.token_urlsafe(24)
    marks = {_hash(user, mark), _hash(user, _kind_of(request))}
    known = set(KnownDevice.objects.filter(user=user).values_list("mark_hash", flat=True))
    if known and not known & marks:
        _alert(request, user)
    for each in marks:
        KnownDevice.objects.update_or_create(user=user, mark_hash=each, defaults={"seen_at": timezone.now()})
    request.device_mark = mark  # type: ignore[attr-defined]  # `keep` gives it to the browser


def keep(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Give the browser that logged in during this request the cookie by which it is known later."""
    if mark := getattr(request, "device_mark", ""):
        response.set_cookie(
            COOKIE, mark, max_age=KEPT_SECONDS, secure=settings.SECURE, httponly=True, samesite="Lax"
        )
    return response


@identity()
def account_at(request: HttpRequest, email: str) -> str:
    """Under which name to count the log-ins of this account: a browser it knows has a count of its own.

    So whoever guesses passwords from elsewhere does not lock the person out of their usual browser.
    """
    user, mark = User.objects.filter(email=email).first(), _cookie_of(request)
    if user and mark and KnownDevice.objects.filter(user=user, mark_hash=_hash(user, mark)).exists():
        return f"{email} {_hash(user, mark)}"
    return email


def _alert(request: HttpRequest, user: User) -> None:
    context = {
        "person": user,
        "device": name_of(request.headers.get("User-Agent", "")),
        "address": client_address(request),
        "at": timezone.now(),
        "link": root_address("tenants:password"),
    }
    mail.send("new_device", to=user.email, context=context)


def _cookie_of(request: HttpRequest) -> str:
    given = request.COOKIES.get(COOKIE, "")
    return given if len(given) == _MARK_LENGTH else ""


def _kind_of(request: HttpRequest) -> str:
    """Kind of browser and network: /24 of IPv4, /48 of IPv6."""
    try:
        address = ipaddress.ip_address(client_address(request))
    except ValueError:
        return f"{name_of(request.headers.get('User-Agent', ''))} nowhere"
    size = 24 if address.version == 4 else 48
    network = ipaddress.ip_network(f"{address}/{size}", strict=False)
    return f"{name_of(request.headers.get('User-Agent', ''))} {network}"


def _hash(user: User, mark: str) -> str:
    return hashlib.sha256(f"{user.pk} {mark}".encode()).hexdigest()
