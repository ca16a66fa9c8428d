"""Addresses of conversations' pages on a workspace's host."""

from __future__ import annotations

from django.urls import path

from chat import views

app_name = "chat"
urlpatterns = [
    path("", views.conversation_list, name="list"),
    path("<uuid:conversation_id>/", views.show, name="show"),
    path("<uuid:conversation_id>/delete/", views.delete, name="delete"),
]
