"""Websites, questions, pushed documents and versions through the API."""

from __future__ import annotations

import pytest

from agents.models import Agent
from knowledge import ingest
from knowledge.models import Document, Source, SyncState
from tenants.context import in_tenant
from tenants.models import Workspace
from tests.plugins.integrators import Integrator

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent(workspace: Workspace) -> str:
    with in_tenant(workspace):
        return str(Agent.objects.create(name="Ada").pk)


def read_all(workspace: Workspace) -> None:
    with in_tenant(workspace):
        for document in Document.objects.unfinished():
            ingest.ingest(document.pk)


PUSHED = {"external_id": "art-1", "title": "Hours", "content": "We open at nine."}


def test_a_document_is_pushed_replaced_found_by_its_id_and_deleted(
    api: Integrator, agent: str, workspace: Workspace
) -> None:
    made = api.post("documents/", {"agent": agent, **PUSHED})
    assert (made.status_code, made.json()["external_id"]) == (201, "art-1")
    read_all(workspace)
    assert api.post("documents/", {"agent": agent, **PUSHED, "content": "At ten."}).status_code == 200
    (found,) = api.get("documents/", external_id="art-1").json()["results"]
    assert (found["id"], found["status"], found["serving"]) == (made.json()["id"], "waiting", True)
    assert api.delete(f"documents/{found['id']}/").status_code == 204
    assert api.get(f"documents/{found['id']}/").status_code == 404


def test_a_website_is_added_synced_and_its_interval_set(
    api: Integrator, agent: str, workspace: Workspace
) -> None:
    given = {"agent": agent, "kind": "site", "url": "https://acme.example/help/", "scope": {"pages": 10}}
    source = api.post("sources/", given).json()
    assert (source["scope"]["pages"], source["sync_state"]) == (10, "running")
    with in_tenant(workspace):
        Source.objects.update(sync_state=SyncState.IDLE)
    assert api.post(f"sources/{source['id']}/sync/").json()["sync_state"] == "running"
    assert api.patch(f"sources/{source['id']}/", {"interval_hours": 48}).json()["interval_hours"] == 48
    assert api.patch(f"sources/{source['id']}/", {"interval_hours": 1}).status_code == 400
    assert "/knowledge/hooks/" in api.post(f"sources/{source['id']}/hook/").json()["url"]


def test_questions_are_added_and_replaced_as_a_draft(
    api: Integrator, agent: str, workspace: Workspace
) -> None:
    pairs = [{"question": "Peru?", "answer": "Yes."}]
    source = api.post("sources/", {"agent": agent, "kind": "qa", "title": "FAQ", "pairs": pairs}).json()
    read_all(workspace)
    changed = {"pairs": [{"question": "Peru?", "answer": "No."}], "draft": True}
    assert api.put(f"sources/{source['id']}/content/", changed).status_code == 202
    document = source["documents"][0]["id"]
    versions = api.get("versions/", document=document).json()["results"]
    assert [(row["number"], row["draft"]) for row in versions] == [(1, False), (2, True)]
    assert api.post(f"versions/{versions[1]['id']}/publish/").status_code == 202
    read_all(workspace)
    lines = api.get(f"versions/{versions[0]['id']}/compare/", **{"with": versions[1]["id"]}).json()
    assert {"kind": "added", "text": "No."} in lines
    assert "Yes." in api.get(f"versions/{versions[0]['id']}/").json()["text"]
    assert api.post(f"versions/{versions[0]['id']}/restore/").status_code == 202


def test_what_was_known_is_asked_with_a_time_and_its_zone(
    api: Integrator, agent: str, workspace: Workspace
) -> None:
    api.post("documents/", {"agent": agent, **PUSHED})
    read_all(workspace)
    assert api.get("versions/", at="2020-01-01T00:00:00Z").json()["results"] == []
    assert len(api.get("versions/", at="2099-01-01T00:00:00+00:00").json()["results"]) == 1
    assert api.get("versions/", at="yesterday").status_code == 400


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"kind": "site", "url": "https://a.example/", "scope": {"pages": 0}}, "scope"),
        ({"kind": "qa", "title": "FAQ"}, "pairs"),
        ({"kind": "push"}, "kind"),
    ],
)
def test_a_wrong_field_is_named(api: Integrator, agent: str, fields: dict[str, object], wrong: str) -> None:
    answer = api.post("sources/", {"agent": agent, **fields})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [wrong])


def test_a_stranger_finds_nothing(
    api: Integrator, rival: Integrator, agent: str, workspace: Workspace
) -> None:
    document = api.post("documents/", {"agent": agent, **PUSHED}).json()
    version = api.get("versions/", document=document["id"]).json()["results"][0]["id"]
    source = document["source"]
    assert rival.post("documents/", {"agent": agent, **PUSHED}).status_code == 404
    for path in (
        f"documents/{document['id']}/approve/",
        f"sources/{source}/sync/",
        f"sources/{source}/hook/",
    ):
        assert rival.post(path).status_code == 404
    for path in (f"versions/{version}/publish/", f"versions/{version}/restore/"):
        assert rival.post(path).status_code == 404
    assert rival.get(f"versions/{version}/").status_code == 404
    assert rival.get("versions/", document=document["id"]).json()["results"] == []
    assert rival.delete(f"documents/{document['id']}/").status_code == 404


def test_an_audience_is_given_changed_and_pushed_for(
    api: Integrator, agent: str, workspace: Workspace
) -> None:
    given = {
        "agent": agent,
        "kind": "text",
        "title": "Terms",
        "text": "For partners.",
        "audience": "Partners",
    }
    source = api.post("sources/", given).json()
    assert source["audience"] == "partners"
    assert api.patch(f"sources/{source['id']}/", {"audience": ""}).json()["audience"] == ""
    assert api.patch(f"sources/{source['id']}/", {"audience": "a, b"}).status_code == 400
    assert api.patch(f"sources/{source['id']}/", {}).status_code == 400
    made = api.post("documents/", {"agent": agent, **PUSHED}).json()
    moved = api.post("documents/", {"agent": agent, **PUSHED, "audience": "staff"})
    assert (moved.status_code, moved.json()["id"]) == (200, made["id"])
    assert api.get(f"sources/{moved.json()['source']}/").json()["audience"] == "staff"
