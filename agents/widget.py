"""What the public may know of an agent: the widget's configuration, and the widget's own files.

Nothing here asks who is asking. The public id finds the workspace, so it works on every host; an unknown
agent, a paused one and one of a workspace that is not ready look alike.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypedDict
from urllib.parse import urlsplit

from django.conf import settings

from agents.appearance import LeadForm, Look, Nudge, lead_form_of, look_of
from agents.hours import Hours, hours_of
from agents.models import Agent, workspace_key_of
from netvexa.lib.errors import NotFound
from netvexa.lib.pictures import picture_type
from tenants.access import workspace_of_key
from tenants.context import WorkspaceNotReady, current_workspace, in_tenant

WIDGET_FILES: Path = settings.BASE_DIR / "static" / "widget"
LOADER = "netvexa.min.js"
# The folder behind each address. An address promises the calls and attributes of its number; one build keeps the
# promises of both, and is what `beta` shows until there is a newer one to try.
_FOLDERS = {"v1": "v1", "v2": "v1", "beta": "v1"}
_CONTENT_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".txt": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_PUBLIC_ID = re.compile(r"[a-z0-9]+-[a-z0-9]+")
_HASHED = re.compile(r"\.[0-9a-f]{8,}(\.|/)")  # of a file, or of the folder that it stands in


class Theme(Look):
    """How bubble and panel look."""

    colour: str
    position: str


class Attachments(TypedDict):
    """Which files a visitor may send."""

    types: list[str]
    max_bytes: int


class WidgetConfig(TypedDict):
    """What the widget reads before it shows anything; see the `Config` of widget/src/config.ts."""

    agent_id: str
    name: str
    avatar: str | None
    greeting: str
    suggestions: list[str]
    theme: Theme
    leads: LeadForm | None
    handoff: bool
    languages: list[str]
    socket: str
    attachments: Attachments | None
    hours: Hours | None
    proactive: list[Nudge]
    rating: bool
    transcript: bool
    privacy_panel: bool
    privacy_url: str | None
    branding: bool
    sound: bool
    strings: dict[str, str | dict[str, str]]


ATTACHMENTS: Attachments = {
    "types": ["image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain"],
    "max_bytes": 10 * 1024 * 1024,
}


@dataclass(frozen=True)
class Picture:
    """An agent's avatar."""

    body: bytes
    content_type: str


@dataclass(frozen=True)
class WidgetFile:
    """A built file of the widget."""

    body: bytes
    gzipped: bytes
    content_type: str
    etag: str
    is_hashed: bool


@contextmanager
def published_agent(public_id: str) -> Iterator[Agent]:
    """Stand in the agent's workspace, whichever host was asked. Raises NotFound."""
    if not _PUBLIC_ID.fullmatch(public_id):
        raise NotFound("There is no such agent.")
    try:
        workspace = workspace_of_key(workspace_key_of(public_id))
        with in_tenant(workspace):
            yield Agent.objects.published(public_id)
    except WorkspaceNotReady as error:
        raise NotFound("There is no such agent.") from error


def config_of(agent: Agent, *, avatar_url: str, white_label: bool) -> WidgetConfig:
    """The agent's public configuration. `avatar_url` is where its avatar would be, if it has one;
    `white_label` whether the workspace's plan lets it hide our name.
    """
    return {
        "agent_id": agent.public_id,
        "name": agent.name,
        "avatar": avatar_url if agent.avatar else None,
        "greeting": agent.greeting,
        "suggestions": list(agent.suggestions),
        "theme": {"colour": agent.colour, "position": agent.position, **look_of(agent)},
        "leads": lead_form_of(agent) if agent.leads_enabled else None,
        "handoff": agent.handoff_enabled,
        "languages": [agent.language] if agent.language else [],
        "socket": socket_address(agent.public_id),
        "attachments": ATTACHMENTS if agent.attachments_enabled else None,
        "hours": hours_of(agent),
        "proactive": list(agent.proactive),
        "rating": agent.rating_enabled,
        "transcript": agent.transcript_enabled,
        "privacy_panel": agent.privacy_enabled,
        "privacy_url": agent.privacy_url or None,
        "branding": agent.branding or not white_label,
        "sound": agent.sound_enabled,
        "strings": agent.strings,
    }


def socket_address(public_id: str) -> str:
    """Where a visitor talks to this agent of the current workspace."""
    root = urlsplit(settings.ROOT_URL)
    scheme = "wss" if root.scheme == "https" else "ws"
    return f"{scheme}://{current_workspace().slug}.{root.netloc}/ws/v1/chat/{public_id}/"


def avatar_of(agent: Agent) -> Picture:
    """The agent's avatar, if it is a picture that a browser shows and never runs. Raises NotFound."""
    if not agent.avatar:
        raise NotFound("This agent has no picture.")
    try:
        with agent.avatar.open("rb") as stored:
            body = stored.read()
    except FileNotFoundError as error:
        raise NotFound("This agent has no picture.") from error
    kind = picture_type(body)
    if kind is None:
        raise NotFound("This agent has no picture.")
    return Picture(body, kind)


def loader_with(config: WidgetConfig | None, version: str) -> WidgetFile:
    """The loader, with an agent's configuration in its hand; None for no such agent. See widget/src/loader.ts."""
    given = json.dumps(config, ensure_ascii=False, separators=(",", ":"))
    body = b"(function(NVC){" + widget_file(version, LOADER).body + f"}})({given});\n".encode()
    return _packed(body, _CONTENT_TYPES[".js"])


def widget_file(version: str, name: str) -> WidgetFile:
    """A file of the built widget. Raises NotFound for any name that is not in the version's folder."""
    folder = WIDGET_FILES / _FOLDERS[version]
    # Compared with what is there, never joined to a path first: no name can lead out of the folder.
    path = next((path for path in folder.rglob("*") if path.relative_to(folder).as_posix() == name), None)
    if path is None or path.suffix not in _CONTENT_TYPES or not path.is_file():
        raise NotFound("There is no such file.")
    return _read(path, path.stat().st_mtime_ns, is_hashed=bool(_HASHED.search(name)))


@lru_cache(maxsize=64)
def _read(path: Path, modified_ns: int, *, is_hashed: bool) -> WidgetFile:
    """`modified_ns` is part of the cache's key, so that a rebuilt file is read again."""
    return _packed(path.read_bytes(), _CONTENT_TYPES[path.suffix], is_hashed=is_hashed)


def _packed(body: bytes, content_type: str, *, is_hashed: bool = False) -> WidgetFile:
    return WidgetFile(
        body=body,
        gzipped=gzip.compress(body, 9, mtime=0),
        content_type=content_type,
        etag=hashlib.sha256(body).hexdigest()[:24],
        is_hashed=is_hashed,
    )
