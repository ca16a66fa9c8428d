"""A workspace's host: dashboard, API, widget."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("widget/", include("agents.widget_urls")),
    path("", include("netvexa.pages.workspace_urls")),
    path("", include("tenants.urls.workspace")),
]
