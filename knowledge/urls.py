"""Addresses of knowledge pages on a workspace's host."""

from __future__ import annotations

from django.urls import path

from knowledge import profile_views, views

app_name = "knowledge"
urlpatterns = [
    path("", views.source_list, name="list"),
    path("agents/<uuid:agent_id>/", views.of_agent, name="of_agent"),
    path("agents/<uuid:agent_id>/add/", views.add, name="add"),
    path("agents/<uuid:agent_id>/languages/", profile_views.choose_languages, name="choose_languages"),
    path("<uuid:source_id>/", views.show, name="show"),
    path("<uuid:source_id>/row/", views.row, name="row"),
    path("<uuid:source_id>/delete/", views.delete, name="delete"),
    path("documents/<uuid:document_id>/state/", views.document_state, name="document_state"),
    path("documents/<uuid:document_id>/retry/", views.retry, name="retry"),
    path("documents/<uuid:document_id>/refetch/", views.refetch, name="refetch"),
]
