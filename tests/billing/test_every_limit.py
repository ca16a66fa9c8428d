"""Every limit of the plans is held, and says which it is, how much is used, and where a larger plan is chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from agents.models import Agent
from agents.providers import tier_table
from agents.tiers import choices
from billing.models import Entitlement, UsageBucket, UsageKind
from billing.plans import PLANS, Limit, Tier
from billing.usage import this_month
from knowledge.documents import add_file
from knowledge.ingest import ingest
from knowledge.models import Document, DocumentStatus, Source, SourceKind, Version
from tenants.addresses import named_workspace_address
from tenants.context import in_tenant, platform
from tenants.keys import Scope
from tenants.models import Role, Workspace
from tests.knowledge.files import pdf
from tests.plugins.integrators import Integrator, at_host, new_key
from tests.plugins.people import add_member

pytestmark = pytest.mark.django_db
STARTER = PLANS[Tier.STARTER].limits


@pytest.fixture
def starter(workspace: Workspace) -> Workspace:
    """A workspace on the smallest plan, with its agent."""
    with platform():
        Entitlement.objects.create(workspace=workspace, tier=Tier.STARTER)
    with in_tenant(workspace):
        Agent.objects.create(name="Mia")
    return workspace


@pytest.fixture
def program(starter: Workspace) -> Integrator:
    return at_host(starter, new_key(starter, Scope.ADMIN).secret)


def most(limit: Limit) -> int:
    maximum = STARTER[limit]
    assert maximum is not None
    return maximum


def add_document(*, pages: int, size: int = 1) -> None:
    source = Source.objects.create(agent=Agent.objects.get(), kind=SourceKind.FILE, title="Handbook")
    document = Document.objects.create(source=source, title="Handbook", status=DocumentStatus.READY)
    document.live = Version.objects.create(document=document, number=1, pages=pages, size=size)
    document.save(update_fields=["live"])


def fill_sources() -> None:
    agent = Agent.objects.get()
    Source.objects.bulk_create(
        Source(agent=agent, kind=SourceKind.TEXT, title=f"{number}") for number in range(most(Limit.SOURCES))
    )


def fill_answers() -> None:
    workspace = Entitlement.objects.get().workspace
    UsageBucket.objects.create(
        workspace=workspace, kind=UsageKind.ANSWERS, period=this_month(), used=most(Limit.ANSWERS)
    )


def new_text() -> tuple[str, dict[str, Any]]:
    agent_id = str(Agent.objects.get().pk)
    return "sources/", {"agent": agent_id, "kind": "text", "title": "Hours", "text": "Open from 9 to 17."}


@dataclass(frozen=True)
class Case:
    """How a limit is used up, the request that is one too many, and the answer to it."""

    fill: Callable[[], None]
    ask: Callable[[], tuple[str, dict[str, Any]]]
    status: int = 403
    code: str = "limit_reached"


CASES: dict[Limit, Case] = {
    Limit.AGENTS: Case(lambda: None, lambda: ("agents/", {"name": "Max"})),
    Limit.SOURCES: Case(fill_sources, new_text),
    Limit.PAGES: Case(lambda: add_document(pages=most(Limit.PAGES)), new_text),
    Limit.STORAGE_BYTES: Case(lambda: add_document(pages=1, size=most(Limit.STORAGE_BYTES)), new_text),
    Limit.ANSWERS: Case(
        fill_answers,
        lambda: (f"agents/{Agent.objects.get().pk}/messages/", {"text": "When do you open?"}),
        status=402,
        code="quota_exceeded",
    ),
}


TALKING = pytest.param(Limit.ANSWERS, marks=pytest.mark.django_db(transaction=True))  # it has its own threads


@pytest.mark.parametrize("limit", [*(limit for limit in CASES if limit is not Limit.ANSWERS), TALKING])
def test_the_api_refuses_one_more_with_the_numbers_and_the_way_on(
    starter: Workspace, program: Integrator, limit: Limit
) -> None:
    case = CASES[limit]
    with in_tenant(starter):
        case.fill()
        path, body = case.ask()
        upgrade = named_workspace_address(starter, "workspace:plan")

    answer = program.post(path, body)

    said = answer.json()
    assert (answer.status_code, said["code"], said["limit"]) == (case.status, case.code, limit.value)
    assert (said["used"], said["maximum"]) == (most(limit), most(limit))
    assert said["upgrade_url"] == upgrade
    assert said["detail"].endswith(".")


def test_api_calls_beyond_the_hour_wait_and_say_how_long(starter: Workspace, program: Integrator) -> None:
    answered = 0
    while (refused := program.get("usage/")).status_code == 200:
        answered += 1

    assert most(Limit.API_CALLS) <= answered <= most(Limit.API_CALLS) + 10  # some come back while it runs
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert refused["RateLimit-Limit"] == str(most(Limit.API_CALLS))
    assert int(refused["Retry-After"]) > 0


def test_seats_are_members_and_open_invitations(starter: Workspace, owner_client: Client) -> None:
    add_member(starter, "mate@acme.example", Role.VIEWER)

    said = owner_client.post("/members/invite/", {"email": "new@acme.example", "role": "viewer"}, follow=True)

    assert "includes 2 seats, and 2 are used" in said.content.decode()


def test_the_pages_of_a_file_count_when_it_is_read(starter: Workspace) -> None:
    with in_tenant(starter):
        add_document(pages=most(Limit.PAGES) - 2)
        source = add_file(Agent.objects.get(), name="long.pdf", content=pdf(pages=3))
        document = source.documents.get()
        ingest(document.pk)
        document.refresh_from_db()

    assert (document.status, document.error_code) == (DocumentStatus.FAILED, "limit_reached")
    assert "500 pages" in document.error


def test_a_model_of_a_larger_plan_is_refused_with_the_way_on(starter: Workspace, program: Integrator) -> None:
    table = tier_table()
    larger = next(name for name in choices(table, "business") if name not in choices(table, "starter"))
    with in_tenant(starter):
        agent_id = Agent.objects.get().pk

    answer = program.patch(f"agents/{agent_id}/", {"model": larger})

    said = answer.json()
    assert (answer.status_code, said["code"], said["limit"]) == (403, "not_in_plan", "models")
    assert said["upgrade_url"].endswith("/plan/")
    assert program.patch(f"agents/{agent_id}/", {"model": "made:up"}).status_code == 400


def test_without_white_label_our_name_stays(starter: Workspace, owner_client: Client) -> None:
    with in_tenant(starter):
        agent = Agent.objects.get()
        agent.branding = False  # from a larger plan that ended
        agent.save(update_fields=["branding"])
    config = Client(headers={"host": "localhost"}).get(f"/widget/config/{agent.public_id}.json").json()

    assert config["branding"] is True
    page = owner_client.get(f"/agents/{agent.pk}/widget/look/").content.decode()
    assert "Professional plan and those above it can leave it out" in page


def test_what_stands_above_a_smaller_plans_limit_stays_and_only_more_is_refused(
    starter: Workspace, program: Integrator
) -> None:
    with in_tenant(starter):
        Agent.objects.create(name="Max")  # from a larger plan that ended

    assert len(program.get("agents/").json()["results"]) == 2
    assert program.post("agents/", {"name": "Eve"}).json()["used"] == 2
