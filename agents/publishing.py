"""How an agent gets onto a page: the snippet; and the picture that it shows there."""

from __future__ import annotations

from django.core import signing
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile

from agents.models import Agent
from netvexa.lib.ids import short_id
from netvexa.lib.pictures import check_picture
from tenants.addresses import workspace_address
from tenants.context import current_workspace
from tenants.models import Workspace

_PREVIEW, _PREVIEW_SECONDS = "agents.preview", 12 * 60 * 60


def loader_address(workspace: Workspace) -> str:
    """Where pages load the widget from."""
    return workspace_address(workspace, "/widget/v1/netvexa.min.js")


def snippet(agent: Agent, workspace: Workspace) -> str:
    """The one script tag that puts the agent on a page."""
    source = f"{loader_address(workspace)}?agent={agent.public_id}"
    return f'<script async src="{source}"\n        data-agent-id="{agent.public_id}"></script>'


def preview_ticket(agent: Agent, *, audience: str = "") -> str:
    """Shows a page of the dashboard the agent's configuration, paused or not, for half a day; `audience` is the one
    as whose visitor the team asks.
    """
    return signing.dumps([agent.public_id, audience], salt=_PREVIEW)


def opened_preview(ticket: str, public_id: str) -> str | None:
    """The audience of a ticket that is for this agent and still good; None for any other."""
    try:
        given = signing.loads(ticket, salt=_PREVIEW, max_age=_PREVIEW_SECONDS)
    except signing.BadSignature:
        return None
    return str(given[1]) if isinstance(given, list) and given[0] == public_id else None


def set_avatar(agent: Agent, upload: UploadedFile[bytes]) -> None:
    """Give the agent another picture; the row is not saved. Raises PictureRefused."""
    ending = check_picture(upload)
    upload.seek(0)
    name = f"{current_workspace().key}/{short_id(16)}.{ending}"
    agent.avatar.save(name, ContentFile(upload.read()), save=False)
