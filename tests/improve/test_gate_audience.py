"""The gate for whom something is meant for: a source's audience, and that of a document that a program sends."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from agents.models import Agent
from chat.models import Trial
from chat.tasks import run_trial, try_content
from knowledge.models import Document, Source, Version
from knowledge.tasks import ingest_document
from tenants.context import in_tenant
from tenants.models import Workspace
from tests.improve.test_gate import decide, noted, set_gate, source_of
from tests.improve.test_gate_content import read, text_that_serves
from tests.improve.test_test_sets import expect, tried
from tests.plugins.integrators import Integrator

pytestmark = pytest.mark.django_db(transaction=True)
BULBS = "How many kinds of bulbs do you sell?"


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    for task in (run_trial, ingest_document):
        monkeypatch.setattr(task, "enqueue", lambda *_job: None)
    monkeypatch.setattr(try_content, "apply_async", lambda *_job, **_when: None)


def audience_of(source: Source, workspace: Workspace) -> str:
    with in_tenant(workspace):
        return Source.objects.get(pk=source.pk).audience


def test_a_source_answers_everybody_until_its_new_audience_was_tested(
    tested: Agent, workspace: Workspace, owner_client: Client
) -> None:
    source = source_of(tested, workspace)
    answered = owner_client.post(f"/knowledge/{source.pk}/audience/", {"audience": "Partners"})
    trial = tried(workspace)
    assert answered["Location"] == f"/improve/runs/{trial.pk}/"
    assert (trial.verdict, trial.broken, audience_of(source, workspace)) == ("held", 1, "")
    assert "three to five" in trial.results[0]["before"]["text"]
    shown = owner_client.get(f"/improve/runs/{trial.pk}/").content.decode()
    assert "everybody</del>" in shown
    assert "visitors of “partners” only</ins>" in shown
    decide(owner_client, trial, "apply")
    assert audience_of(source, workspace) == "partners"
    assert {"change.tested_first", "change.apply"} <= noted(workspace)


def test_an_audience_whose_visitors_are_asked_for_gets_its_answer(
    agent: Agent, workspace: Workspace, owner_client: Client
) -> None:
    source = source_of(agent, workspace)
    expect(workspace, agent, must=["three to five"], audiences=["partners"])
    owner_client.post(f"/knowledge/{source.pk}/audience/", {"audience": "partners"})
    assert tried(workspace).verdict == "applied"
    with in_tenant(workspace):
        Trial.objects.all().delete()
    owner_client.post(f"/knowledge/{source.pk}/audience/", {"audience": "staff"})
    assert tried(workspace).verdict == "held"
    with in_tenant(workspace):
        Trial.objects.all().delete()
    owner_client.post(f"/knowledge/{source.pk}/audience/", {"audience": ""})
    assert tried(workspace).verdict == "applied"
    assert audience_of(source, workspace) == ""


def test_the_api_tells_the_run_and_sets_what_is_not_tested(
    tested: Agent, workspace: Workspace, api: Integrator
) -> None:
    source = source_of(tested, workspace)
    set_gate(workspace, "block")
    assert api.patch(f"sources/{source.pk}/", {"audience": ""}).status_code == 200
    answered = api.patch(f"sources/{source.pk}/", {"audience": "partners"})
    trial = tried(workspace)
    assert (answered.status_code, answered.json()) == (202, {"code": "tested_first", "run": str(trial.pk)})
    assert api.post(f"test-runs/{trial.pk}/apply/").status_code == 403
    assert audience_of(source, workspace) == ""


@pytest.fixture
def sent(agent: Agent, workspace: Workspace, api: Integrator) -> dict[str, Any]:
    """What was sent for everybody, and serves; a test rests on it."""
    body = {
        "agent": str(agent.pk),
        "external_id": "7",
        "title": "Bulbs",
        "content": "We sell 12 kinds of bulbs.",
    }
    with_id = api.post("documents/", body).json()
    with in_tenant(workspace):
        read(Document.objects.get(pk=with_id["id"]))
    expect(workspace, agent, BULBS, must=["12"])
    return body


@pytest.mark.parametrize("content", ["We sell 12 kinds of bulbs.", "Our secret margin is 40 percent."])
@pytest.mark.parametrize("decision", ["apply", "drop"])
def test_a_sent_document_for_another_audience_waits_with_its_new_content(
    sent: dict[str, Any], workspace: Workspace, api: Integrator, content: str, decision: str
) -> None:
    again = {**sent, "content": content, "audience": "staff"}
    answered = api.post("documents/", again)
    trial = tried(workspace)
    assert (answered.status_code, answered.json()["run"]) == (202, str(trial.pk))
    assert (trial.verdict, trial.broken) == ("held", 1)
    assert api.post("documents/", again).json()["run"] == str(trial.pk)  # the same is not tried twice
    with in_tenant(workspace):
        document = Document.objects.select_related("source").get(key="7")
        assert (document.source.audience, Version.objects.filter(document=document).count()) == ("", 1)
    assert "12 kinds" in text_that_serves(workspace)
    assert api.post(f"test-runs/{trial.pk}/{decision}/").status_code == 200
    with in_tenant(workspace):
        document.refresh_from_db()
        if document.status == "waiting":
            assert read(document).status == "ready"  # it was tested already
        assert document.source.audience == ("staff" if decision == "apply" else "")
    now = content if decision == "apply" else sent["content"]
    assert now in text_that_serves(workspace)


def test_a_draft_for_another_audience_moves_what_serves(
    sent: dict[str, Any], workspace: Workspace, api: Integrator
) -> None:
    answered = api.post("documents/", {**sent, "content": "Soon.", "audience": "staff", "draft": True})
    assert answered.status_code == 202
    trial = tried(workspace)
    assert (trial.verdict, trial.broken) == ("held", 1)
    api.post(f"test-runs/{trial.pk}/apply/")
    with in_tenant(workspace):
        document = Document.objects.select_related("source").get(key="7")
        assert (document.source.audience, document.status) == ("staff", "ready")
        assert document.versions.filter(draft=True).count() == 1
    assert "12 kinds" in text_that_serves(workspace)


def test_a_document_that_was_deleted_meanwhile_does_not_come_back(
    sent: dict[str, Any], workspace: Workspace, api: Integrator
) -> None:
    api.post("documents/", {**sent, "audience": "staff"})
    trial = tried(workspace)
    with in_tenant(workspace):
        Document.objects.get(key="7").delete()
    api.post(f"test-runs/{trial.pk}/apply/")
    with in_tenant(workspace):
        trial.refresh_from_db()
        assert not Document.objects.filter(key="7").exists()
    assert trial.verdict == "dropped"


def test_without_tests_an_audience_counts_at_once(
    agent: Agent, workspace: Workspace, owner_client: Client
) -> None:
    source = source_of(agent, workspace)
    owner_client.post(f"/knowledge/{source.pk}/audience/", {"audience": "partners"})
    assert audience_of(source, workspace) == "partners"
    with in_tenant(workspace):
        assert not Trial.objects.exists()


def test_what_was_meant_for_few_never_serves_others_while_its_new_content_is_read(
    agent: Agent, workspace: Workspace, api: Integrator
) -> None:
    body = {
        "agent": str(agent.pk),
        "external_id": "7",
        "title": "Margins",
        "content": "Our margin is 40 percent.",
    }
    api.post("documents/", {**body, "audience": "staff"})
    with in_tenant(workspace):
        document = read(Document.objects.get(key="7"))
    assert "40 percent" in text_that_serves(workspace)
    api.post("documents/", {**body, "content": "Our prices are fair."})
    assert "40 percent" not in text_that_serves(workspace)
    with in_tenant(workspace):
        assert read(document).status == "ready"
    assert "Our prices are fair." in text_that_serves(workspace)
