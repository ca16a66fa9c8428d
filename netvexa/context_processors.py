"""What every page knows about the site it is on."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    """The root URL, and the workspace and member where the request has them."""
    return {
        "root_url": settings.ROOT_URL,
        "root_netloc": urlsplit(settings.ROOT_URL).netloc,
        "workspace": getattr(request, "workspace", None),
        "member": getattr(request, "member", None),
    }
