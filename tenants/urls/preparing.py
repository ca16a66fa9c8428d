"""On a workspace's host while its schema is being built: only the way in and out."""

from __future__ import annotations

from django.urls import path

from tenants.views import entry

app_name = "tenants"
urlpatterns = [
    path("enter/", entry.enter, name="enter"),
    path("log-in/", entry.log_in, name="log_in"),
    path("log-in/code/", entry.log_in_code, name="log_in_code"),
    path("log-out/", entry.log_out, name="log_out"),
]
