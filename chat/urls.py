"""Addresses of conversations' pages on a workspace's host."""

from __future__ import annotations

from django.urls import path

from chat import receipt_views, views

app_name = "chat"
urlpatterns = [
    path("", views.conversation_list, name="list"),
    path("<uuid:conversation_id>/", views.show, name="show"),
    path("<uuid:conversation_id>/files/<uuid:attachment_id>/", views.file, name="file"),
    path("<uuid:conversation_id>/receipts/<uuid:message_id>/", receipt_views.show, name="receipt"),
    path("<uuid:conversation_id>/receipts/<uuid:message_id>/replay/", receipt_views.replay, name="replay"),
    path("<uuid:conversation_id>/reply/", views.reply, name="reply"),
    path("<uuid:conversation_id>/take-over/", views.take, name="take_over"),
    path("<uuid:conversation_id>/hand-back/", views.give_back, name="hand_back"),
    path("<uuid:conversation_id>/title/", views.name, name="name"),
    path("<uuid:conversation_id>/close/", views.end, name="close"),
    path("<uuid:conversation_id>/delete/", views.delete, name="delete"),
]
