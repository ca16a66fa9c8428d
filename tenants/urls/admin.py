"""On the admin host: the same way in as everywhere."""

from __future__ import annotations

from django.urls import path

from tenants.views import entry

app_name = "tenants"
urlpatterns = [
    path("log-in/", entry.log_in, name="log_in"),
    path("log-in/code/", entry.log_in_code, name="log_in_code"),
    path("log-out/", entry.log_out, name="log_out"),
]
