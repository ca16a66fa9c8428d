"""The root host: homepage, prices, help, sign-up, log-in, health."""

from __future__ import annotations

from django.urls import include, path

from netvexa.views import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("widget/", include("agents.widget_urls")),
    path("stripe/", include("billing.urls")),
    path("", include("netvexa.pages.site_urls")),
    path("two-factor/", include("tenants.urls.two_factor")),
    path("", include("tenants.urls.root")),
]
