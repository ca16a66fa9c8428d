"""Addresses across hosts: the root host and each workspace's."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from tenants.models import Workspace


def root_address(name: str, *args: object) -> str:
    """The whole address of a named page of the root host."""
    path: str = reverse(name, urlconf=settings.PUBLIC_SCHEMA_URLCONF, args=args)
    return f"{settings.ROOT_URL}{path}"


def host_of(slug: str) -> str:
    """The host name of the workspace with this slug, without port."""
    return f"{slug}.{settings.ROOT_HOST}"


def workspace_address(workspace: Workspace, path: str = "/") -> str:
    """The whole address of a path on a workspace's host."""
    root = urlsplit(settings.ROOT_URL)
    return urlunsplit((root.scheme, f"{workspace.slug}.{root.netloc}", path, "", ""))


def named_workspace_address(workspace: Workspace, name: str, *args: object) -> str:
    """The whole address of a named page on a workspace's host."""
    return workspace_address(workspace, reverse(name, urlconf=settings.ROOT_URLCONF, args=args))


def safe_path(given: str, *, default: str = "/") -> str:
    """`given` if it is a path on this very host, else `default`: no open redirects."""
    is_path = given.startswith("/") and given[1:2] not in ("/", "\\")
    if is_path and url_has_allowed_host_and_scheme(given, allowed_hosts=None):
        return given
    return default
