"""What every page knows about the site it is on."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

from tenants.access import Permission, allows


def site(request: HttpRequest) -> dict[str, Any]:
    """The root URL, the workspace and member where the request has them, and what the member may do."""
    member = getattr(request, "member", None)
    return {
        "root_url": settings.ROOT_URL,
        "root_netloc": urlsplit(settings.ROOT_URL).netloc,
        "workspace": getattr(request, "workspace", None),
        "member": member,
        "can": {permission.value: bool(member and allows(member, permission)) for permission in Permission},
    }
