"""`/widget/`: on the root host and on every workspace's."""

from __future__ import annotations

from django.urls import path, re_path

from agents import widget_views

app_name = "widget"
urlpatterns = [
    path("config/<str:public_id>.json", widget_views.config, name="config"),
    path("avatar/<str:public_id>", widget_views.avatar, name="avatar"),
    re_path(r"^(?P<version>v1|v2|beta)/(?P<name>.+)$", widget_views.file, name="file"),
]
