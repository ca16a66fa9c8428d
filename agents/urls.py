"""Addresses of agents' pages on a workspace's host."""

from __future__ import annotations

from django.urls import path

from agents import views

app_name = "agents"
urlpatterns = [
    path("", views.agent_list, name="list"),
    path("new/", views.new, name="new"),
    path("<uuid:agent_id>/", views.show, name="show"),
    path("<uuid:agent_id>/settings/", views.settings, name="settings"),
    path("<uuid:agent_id>/active/", views.set_active, name="set_active"),
    path("<uuid:agent_id>/delete/", views.delete, name="delete"),
    path("<uuid:agent_id>/install/", views.install, name="install"),
    path("<uuid:agent_id>/try/", views.try_it, name="try"),
    path(
        "preview/<str:ticket>/widget/config/<str:public_id>.json",
        views.preview_config,
        name="preview_config",
    ),
    path("<uuid:agent_id>/your-site/", views.sample_site, name="sample_site"),
]
