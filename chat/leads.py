"""Leads as a table: what visitors left, for people who read it in a spreadsheet."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import F, QuerySet

from chat.models import Lead
from chat.seeking import leads_with
from netvexa.lib.sheets import START, line_of
from tenants.context import run_in_tenant
from tenants.models import Workspace

COLUMNS = (
    "Time",
    "Name",
    "E-mail",
    "Phone",
    "Company",
    "Agent",
    "Page",
    "Conversation",
    "Score",
    "Why",
)
ORDERS = {"newest": ("-created_at", "-pk"), "score": (F("score").desc(nulls_last=True), "-created_at", "-pk")}
_BATCH = 500


def leads(query: str = "", *, order: str = "newest") -> QuerySet[Lead]:
    """The current workspace's leads in one of ORDERS; those that hold `query` in a field."""
    rows = Lead.objects.select_related("conversation__agent").order_by(*ORDERS[order])
    if not query:
        return rows
    return rows.filter(leads_with(query))


async def as_csv(workspace: Workspace, query: str = "") -> AsyncIterator[str]:
    """The lines of a CSV file with a heading, read in batches so that no number of leads fills the memory.

    A response is streamed after its request has left the workspace, so each batch enters it anew.
    """
    yield START + line_of(COLUMNS)
    zone = ZoneInfo(workspace.time_zone)
    batch = await run_in_tenant(workspace, _batch, query, None)
    while batch:
        yield "".join(line_of(_values(lead, zone)) for lead in batch)
        batch = await run_in_tenant(workspace, _batch, query, batch[-1].pk)


def _batch(query: str, before: UUID | None) -> list[Lead]:
    """The next leads after the one with the id `before`; ids grow with time."""
    rows = leads(query).order_by("-pk")
    return list((rows.filter(pk__lt=before) if before else rows)[:_BATCH])


def _values(lead: Lead, zone: ZoneInfo) -> list[str]:
    talk = lead.conversation
    time = lead.created_at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %z")
    contact = [lead.name, lead.email, lead.phone, lead.company]
    where = [talk.agent.name, talk.page_url, str(talk.pk)] if talk else ["", "", ""]
    return [time, *contact, *where, "" if lead.score is None else str(lead.score), lead.score_reason]
