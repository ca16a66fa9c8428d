"""`/improve/` on a workspace's host: what a team does about its agents' answers."""

from __future__ import annotations

from django.urls import path

from chat import curated_views, gap_views, trial_views

app_name = "improve"
urlpatterns = [
    path("agents/<uuid:agent_id>/answers/", curated_views.answers, name="answers"),
    path("agents/<uuid:agent_id>/answers/new/", curated_views.new, name="new_answer"),
    path("agents/<uuid:agent_id>/answers/import/", curated_views.import_file, name="import_answers"),
    path("agents/<uuid:agent_id>/gaps/", gap_views.gap_list, name="gaps"),
    path("gaps/<uuid:gap_id>/", gap_views.gap, name="gap"),
    path("agents/<uuid:agent_id>/tests/", trial_views.tests, name="tests"),
    path("agents/<uuid:agent_id>/tests/new/", trial_views.new, name="new_test"),
    path("agents/<uuid:agent_id>/tests/import/", trial_views.import_file, name="import_tests"),
    path("agents/<uuid:agent_id>/tests/run/", trial_views.run, name="run_tests"),
    path("agents/<uuid:agent_id>/tests/from/<uuid:message_id>/", trial_views.from_answer, name="test_from"),
    path("tests/<uuid:expectation_id>/", trial_views.expectation, name="test"),
    path("tests/<uuid:expectation_id>/delete/", trial_views.delete, name="delete_test"),
    path("runs/<uuid:trial_id>/", trial_views.trial, name="trial"),
    path("answers/<uuid:curated_id>/", curated_views.answer, name="answer"),
    path("answers/<uuid:curated_id>/delete/", curated_views.delete, name="delete_answer"),
]
