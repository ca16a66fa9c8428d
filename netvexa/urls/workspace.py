"""A workspace's host: dashboard, API, widget."""

from __future__ import annotations

from django.urls import include, path

from netvexa.views import dashboard, health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("widget/", include("chat.visitor_urls")),
    path("widget/", include("agents.widget_urls")),
    path("api/v1/", include("netvexa.urls.api_v1")),
    path("", dashboard.home, name="home"),
    path("welcome/", include("netvexa.urls.welcome")),
    path("agents/", include("agents.urls")),
    path("knowledge/", include("knowledge.urls")),
    path("conversations/", include("chat.urls")),
    path("", include("netvexa.pages.workspace_urls")),
    path("two-factor/", include("tenants.urls.two_factor")),
    path("", include("tenants.urls.workspace")),
]
