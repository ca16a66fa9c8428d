"""The root host: homepage, sign-up, log-in, health."""

from __future__ import annotations

from django.urls import path

from netvexa import views

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
]
