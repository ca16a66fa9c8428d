"""Which door a request came through, and where its connection stands while it is answered."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.urls import set_urlconf
from django.utils import timezone
from django_otp.middleware import OTPMiddleware

from netvexa.lib.errors import NotFound
from netvexa.lib.outage import OUTAGES, outage_response
from tenants import sessions
from tenants.access import workspace_of_host
from tenants.context import identity, in_tenant, nowhere, platform

GetResponse = Callable[[HttpRequest], HttpResponse]


class HostMiddleware:
    """Chooses urlconf and schema by host, and leaves the connection nowhere afterwards, whatever happened.

    Root, api and admin hosts work in the public schema (admin as the platform's role); any other host must
    be a workspace's. An unknown host is 404.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            host = request.get_host().split(":")[0].lower()
        except DisallowedHost:
            return HttpResponseNotFound("There is nothing at this address.", content_type="text/plain")
        request.workspace = None  # type: ignore[attr-defined]
        door = _door_of(host)
        if door is not None:
            return self._answer(
                request, settings.HOST_URLCONFS[door], platform() if door == "admin" else nowhere()
            )
        return self._answer_in_workspace(request, host)

    def _answer_in_workspace(self, request: HttpRequest, host: str) -> HttpResponse:
        with nowhere():
            try:
                workspace = workspace_of_host(host)
            except NotFound:
                return HttpResponseNotFound("There is nothing at this address.", content_type="text/plain")
            except OUTAGES as error:
                return outage_response(request, error)
        request.workspace = workspace  # type: ignore[attr-defined]
        if not workspace.is_ready:
            return self._answer(request, "netvexa.urls.preparing", nowhere())
        return self._answer(request, settings.ROOT_URLCONF, in_tenant(workspace))

    def _answer(
        self, request: HttpRequest, urlconf: str, standing: AbstractContextManager[object]
    ) -> HttpResponse:
        request.urlconf = urlconf
        set_urlconf(urlconf)
        try:
            with standing:
                return self.get_response(request)
        finally:
            set_urlconf(None)


def _door_of(host: str) -> str | None:
    if host in (settings.ROOT_HOST, "127.0.0.1"):
        return ""
    label = host.removesuffix(f".{settings.ROOT_HOST}")
    return label if label in settings.HOST_URLCONFS and label != host else None


class PersonMiddleware(OTPMiddleware):
    """Session, person and second factor, looked up together when somebody first asks who it is."""

    def _verify_user_sync(self, request: HttpRequest, user: Any) -> Any:
        with identity():
            return super()._verify_user_sync(request, user)


class SeenMiddleware:
    """Keeps when each session was last used, for the person's list of devices."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.session.accessed and SESSION_KEY in request.session:
            sessions.note_seen(request)
        return response


class TimezoneMiddleware:
    """Shows times in the workspace's time zone."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        workspace = getattr(request, "workspace", None)
        if workspace is None:
            return self.get_response(request)
        with timezone.override(zoneinfo.ZoneInfo(workspace.time_zone)):
            return self.get_response(request)
