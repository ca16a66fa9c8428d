"""The nightly probe: does anything of another workspace come out of this one's doors?

Every workspace holds a canary (`knowledge.canary`). For each workspace in turn the probe goes through its search
(in this thread and in one of the pool's), its API with a key of its own for the occasion, its kept and given answers
and its exports, asks for what belongs to a neighbour, another one every night, and looks for the neighbours' words
in what comes back. It also looks that its own word is found, since a probe that finds nothing anywhere would find
no leak either. It asks no model, stores no message and is counted nowhere. The result is an event of the audit log,
which nobody can change.

Called outside any workspace, as the platform.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.test import Client  # the whole way of a request, without a network between
from django.utils import timezone

from agents.models import Agent
from chat.leads import as_csv
from chat.models import CachedAnswer, Conversation, Message
from chat.own_data import data_of
from knowledge import canary, retrieval
from tenants import audit
from tenants.context import in_tenant, run_in_tenant
from tenants.keys import Scope, forget, make_key
from tenants.models import Workspace

logger = logging.getLogger(__name__)

AGENTS = 5  # of a workspace, whose search is tried
RECENT = timedelta(days=2)  # answers that are looked through; the night before saw the older ones
_SCOPES = (Scope.READ_AGENTS, Scope.READ_KNOWLEDGE, Scope.READ_CONVERSATIONS, Scope.READ_LEADS)
_LISTS = ("agents", "sources", "documents", "conversations", "leads")


@dataclass(frozen=True)
class Neighbour:
    """What of another workspace is asked for: its word, and the id of one row of each kind that it has."""

    word: str
    rows: dict[str, UUID] = field(default_factory=dict)
    visitor: UUID | None = None


@dataclass
class Report:
    """`tried` counts what was asked, by place; `faults` are sentences, none if all is well."""

    key: str
    tried: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def look(self, place: str, text: str) -> set[str]:
        """Note a fault if another workspace's word stands in `text`; whose words do."""
        self.tried[place] = self.tried.get(place, 0) + 1
        found = canary.owners_of(text)
        for other in sorted(found - {self.key}):
            logger.error("A fact of workspace %s came out of the %s of workspace %s", other, place, self.key)
            self.fault(f"A fact of another workspace came out of the {place}.")
        return found

    def fault(self, sentence: str) -> None:
        if sentence not in self.faults:
            self.faults.append(sentence)


def neighbour_of(workspace: Workspace) -> Neighbour:
    """What the probe of another workspace asks for."""
    with in_tenant(workspace):
        talk = Conversation.objects.order_by("-pk").first()
        rows = {
            "agents": Agent.objects.order_by("-pk").values_list("pk", flat=True).first(),
            "documents": canary.newest_document(),
            "conversations": talk.pk if talk else None,
        }
        return Neighbour(
            word=canary.plant(),
            rows={kind: pk for kind, pk in rows.items() if pk is not None},
            visitor=talk.visitor_id if talk else None,
        )


def probe(workspace: Workspace, neighbour: Neighbour | None) -> Report:
    """Go through every place of `workspace`, and keep the result in its audit log."""
    report = Report(workspace.key)
    with in_tenant(workspace):
        canary.plant()
        _search(report, workspace, neighbour)
        _answers(report)
        _exports(report, workspace, neighbour)
    _api(report, workspace, neighbour)
    with in_tenant(workspace):
        after = {"asked": report.tried, "faults": report.faults}
        audit.note(audit.ISOLATION_PROBED, actor="system", after=after)
    return report


def _search(report: Report, workspace: Workspace, neighbour: Neighbour | None) -> None:
    elsewhere = asyncio.run(run_in_tenant(workspace, canary.nearest))
    for found in (canary.nearest(), elsewhere):
        if workspace.key not in report.look("search", found):
            report.fault("The search does not find this workspace’s own word, so that nothing is proven.")
    question = f"{canary.QUESTION} {neighbour.word if neighbour else ''}"
    for agent_id in Agent.objects.order_by("-pk").values_list("pk", flat=True)[:AGENTS]:
        passages = retrieval.search(question, agent_id=agent_id).passages
        if report.look("search", str(passages)):
            report.fault("The canary came out of an agent’s search: visitors could be told of it.")
    theirs = neighbour.rows.get("agents") if neighbour else None
    if theirs:
        passages = retrieval.search(question, agent_id=theirs).passages
        report.look("search", str(passages))
        if passages:
            report.fault("Passages of another workspace’s agent came out of the search.")


def _answers(report: Report) -> None:
    """No canary, not even the own, was ever given as an answer or kept as one."""
    since = timezone.now() - RECENT
    kept = CachedAnswer.objects.filter(Q(text__contains=canary.MARK) | Q(question__contains=canary.MARK))
    given = Message.objects.filter(created_at__gte=since, text__contains=canary.MARK)
    for place, rows in (("kept answers", kept), ("conversations", given)):
        texts = list(rows.values_list("text", flat=True)[:AGENTS])
        report.look(place, "\n".join(texts))
        if texts:
            report.fault(f"A canary stands in the {place}.")


def _exports(report: Report, workspace: Workspace, neighbour: Neighbour | None) -> None:
    report.look("exports", asyncio.run(_first_leads(workspace)))
    if neighbour is None:
        return
    report.look("exports", asyncio.run(_first_leads(workspace, neighbour.word)))
    if neighbour.visitor:
        data = data_of(neighbour.visitor)
        report.look("exports", str(data))
        if data["visitor"] or data["conversations"]:
            report.fault("Another workspace’s visitor came out of the exports.")


async def _first_leads(workspace: Workspace, query: str = "") -> str:
    """The heading and the newest leads of the file."""
    lines = as_csv(workspace, query)
    return await anext(lines) + await anext(lines, "")


def _api(report: Report, workspace: Workspace, neighbour: Neighbour | None) -> None:
    with in_tenant(workspace):
        ends = timezone.now() + timedelta(minutes=5)
        key = make_key(name="Nightly isolation probe", scopes=_SCOPES, created_by=None, expires_at=ends)
    try:
        for path, is_theirs in _paths(neighbour):
            status, body = _get(workspace, key.secret, path)
            report.look("API", body)
            if is_theirs and status != 404:
                report.fault(f"The API answered {status} to another workspace’s id.")
            if not is_theirs and status != 200:
                report.fault(f"The API answered {status} to its own key.")
    finally:
        with in_tenant(workspace):
            forget(key.row)


def _paths(neighbour: Neighbour | None) -> Iterator[tuple[str, bool]]:
    """Paths of the API below /api/v1/, and whether they name a row of the neighbour's."""
    for kind in _LISTS:
        yield f"{kind}/", False
    for kind, pk in (neighbour.rows if neighbour else {}).items():
        yield f"{kind}/{pk}/", True


def _get(workspace: Workspace, secret: str, path: str) -> tuple[int, str]:
    host = f"{workspace.slug}.{settings.ROOT_HOST}"
    client = Client(
        headers={"host": host, "authorization": f"Bearer {secret}"}, raise_request_exception=False
    )
    answer = client.get(f"/api/v1/{path}", secure=settings.SECURE)
    return answer.status_code, answer.content.decode()
