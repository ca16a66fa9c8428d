"""The admin site of NETVEXA's staff."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.db.models import Model
from django.db.models.base import ModelBase
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from netvexa.lib.errors import NotAllowed
from tenants import second_factor
from tenants.access import to_second_factor

SECRET = frozenset(
    {"otp_totp.totpdevice", "djstripe.apikey", "djstripe.webhookendpoint", "djstripe.idempotencykey"}
)


class StaffAdminSite(AdminSite):
    """Django's own admin, at the admin host only, as the platform's role."""

    site_header = "NETVEXA staff"
    site_title = "NETVEXA staff"
    index_title = "Platform"
    site_url = None

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff only, and only those who proved a second factor at this log-in."""
        return super().has_permission(request) and second_factor.is_verified(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The log-in of everybody, with its throttle; then the second factor, or setting one up."""
        if not request.user.is_authenticated:
            return redirect_to_login(request.GET.get("next", "/"), reverse("tenants:log_in"))
        if not super().has_permission(request):
            logout(request)  # of this host alone, so that somebody else can log in here
            raise NotAllowed("This is for NETVEXA's staff. Log in as one of them.")
        if second_factor.is_verified(request):
            return redirect("/")
        return to_second_factor(request)

    def register(
        self, model_or_iterable: type[Model] | Iterable[type[Model]], *args: Any, **options: Any
    ) -> None:
        """Pages that would show another service's secrets are left out."""
        models = [model_or_iterable] if isinstance(model_or_iterable, ModelBase) else model_or_iterable
        shown = [model for model in models if model._meta.label_lower not in SECRET]
        super().register(shown, *args, **options)
