"""Who may open a socket to an agent: the host's workspace, the page's origin, and for a preview the member."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TypeVar
from urllib.parse import urlsplit
from uuid import UUID
from weakref import WeakValueDictionary

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db.models import Model
from django.utils.crypto import constant_time_compare

from agents.audiences import claimed
from agents.models import Agent, workspace_key_of
from agents.origins import may_show
from chat.conversations import Belonging
from chat.history import author_of
from chat.models import Channel, Conversation
from chat.protocol import Author
from netvexa.lib.errors import NotAllowed, NotFound
from tenants import second_factor
from tenants.access import Permission, allows, membership_of, workspace_of_host, workspace_of_key
from tenants.context import identity, run_in_tenant, run_nowhere
from tenants.models import Membership, User, Workspace


class OriginRefused(NotAllowed):
    """The page that shows the widget is not one of the agent's sites."""

    default_detail = "This site may not show this agent."


@dataclass(frozen=True, kw_only=True)
class Knock:
    """What a socket says of itself. `origin` is empty for a client that is no browser."""

    host: str
    public_id: str
    origin: str = ""
    session_key: str = ""
    preview: bool = False
    audience: str = ""  # as whose visitor a member of the team asks


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """The agent behind the door."""

    workspace: Workspace
    agent: Agent
    channel: Channel
    belonging: Belonging = field(default_factory=Belonging)


_rows: WeakValueDictionary[tuple[type[Model], object], Model] = WeakValueDictionary()
Row = TypeVar("Row", bound=Model)


async def enter(knock: Knock) -> Entry:
    """The agent, if this socket may talk to it. Raises NotFound, OriginRefused, WorkspaceNotReady."""
    workspace = _shared(await run_nowhere(_workspace, knock))
    entry = await run_in_tenant(workspace, _entry, workspace, knock)
    return replace(entry, agent=_shared(entry.agent))


def _shared(row: Row) -> Row:
    """The same row as other sockets hold, while it says the same: thousands of idle sockets share one copy."""
    kept = _rows.get((type(row), row.pk))
    if isinstance(kept, type(row)) and _fields(kept) == _fields(row):
        return kept
    _rows[type(row), row.pk] = row
    return row


def _fields(row: Model) -> dict[str, object]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def _workspace(knock: Knock) -> Workspace:
    workspace = workspace_of_host(urlsplit(f"//{knock.host}").hostname or "")
    if workspace != workspace_of_key(workspace_key_of(knock.public_id)):
        raise NotFound("There is no such agent.")
    return workspace


def _entry(workspace: Workspace, knock: Knock) -> Entry:
    if knock.preview:
        if not _is_own(knock) or not _is_member(workspace, knock.session_key):
            raise OriginRefused
        agent = Agent.objects.filter(public_id=knock.public_id).first()
        if agent is None:
            raise NotFound("There is no such agent.")
        tried = Belonging(audiences=claimed(knock.audience))
        return Entry(workspace=workspace, agent=agent, channel=Channel.PREVIEW, belonging=tried)
    agent = Agent.objects.published(knock.public_id)
    if not may_show(agent, origin=knock.origin, host=knock.host):
        raise OriginRefused
    return Entry(workspace=workspace, agent=agent, channel=Channel.WIDGET)


def _is_own(knock: Knock) -> bool:
    """Whether the page stands on the workspace's own host."""
    return urlsplit(knock.origin).netloc.lower() == knock.host.lower()


def _is_member(workspace: Workspace, session_key: str) -> bool:
    member = _member_of_session(workspace, session_key)
    return member is not None and allows(member, Permission.VIEW)


@identity()
def _member_of_session(workspace: Workspace, session_key: str) -> Membership | None:
    store = import_module(settings.SESSION_ENGINE).SessionStore
    session = store(session_key=session_key or None)
    if not session_key or session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return None
    user = User.objects.filter(pk=session.get(SESSION_KEY)).first()
    if user is None or not constant_time_compare(
        session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()
    ):
        return None
    member = membership_of(user, workspace)
    if member is None or not second_factor.is_enough(workspace, user, session):
        return None
    return member


# The team's sockets


@dataclass(frozen=True, kw_only=True)
class TeamKnock:
    """What a socket of a dashboard page says of itself."""

    host: str
    origin: str
    session_key: str
    conversation_id: UUID


@dataclass(frozen=True, kw_only=True)
class TeamEntry:
    """A member who watches a conversation of their workspace; `author` is how visitors see them."""

    workspace: Workspace
    user_id: UUID
    author: Author
    may_reply: bool


async def enter_as_member(knock: TeamKnock) -> TeamEntry:
    """The member behind the socket. Raises OriginRefused for all others, NotFound, WorkspaceNotReady."""
    workspace = await run_nowhere(workspace_of_host, urlsplit(f"//{knock.host}").hostname or "")
    return await run_in_tenant(workspace, _team_entry, workspace, knock)


def _team_entry(workspace: Workspace, knock: TeamKnock) -> TeamEntry:
    if urlsplit(knock.origin).netloc.lower() != knock.host.lower():
        raise OriginRefused
    member = _member_of_session(workspace, knock.session_key)
    if member is None or not allows(member, Permission.VIEW):
        raise OriginRefused
    Conversation.objects.get_or_404(knock.conversation_id)
    return TeamEntry(
        workspace=workspace,
        user_id=member.user_id,
        author=author_of(member.user),
        may_reply=allows(member, Permission.REPLY),
    )
