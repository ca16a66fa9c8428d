"""`/widget/` on a workspace's host, beside the widget's files: what belongs to one visitor."""

from __future__ import annotations

from django.urls import path

from chat import visitor_views

app_name = "visitor"
urlpatterns = [
    path("upload/<str:public_id>/", visitor_views.upload, name="upload"),
    path("data/<str:public_id>/", visitor_views.own, name="data"),
    path("attachment/<str:ticket>/", visitor_views.attachment, name="attachment"),
    path("face/<uuid:user_id>/<str:version>", visitor_views.face, name="face"),
]
