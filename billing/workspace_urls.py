"""Pages about paying, on a workspace's host below /plan/."""

from __future__ import annotations

from django.urls import path

from billing import views

app_name = "billing"
urlpatterns = [
    path("choose/", views.choose, name="choose"),
    path("checkout/", views.start, name="checkout"),
    path("portal/", views.portal, name="portal"),
    path("change/", views.change, name="change"),
    path("keep/", views.keep, name="keep"),
    path("cancel/", views.cancel, name="cancel"),
    path("resume/", views.resume, name="resume"),
    path("overage/", views.allow_overage, name="allow_overage"),
    path("overage/stop/", views.stop_overage, name="stop_overage"),
    path("arrived/", views.arrived, name="arrived"),
]
