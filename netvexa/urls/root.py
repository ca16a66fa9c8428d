"""The root host: homepage, sign-up, log-in, health."""

from __future__ import annotations

from django.urls import include, path

from netvexa.views import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("widget/", include("agents.widget_urls")),
]
