"""Leads: the list, and the file that people open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from agents.models import Agent
from chat.leads import as_csv
from chat.models import Conversation, Lead, Visitor
from netvexa.lib.sheets import safe_cell
from tenants.context import in_tenant
from tenants.models import Workspace


def leave(workspace: Workspace, **fields: Any) -> Lead:
    """A visitor of the workspace leaves contact details."""
    with in_tenant(workspace):
        agent = Agent.objects.first() or Agent.objects.create(name="Mia")
        talk = Conversation.objects.create(
            agent=agent, visitor=Visitor.objects.create(), page_url="https://acme.example/delivery"
        )
        return Lead.objects.create(conversation=talk, **fields)


async def exported(workspace: Workspace, query: str = "") -> list[list[str]]:
    text = "".join([part async for part in as_csv(workspace, query)])
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def test_leads_are_listed_newest_first(owner_client: Client, workspace: Workspace) -> None:
    leave(workspace, name="Ada Lovelace", email="ada@example.com")
    leave(workspace, name="Grace Hopper", phone="+1 555 0100")

    shown = owner_client.get("/leads/").content.decode()

    assert shown.index("Grace Hopper") < shown.index("Ada Lovelace")


def test_a_workspace_without_leads_says_how_they_come(owner_client: Client) -> None:
    assert "No leads yet" in owner_client.get("/leads/").content.decode()


def test_a_search_narrows_the_list(owner_client: Client, workspace: Workspace) -> None:
    leave(workspace, name="Ada Lovelace", email="ada@example.com")
    leave(workspace, name="Grace Hopper", company="Navy")

    shown = owner_client.get("/leads/", {"q": "navy"}).content.decode()

    assert "Grace Hopper" in shown
    assert "Ada Lovelace" not in shown


def test_what_a_visitor_typed_is_no_markup(owner_client: Client, workspace: Workspace) -> None:
    leave(workspace, name="<img src=x onerror=alert(1)>")

    assert "<img src=x" not in owner_client.get("/leads/").content.decode()


@pytest.mark.parametrize("query", [{"q": "\0"}, {"q": "%"}, {"page": "x"}, {"page": "-1"}])
def test_a_strange_query_is_answered(query: dict[str, str], owner_client: Client) -> None:
    assert owner_client.get("/leads/", query).status_code == 200


def test_leads_of_another_workspace_are_not_shown(
    owner_client: Client, workspace: Workspace, other_workspace: Workspace
) -> None:
    leave(other_workspace, name="Somebody else's")

    assert "Somebody else" not in owner_client.get("/leads/").content.decode()


def test_the_export_is_a_file_to_download(owner_client: Client) -> None:
    response = owner_client.get("/leads/export/")

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="leads-acme-')
    assert response["Cache-Control"] == "no-store"


def test_who_took_the_leads_away_is_noted(owner_client: Client) -> None:
    owner_client.get("/leads/export/", {"q": "navy"})

    shown = owner_client.get("/audit-log/").content.decode()

    assert "leads.exported" in shown
    assert "navy" not in shown, "what was looked for may be a person's address, and the log is kept"


@pytest.mark.django_db(transaction=True)
async def test_the_export_has_a_line_for_each_lead_in_the_workspaces_time_zone(workspace: Workspace) -> None:
    lead = await _left(workspace, name="Ada, “the first”", email="ada@example.com", company="Engines\nLtd")
    workspace.time_zone = "Asia/Kolkata"

    heading, line = await exported(workspace)

    assert heading[:3] == ["Time", "Name", "E-mail"]
    assert line[0].endswith("+0530")
    assert line[1:6] == ["Ada, “the first”", "ada@example.com", "", "Engines\nLtd", "Mia"]
    assert line[7] == str(lead.conversation_id)


@pytest.mark.django_db(transaction=True)
async def test_the_export_holds_what_the_search_holds_and_nothing_of_others(
    workspace: Workspace, other_workspace: Workspace
) -> None:
    await _left(workspace, name="Ada")
    await _left(workspace, name="Grace")
    await _left(other_workspace, name="Ada of the others")

    assert [line[1] for line in (await exported(workspace, "ada"))[1:]] == ["Ada"]


@pytest.mark.django_db(transaction=True)
async def test_a_name_that_is_a_formula_arrives_as_text(workspace: Workspace) -> None:
    await _left(workspace, name='=HYPERLINK("https://evil.example";"Click")', phone="+44 20 7946 0000")

    _, line = await exported(workspace)

    assert line[1].startswith("'=")
    assert line[3] == "'+44 20 7946 0000"


@pytest.mark.django_db(transaction=True)
async def test_many_leads_are_exported_in_order_and_each_once(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.leads._BATCH", 2)
    for number in range(5):
        await _left(workspace, name=f"Visitor {number}")

    lines = await exported(workspace)

    assert [line[1] for line in lines[1:]] == [f"Visitor {number}" for number in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_a_spreadsheet_would_run_gets_a_quote(start: str) -> None:
    assert safe_cell(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize("value", ["", "Ada", "a=b", "1-2", " =1"])
def test_other_cells_stay_as_they_are(value: str) -> None:
    assert safe_cell(value) == value


async def _left(workspace: Workspace, **fields: Any) -> Lead:
    return await sync_to_async(leave)(workspace, **fields)
