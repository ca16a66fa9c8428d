"""Which sites may show an agent, and on which it was seen."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from agents.models import Agent

_NOTE_EVERY = timedelta(minutes=10)


def may_show(agent: Agent, *, origin: str, host: str) -> bool:
    """Whether a page of `origin` may show the agent; the workspace's own `host` always may.

    No origin at all is a client that is no browser: it could claim any.
    """
    if not origin or not agent.allowed_origins or _host_of(origin) == host.lower():
        return True
    allowed = {str(allowed).rstrip("/").lower() for allowed in agent.allowed_origins}
    return origin.lower() in allowed


def note_seen(agent: Agent, *, origin: str, host: str) -> None:
    """Remember that a customer's page has loaded the agent; our own pages do not count.

    At most one row is written in ten minutes, however many pages load it.
    """
    if not origin.startswith(("http://", "https://")) or _is_ours(origin):
        return
    if not may_show(agent, origin=origin, host=host):
        return
    now = timezone.now()
    due = Q(seen_at=None) | Q(seen_at__lt=now - _NOTE_EVERY)
    Agent.objects.filter(due, pk=agent.pk).update(seen_at=now, seen_origin=origin.lower()[:200])


def _host_of(origin: str) -> str:
    """With its port, or nothing where the origin is malformed."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _is_ours(origin: str) -> bool:
    name = _host_of(origin).partition(":")[0]
    return name == settings.ROOT_HOST or name.endswith(f".{settings.ROOT_HOST}")
