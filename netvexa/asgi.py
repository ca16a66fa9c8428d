"""The ASGI application: HTTP to Django, sockets to the chat."""

from __future__ import annotations

import os

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "netvexa.settings")

application = ProtocolTypeRouter({"http": get_asgi_application()})
