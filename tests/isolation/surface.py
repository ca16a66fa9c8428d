"""Everything that can be called from outside, found in the product itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.management import get_commands
from django.urls import URLPattern, URLResolver, get_resolver

import netvexa.urls.admin
from chat import protocol
from chat.routing import websocket_urlpatterns
from netvexa.celery import app as celery

URLCONFS = {
    "root": "netvexa.urls.root",
    "workspace": "netvexa.urls.workspace",
    "preparing": "netvexa.urls.preparing",
    "api": "netvexa.urls.api",
    "admin": netvexa.urls.admin.__name__,
}
ALL_METHODS = ("get", "post", "put", "patch", "delete")
PAGE_METHODS = ("get", "post")
_PART = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")
OWN_APPS = ("netvexa", "tenants", "billing", "agents", "knowledge", "chat")


@dataclass(frozen=True)
class Route:
    """One pattern of one host's urlconf."""

    host: str
    pattern: str

    @property
    def key(self) -> str:
        """How the registry names it: the API is one, whichever door it is reached by."""
        if self.is_api:
            return f"api {self.pattern.removeprefix('api/').removeprefix('v1/')}"
        return "admin *" if self.host == "admin" else f"{self.host} {self.pattern}"

    @property
    def is_api(self) -> bool:
        return self.pattern.startswith({"workspace": "api/v1/", "api": "v1/"}.get(self.host, "-"))

    @property
    def methods(self) -> tuple[str, ...]:
        return ALL_METHODS if self.is_api else PAGE_METHODS

    @property
    def arguments(self) -> list[str]:
        return [one or other for one, other in _PART.findall(self.pattern)]

    def path(self, given: dict[str, object]) -> str:
        filled = _PART.sub(lambda found: str(given[found[1] or found[2]]), self.pattern)
        return "/" + re.sub(r"(?<!\w)\^|\$$|\\Z", "", filled)


def routes() -> list[Route]:
    """Of every host; a new urlconf in the settings must be named in URLCONFS."""
    known = set(URLCONFS.values())
    unknown = {*settings.HOST_URLCONFS.values(), settings.ROOT_URLCONF} - known
    if unknown:
        raise LookupError(f"Name these urlconfs in tests/isolation/surface.py: {sorted(unknown)}")
    return [
        Route(host, found) for host, urlconf in URLCONFS.items() for found in _patterns(get_resolver(urlconf))
    ]


def _patterns(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    for one in resolver.url_patterns:
        pattern = prefix + str(one.pattern)
        if isinstance(one, URLPattern):
            yield pattern
        else:
            yield from _patterns(one, pattern)


def tasks() -> dict[str, type]:
    """Our Celery tasks by name, each with its class."""
    celery.loader.import_default_modules()
    return {name: type(task) for name, task in celery.tasks.items() if name.partition(".")[0] in OWN_APPS}


def commands() -> set[str]:
    """Our management commands."""
    return {name for name, app in get_commands().items() if str(app) in OWN_APPS}


def frames() -> set[str]:
    """What a visitor's socket takes."""
    return set(protocol._READERS)


def sockets() -> set[str]:
    """Patterns of the sockets' addresses; the empty one is where nothing is."""
    return {str(one.pattern) for one in websocket_urlpatterns if str(one.pattern)}


def channel_groups() -> list[str]:
    """Modules that use channel groups: those are names that two workspaces could share."""
    files = [path for app in OWN_APPS for path in (Path(settings.BASE_DIR) / app).rglob("*.py")]
    return sorted(path.name for path in files if re.search(r"group_(add|send)\b", path.read_text()))
