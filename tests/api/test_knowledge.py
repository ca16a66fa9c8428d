"""Sources and documents through the API."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from agents.models import Agent
from billing.models import Entitlement
from billing.plans import Tier
from knowledge.models import Document, DocumentStatus, Source
from tenants.context import in_tenant, platform
from tenants.models import Workspace
from tests.plugins.integrators import Integrator

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent(workspace: Workspace) -> str:
    with in_tenant(workspace):
        return str(Agent.objects.create(name="Ada").pk)


def add_text(api: Integrator, to: str, **fields: Any) -> Any:
    given = {"agent": to, "kind": "text", "title": "Prices", "text": "It costs 29 dollars a month."}
    return api.post("sources/", {**given, **fields})


def test_a_text_is_added_listed_and_deleted(api: Integrator, agent: str) -> None:
    made = add_text(api, agent)
    assert made.status_code == 201
    source = made.json()
    assert source["documents"][0]["status"] == "waiting"

    assert [row["id"] for row in api.get("sources/", agent=agent).json()["results"]] == [source["id"]]
    document = api.get(f"documents/{source['documents'][0]['id']}/").json()
    assert (document["title"], document["serving"]) == ("Prices", False)
    assert len(api.get("documents/", source=source["id"], status="waiting").json()["results"]) == 1
    assert api.get("documents/", status="ready").json()["results"] == []

    assert api.delete(f"sources/{source['id']}/").status_code == 204
    assert api.get(f"sources/{source['id']}/").status_code == 404


def test_a_file_is_uploaded(api: Integrator, agent: str) -> None:
    file = SimpleUploadedFile("prices.md", b"# Prices\n\nIt costs 29 dollars a month.")

    answer = api.upload("sources/", {"agent": agent, "kind": "file", "file": file})

    assert answer.status_code == 201
    assert answer.json()["title"] == "prices.md"


def test_a_web_page_is_added(api: Integrator, agent: str) -> None:
    answer = api.post("sources/", {"agent": agent, "kind": "url", "url": "https://example.com/help"})

    assert (answer.status_code, answer.json()["url"]) == (201, "https://example.com/help")


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"kind": "dream"}, "kind"),
        ({"agent": "nobody"}, "agent"),
        ({"text": ""}, "text"),
        ({"kind": "url"}, "url"),
        ({"kind": "file"}, "kind"),  # files come as a form
        ({"added_by": str(uuid4())}, "added_by"),
        ({"url": "javascript:alert(1)"}, "url"),
    ],
)
def test_a_wrong_field_is_named(api: Integrator, agent: str, fields: dict[str, str], wrong: str) -> None:
    answer = add_text(api, agent, **fields)

    assert answer.status_code == 400
    assert wrong in answer.json()["fields"]


def test_a_text_for_nobodys_agent_is_not_found(api: Integrator) -> None:
    assert add_text(api, str(uuid4())).status_code == 404


def test_an_empty_file_is_refused_with_a_sentence(api: Integrator, agent: str) -> None:
    file = SimpleUploadedFile("empty.md", b"")

    answer = api.upload("sources/", {"agent": agent, "kind": "file", "file": file})

    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_what_failed_is_read_again(api: Integrator, agent: str, workspace: Workspace) -> None:
    source = add_text(api, agent).json()
    with in_tenant(workspace):
        Document.objects.update(status=DocumentStatus.FAILED, error="It could not be read.")

    answer = api.post(f"sources/{source['id']}/retry/")

    assert answer.status_code == 202
    assert answer.json()["documents"][0]["status"] == "waiting"


def test_a_stranger_finds_no_knowledge(api: Integrator, rival: Integrator, agent: str) -> None:
    source = add_text(api, agent).json()

    assert add_text(rival, agent).status_code == 404
    assert rival.get(f"sources/{source['id']}/").status_code == 404
    assert rival.delete(f"sources/{source['id']}/").status_code == 404
    assert rival.post(f"sources/{source['id']}/retry/").status_code == 404
    assert rival.get(f"documents/{source['documents'][0]['id']}/").status_code == 404
    assert rival.get("sources/").json()["results"] == []
    assert rival.get("documents/").json()["results"] == []


def test_past_the_plans_storage_it_says_so(api: Integrator, agent: str, workspace: Workspace) -> None:
    with platform():
        Entitlement.objects.create(workspace=workspace, tier=Tier.STARTER)
    with in_tenant(workspace):
        owner_of_all = Agent.objects.get(pk=agent)
        Source.objects.bulk_create(Source(agent=owner_of_all, kind="text", title="x") for _ in range(50))

    answer = add_text(api, agent)

    assert (answer.status_code, answer.json()["limit"]) == (403, "sources")


@pytest.mark.parametrize("query", [{"source": "x"}, {"status": "x"}])
def test_a_wrong_filter_is_an_error(api: Integrator, query: dict[str, str]) -> None:
    assert api.get("documents/", **query).status_code == 400
