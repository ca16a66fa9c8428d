"""Nothing personal in the log: a canary goes through sign-up, chat, contact form and errors of real processes."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from agents.models import Agent
from tenants.context import in_tenant
from tenants.models import Workspace
from tests.chat.visitor import chatting
from tests.plugins.people import PASSWORD
from tests.plugins.processes import Site, running_site, running_worker

CANARY = "canary.bird@yellow-feathers.example"
PHONE = "+44 20 7946 0123"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def agent(workspace: Workspace) -> Agent:
    with in_tenant(workspace):
        agent: Agent = Agent.objects.create(name="Mia", contact_email=CANARY)
    return agent


async def test_a_canary_is_seen_in_no_log(workspace: Workspace, agent: Agent, tmp_path: Path) -> None:
    with running_site(tmp_path, NETVEXA_LOG_LEVEL="INFO") as site, running_worker(tmp_path):
        _sign_up(site)
        await _chat(site, agent)
        _break_things(site, workspace)
        logs = _read(tmp_path)

    assert len(logs) == 2
    assert "sign-up" in logs[site.log.name], "the log says what was asked for"
    assert "notify_lead" in "".join(logs.values())
    for name, text in logs.items():
        for personal in (CANARY, "yellow-feathers", "canary.bird", PHONE, "7946 0123"):
            assert personal not in text, (name, next(line for line in text.splitlines() if personal in line))


def _read(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in folder.glob("*.log")}


def _sign_up(site: Site) -> None:
    with httpx.Client(base_url=site.url(), follow_redirects=True) as browser:
        page = browser.get("/sign-up/").text
        token = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
        fields = {
            "name": "Canary",
            "email": CANARY,
            "password": PASSWORD,
            "workspace": "Cage",
            "slug": "cage",
        }
        browser.post("/sign-up/", data={**fields, "csrfmiddlewaretoken": token})
        browser.post("/log-in/", data={"username": CANARY, "email": CANARY, "password": "wrong"})
        browser.post("/password/", data={"email": CANARY})


async def _chat(site: Site, agent: Agent) -> None:
    async with chatting(site, agent) as chat:
        await chat.answer(f"I am {CANARY}, call me at {PHONE}")
        await chat.send("lead", fields={"email": CANARY, "phone": PHONE})
        await chat.send("transcript", email=CANARY)
        await chat.send("lead", fields={"email": f"no address: {CANARY}"})
        await chat.until("error")


def _break_things(site: Site, workspace: Workspace) -> None:
    host = {"host": f"{workspace.slug}.localhost:{site.port}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{site.port}", headers=host) as browser:
        browser.get("/leads/", params={"q": CANARY})
        browser.get(f"/nothing/{CANARY}/")
        browser.post("/api/v1/people/erase/", json={"person": CANARY})
        browser.get("/log-in/", params={"next": f"/{CANARY}"}, headers={"referer": f"http://x/{CANARY}"})
