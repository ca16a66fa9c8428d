"""A workspace's host while its schema is being built: the way in, and one page for everything else."""

from __future__ import annotations

from django.urls import include, path, re_path

from netvexa.pages import leaving
from netvexa.views import health, preparing

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("two-factor/", include("tenants.urls.two_factor")),
    path("", include("tenants.urls.preparing")),
    path("preparing/restore/", leaving.restore, name="restore_workspace"),
    path("preparing/retry/", preparing.retry, name="retry_preparing"),
    re_path(r"^", preparing.preparing, name="preparing"),
]
