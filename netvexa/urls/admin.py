"""The admin host: NETVEXA's staff."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("two-factor/", include("tenants.urls.two_factor")),
    path("", include("tenants.urls.admin")),
    path("", admin.site.urls),
]
