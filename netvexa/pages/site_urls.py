"""What anybody may read on the root host."""

from __future__ import annotations

from django.urls import path

from netvexa.pages import site

urlpatterns = [
    path("", site.homepage, name="home"),
    path("pricing/", site.pricing, name="pricing"),
    path("help/", site.help_index, name="help"),
    path("help/<slug:slug>/", site.help_page, name="help_page"),
    path("robots.txt", site.robots, name="robots"),
    path(".well-known/security.txt", site.security_txt, name="security_txt"),
]
