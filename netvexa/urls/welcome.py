"""The wizard's steps."""

from __future__ import annotations

from django.urls import path

from netvexa.views import wizard

app_name = "welcome"
urlpatterns = [
    path("", wizard.start, name="start"),
    path("agent/", wizard.agent, name="agent"),
    path("knowledge/", wizard.knowledge, name="knowledge"),
    path("try/", wizard.try_it, name="try"),
    path("install/", wizard.install, name="install"),
    path("install/<uuid:agent_id>/send/", wizard.send_to_developer, name="send"),
]
