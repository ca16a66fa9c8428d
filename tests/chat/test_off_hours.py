"""While the team is away: what a visitor is told, what is still taken, and what is not."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from asgiref.sync import sync_to_async

from agents.models import Agent
from chat.models import Lead
from chat.wording import away
from tenants.context import in_tenant
from tenants.models import Workspace
from tests.chat.visitor import chatting
from tests.plugins.processes import Site

pytestmark = pytest.mark.django_db(transaction=True)
QUESTION = "Can I return an item?"


def set_hours(workspace: Workspace, agent: Agent, *, open_now: bool, **changed: Any) -> None:
    """Open around the clock, or not a minute until far ahead."""
    week = [[["00:00", "24:00"]]] * 7 if open_now else [[]] * 7
    base = {"time_zone": "UTC", "week": week, "closed": [], "away": "", "behaviour": "answer"}
    with in_tenant(workspace):
        Agent.objects.filter(pk=agent.pk).update(hours={**base, **changed}, leads_enabled=False)


async def test_asking_for_a_person_says_that_nobody_is_there_and_takes_an_address(
    site: Site, agent: Agent, workspace: Workspace
) -> None:
    await sync_to_async(set_hours)(workspace, agent, open_now=False, away="We are at the lake.")
    async with chatting(site, agent) as chat:
        await chat.answer(QUESTION)
        await chat.send("handoff")
        assert (await chat.until("state"))["state"] == "waiting"
        said = await chat.until("message")
        await chat.send("lead", fields={"email": "eve@example.org"})
        await chat.send("ping")
        await chat.until("pong")
    assert said["author"] == {"kind": "system"}
    assert said["text"].startswith("We are at the lake.")
    assert "e-mail" in said["text"]
    assert chat.numbered() == list(range(1, len(chat.numbered()) + 1))
    assert await sync_to_async(_lead)(workspace) == "eve@example.org"


def _lead(workspace: Workspace) -> str:
    with in_tenant(workspace):
        return Lead.objects.get().email


def test_it_says_when_people_are_back_in_the_visitors_language() -> None:
    week = [[["09:00", "17:00"]], *[[]] * 6]
    hours = {"time_zone": "Europe/Vienna", "week": week, "closed": [], "away": "", "behaviour": "answer"}
    sunday = datetime(2026, 12, 6, 12, tzinfo=ZoneInfo("UTC"))

    assert away(Agent(name="Ada", public_id="k-a", hours=hours), sunday, language="de") == (
        "Das Team ist gerade nicht da. Es ist wieder da am Montag, 7. Dezember, 09:00 (Europe/Vienna)."
        " Hinterlassen Sie Ihre E-Mail-Adresse, dann bekommen Sie dort eine Antwort."
    )


async def test_while_people_are_there_nothing_is_said(site: Site, agent: Agent, workspace: Workspace) -> None:
    await sync_to_async(set_hours)(workspace, agent, open_now=True)
    async with chatting(site, agent) as chat:
        await chat.answer(QUESTION)
        await chat.send("handoff")
        await chat.until("state")
        await chat.send("lead", fields={"email": "eve@example.org"})
        await chat.send("ping")
        await chat.until("pong")
    assert "message" not in {frame["type"] for frame in chat.seen}


async def test_with_the_form_only_a_message_is_refused_until_a_person_is_waited_for(
    site: Site, agent: Agent, workspace: Workspace
) -> None:
    await sync_to_async(set_hours)(workspace, agent, open_now=False, behaviour="form")
    async with chatting(site, agent) as chat:
        await chat.ask(QUESTION)
        refused = await chat.until("error")
        await chat.send("handoff", reason="I need help")
        await chat.until("message")
        await chat.ask(QUESTION)
        await chat.until("ack")
    assert refused["code"] == "not_allowed"
    assert refused["detail"].startswith("The team is away at the moment.")
    assert refused["client_id"]
