"""Which consumer serves which socket."""

from __future__ import annotations

from django.urls import path, re_path

from chat.consumers import ChatConsumer, NoSuchSocket
from chat.team_socket import TeamConsumer

websocket_urlpatterns = [
    path("ws/v1/chat/<str:public_id>/", ChatConsumer.as_asgi()),
    path("ws/v1/team/<uuid:conversation_id>/", TeamConsumer.as_asgi()),
    re_path("", NoSuchSocket.as_asgi()),
]
