"""The admin site of NETVEXA's staff."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.db.models import Model
from django.db.models.base import ModelBase
from django.http import HttpRequest

SECRET = frozenset({"djstripe.apikey", "djstripe.webhookendpoint", "djstripe.idempotencykey"})


class StaffAdminSite(AdminSite):
    """Django's own admin, at the admin host only, as the platform's role."""

    site_header = "NETVEXA staff"
    site_title = "NETVEXA staff"
    index_title = "Platform"
    site_url = None

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff only; with STAFF_OTP_REQUIRED, only those who logged in with a second factor."""
        verified = not settings.STAFF_OTP_REQUIRED or request.user.is_verified()  # type: ignore[union-attr]
        return super().has_permission(request) and verified

    def register(
        self, model_or_iterable: type[Model] | Iterable[type[Model]], *args: Any, **options: Any
    ) -> None:
        """Pages that would show another service's secrets are left out."""
        models = [model_or_iterable] if isinstance(model_or_iterable, ModelBase) else model_or_iterable
        shown = [model for model in models if model._meta.label_lower not in SECRET]
        super().register(shown, *args, **options)
