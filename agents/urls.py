"""Addresses of agents' pages on a workspace's host."""

from __future__ import annotations

from django.urls import path

from agents import views, widget_pages

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
    path("<uuid:agent_id>/widget/", widget_pages.first, name="widget"),
    path("<uuid:agent_id>/widget/identity/", widget_pages.identity_page, name="identity"),
    path("<uuid:agent_id>/widget/identity/show/", widget_pages.show_secret, name="show_secret"),
    path("<uuid:agent_id>/widget/identity/exchange/", widget_pages.exchange_secret, name="exchange_secret"),
    path("<uuid:agent_id>/widget/identity/end-old/", widget_pages.end_old_secret, name="end_old_secret"),
    path("<uuid:agent_id>/widget/<slug:name>/", widget_pages.group, name="widget_group"),
    path("<uuid:agent_id>/your-site/", views.sample_site, name="sample_site"),
]
