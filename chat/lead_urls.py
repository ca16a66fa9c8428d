"""`/leads/` on a workspace's host."""

from __future__ import annotations

from django.urls import path

from chat import lead_views

app_name = "leads"
urlpatterns = [
    path("", lead_views.lead_list, name="list"),
    path("export/", lead_views.export, name="export"),
]
