"""What an agent still needs before visitors get something out of it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count
from django.urls import reverse

from agents.models import Agent


@dataclass(frozen=True)
class Step:
    """One thing to do; `detail` says how it stands, `address` where it is done."""

    title: str
    done: bool
    detail: str
    address: str


def steps_of(agent: Agent) -> list[Step]:
    """The steps in the order in which one takes them."""
    sources = Agent.objects.filter(pk=agent.pk).aggregate(number=Count("sources"))["number"]
    settings = reverse("agents:settings", args=[agent.pk])
    return [
        Step(
            "Give it something to know",
            bool(sources),
            f"{sources} source{'' if sources == 1 else 's'}" if sources else "It has no sources yet.",
            reverse("knowledge:of_agent", args=[agent.pk]),
        ),
        Step(
            "Say who is told when a visitor asks for a person",
            bool(agent.contact_email) or not agent.handoff_enabled,
            agent.contact_email or "The owner of the workspace is told.",
            settings,
        ),
        Step("Switch it on", agent.is_active, "Active" if agent.is_active else "It is paused.", settings),
        Step(
            "Put it on your site",
            agent.seen_at is not None,
            f"Seen on {agent.seen_origin}" if agent.seen_at else "No page has loaded it yet.",
            reverse("agents:install", args=[agent.pk]),
        ),
    ]
