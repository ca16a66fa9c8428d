"""`/privacy/` on a workspace's host."""

from __future__ import annotations

from django.urls import path

from chat import privacy_views

app_name = "privacy"
urlpatterns = [
    path("", privacy_views.overview, name="overview"),
    path("retention/", privacy_views.save_retention, name="retention"),
    path("person/", privacy_views.person, name="person"),
    path("person/download/", privacy_views.download, name="download"),
    path("person/erase/", privacy_views.erase, name="erase"),
    path("receipts/<uuid:receipt_id>/", privacy_views.receipt, name="receipt"),
]
