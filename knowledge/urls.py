"""Addresses of knowledge pages on a workspace's host."""

from __future__ import annotations

from django.urls import path

from knowledge import profile_views, radar_views, site_views, version_views, views

app_name = "knowledge"
urlpatterns = [
    path("", views.source_list, name="list"),
    path("agents/<uuid:agent_id>/", views.of_agent, name="of_agent"),
    path("agents/<uuid:agent_id>/add/", views.add, name="add"),
    path("agents/<uuid:agent_id>/languages/", profile_views.choose_languages, name="choose_languages"),
    path("<uuid:source_id>/", views.show, name="show"),
    path("<uuid:source_id>/row/", views.row, name="row"),
    path("<uuid:source_id>/audience/", views.choose_audience, name="choose_audience"),
    path("<uuid:source_id>/delete/", views.delete, name="delete"),
    path("preview/", site_views.show_preview, name="preview"),
    path("radar/", radar_views.radar, name="radar"),
    path("radar/scan/", radar_views.scan, name="scan"),
    path("radar/<uuid:finding_id>/dismiss/", radar_views.dismiss, name="dismiss"),
    path("known/", version_views.known, name="known"),
    path("hooks/<uuid:source_id>/<slug:secret>/", site_views.hook, name="hook"),
    path("<uuid:source_id>/sync/", site_views.sync_now, name="sync"),
    path("<uuid:source_id>/sync/state/", site_views.state, name="sync_state"),
    path("<uuid:source_id>/interval/", site_views.set_interval, name="interval"),
    path("<uuid:source_id>/hook/", site_views.renew_hook, name="renew_hook"),
    path("<uuid:source_id>/replace/", version_views.replace_file, name="replace"),
    path("<uuid:source_id>/text/", version_views.text, name="text"),
    path("<uuid:source_id>/questions/", version_views.questions, name="questions"),
    path("documents/<uuid:document_id>/versions/", version_views.versions, name="versions"),
    path(
        "documents/<uuid:document_id>/versions/<int:number>/restore/", version_views.restore, name="restore"
    ),
    path(
        "documents/<uuid:document_id>/versions/<int:number>/publish/", version_views.publish, name="publish"
    ),
    path("documents/<uuid:document_id>/release/", version_views.release, name="release"),
    path("documents/<uuid:document_id>/approve/", version_views.approve, name="approve"),
    path("documents/<uuid:document_id>/refuse/", version_views.refuse, name="refuse"),
    path("documents/<uuid:document_id>/state/", views.document_state, name="document_state"),
    path("documents/<uuid:document_id>/retry/", views.retry, name="retry"),
    path("documents/<uuid:document_id>/refetch/", views.refetch, name="refetch"),
]
