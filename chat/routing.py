"""Which consumer serves which socket."""

from __future__ import annotations

from django.urls import path

from chat.consumers import ChatConsumer

websocket_urlpatterns = [path("ws/v1/chat/<str:public_id>/", ChatConsumer.as_asgi())]
