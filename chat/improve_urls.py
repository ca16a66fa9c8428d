"""`/improve/` on a workspace's host: what a team does about its agents' answers."""

from __future__ import annotations

from django.urls import path

from chat import curated_views, gap_views

app_name = "improve"
urlpatterns = [
    path("agents/<uuid:agent_id>/answers/", curated_views.answers, name="answers"),
    path("agents/<uuid:agent_id>/answers/new/", curated_views.new, name="new_answer"),
    path("agents/<uuid:agent_id>/answers/import/", curated_views.import_file, name="import_answers"),
    path("agents/<uuid:agent_id>/gaps/", gap_views.gap_list, name="gaps"),
    path("gaps/<uuid:gap_id>/", gap_views.gap, name="gap"),
    path("answers/<uuid:curated_id>/", curated_views.answer, name="answer"),
    path("answers/<uuid:curated_id>/delete/", curated_views.delete, name="delete_answer"),
]
