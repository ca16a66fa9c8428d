"""`/costs/` on a workspace's host."""

from __future__ import annotations

from django.urls import path

from chat import cost_views

app_name = "costs"
urlpatterns = [
    path("", cost_views.overview, name="overview"),
    path("budgets/", cost_views.save_budgets, name="budgets"),
    path("keys/add/", cost_views.add_key, name="add_key"),
    path("keys/<slug:provider>/test/", cost_views.test_key, name="test_key"),
    path("keys/<slug:provider>/remove/", cost_views.remove_key, name="remove_key"),
    path("cache/", cost_views.cache_page, name="cache"),
    path("cache/<uuid:entry_id>/", cost_views.change_entry, name="entry"),
]
