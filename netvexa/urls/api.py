"""The API host: the workspace comes from the key."""

from __future__ import annotations

from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="api:reference")),
    path("v1/", include("netvexa.urls.api_v1")),
]
