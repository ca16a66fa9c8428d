"""The gate for what an agent knows: what is deleted, brought back or given as an exact answer is tested first."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from agents.models import Agent
from chat import trials
from chat.models import CuratedAnswer, Trial
from chat.tasks import run_trial
from knowledge import documents, ingest
from knowledge.models import Document, Source, Version
from tenants.context import in_tenant, platform
from tenants.keys import Scope
from tenants.models import AuditEvent, Role, Workspace
from tests.chat.visitor import SHOP
from tests.improve.test_exact_answers import QUESTION, TEXT, an_answer
from tests.improve.test_test_sets import run, tried
from tests.plugins.integrators import Integrator, at_host, new_key
from tests.plugins.people import ClientAs

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_trial, "enqueue", lambda *_job: None)


def set_gate(workspace: Workspace, gate: str) -> None:
    with in_tenant(workspace):
        Agent.objects.update(change_gate=gate)


def source_of(agent: Agent, workspace: Workspace) -> Source:
    with in_tenant(workspace):
        return Source.objects.get(agent=agent)


def add(agent: Agent, workspace: Workspace, text: str = "Our shop sells hammocks of cotton.") -> Source:
    """Another source, read and serving."""
    with in_tenant(workspace):
        source = documents.add_text(agent, title="Hammocks", text=text)
        ingest.ingest(source.documents.get().pk)
        return source


def noted(workspace: Workspace) -> set[str]:
    """What stands in the audit log."""
    with platform():
        return set(AuditEvent.objects.filter(workspace=workspace).values_list("action", flat=True))


def decide(client: Client, trial: Trial, action: str) -> Any:
    return client.post(f"/improve/runs/{trial.pk}/", {"action": action})


def test_deleting_a_source_that_answers_rest_on_waits_for_somebody(
    tested: Agent, workspace: Workspace, owner_client: Client
) -> None:
    source = source_of(tested, workspace)
    answered = owner_client.post(f"/knowledge/{source.pk}/delete/")
    trial = tried(workspace)
    assert answered["Location"] == f"/improve/runs/{trial.pk}/"
    assert (trial.verdict, trial.broken) == ("held", 1)
    assert "three to five" in trial.results[0]["before"]["text"]
    page = owner_client.get(f"/improve/runs/{trial.pk}/").content.decode()
    assert f"{source.title}</del>" in page
    with in_tenant(workspace):
        assert Source.objects.filter(pk=source.pk).exists()
    decide(owner_client, trial, "apply")
    with in_tenant(workspace):
        assert not Source.objects.exists()
    assert owner_client.get(f"/improve/runs/{trial.pk}/").status_code == 200  # its name is still told


def test_deleting_what_no_test_rests_on_happens_by_itself(
    tested: Agent, workspace: Workspace, owner_client: Client
) -> None:
    other = add(tested, workspace)
    owner_client.post(f"/knowledge/{other.pk}/delete/")
    assert tried(workspace).verdict == "applied"
    with in_tenant(workspace):
        assert not Source.objects.filter(pk=other.pk).exists()
    assert "change.applied" in noted(workspace)


def test_a_blocking_gate_keeps_what_was_to_be_deleted(
    tested: Agent, workspace: Workspace, owner_client: Client
) -> None:
    set_gate(workspace, "block")
    owner_client.post(f"/knowledge/{source_of(tested, workspace).pk}/delete/")
    trial = tried(workspace)
    assert decide(owner_client, trial, "apply").status_code == 403
    with in_tenant(workspace):
        assert Source.objects.exists()


def test_without_tests_a_source_goes_at_once(
    agent: Agent, workspace: Workspace, owner_client: Client
) -> None:
    owner_client.post(f"/knowledge/{source_of(agent, workspace).pk}/delete/")
    with in_tenant(workspace):
        assert not Source.objects.exists()
        assert not Trial.objects.exists()


def test_going_back_to_a_version_that_breaks_answers_waits(
    tested: Agent, workspace: Workspace, owner_client: Client
) -> None:
    source = source_of(tested, workspace)
    with in_tenant(workspace):
        document = source.documents.get()
        documents.update_file(source, SHOP.replace("three to five", "eight to nine").encode())
        ingest.ingest(document.pk)
        documents.update_file(source, SHOP.encode())
        ingest.ingest(document.pk)
    assert owner_client.post(f"/knowledge/documents/{document.pk}/versions/2/restore/").status_code == 302
    trial = tried(workspace)
    assert (trial.verdict, trial.broken) == ("held", 1)
    decide(owner_client, trial, "apply")
    with in_tenant(workspace):
        newest = Version.objects.latest("number")
        assert (newest.number, newest.remark) == (4, "Back to version 2")


@pytest.mark.parametrize("gate", ["warn", "block"])
def test_an_exact_answer_that_says_otherwise_is_held(
    tested: Agent, workspace: Workspace, owner_client: Client, gate: str
) -> None:
    set_gate(workspace, gate)
    given = {"wordings": QUESTION, "answer": TEXT, "is_active": "on"}
    owner_client.post(f"/improve/agents/{tested.pk}/answers/new/", given)
    trial = tried(workspace)
    assert (trial.verdict, trial.broken, trial.results[0]["now"]["text"]) == ("held", 1, TEXT)
    with in_tenant(workspace):
        assert not CuratedAnswer.objects.exists()
    assert decide(owner_client, trial, "apply").status_code == (302 if gate == "warn" else 403)
    with in_tenant(workspace):
        assert CuratedAnswer.objects.count() == (1 if gate == "warn" else 0)


def test_another_wording_of_a_proposed_exact_answer_is_tried_too(
    tested: Agent, workspace: Workspace, owner_client: Client
) -> None:
    given = {
        "wordings": "How long will standard delivery to Austria take?",
        "answer": TEXT,
        "is_active": "on",
    }
    owner_client.post(f"/improve/agents/{tested.pk}/answers/new/", given)
    assert tried(workspace).results[0]["now"]["text"] == TEXT


def test_an_exact_answer_is_changed_and_taken_away_after_a_test(
    tested: Agent, workspace: Workspace, owner_client: Client
) -> None:
    right = "It takes three to five working days."
    row = an_answer(tested, workspace, answer=right)
    address = f"/improve/answers/{row.pk}/"
    owner_client.post(address, {"wordings": QUESTION, "answer": TEXT, "is_active": "on"})
    trial = tried(workspace)
    assert (trial.verdict, trial.results[0]["before"]["text"]) == ("held", right)
    with in_tenant(workspace):
        assert CuratedAnswer.objects.get().answer == right
        Trial.objects.all().delete()
    owner_client.post(f"{address}delete/")
    assert tried(workspace).verdict == "applied"  # the source says the same
    with in_tenant(workspace):
        assert not CuratedAnswer.objects.exists()


def test_a_change_of_an_exact_answer_that_was_changed_meanwhile_is_dropped(
    tested: Agent, workspace: Workspace, owner_client: Client
) -> None:
    row = an_answer(tested, workspace, answer="It takes three to five working days.")
    given = {"wordings": QUESTION, "answer": "Three to five days.", "is_active": "on"}
    owner_client.post(f"/improve/answers/{row.pk}/", given)
    with in_tenant(workspace):
        row.answer = "Somebody else’s words: three to five."
        row.save()
    assert tried(workspace).verdict == "dropped"
    with in_tenant(workspace):
        assert CuratedAnswer.objects.get().answer.startswith("Somebody")


def test_a_sheet_of_exact_answers_is_tested_as_a_whole(
    tested: Agent, workspace: Workspace, owner_client: Client
) -> None:
    an_answer(tested, workspace, answer="It takes three to five working days.")
    sheet = SimpleUploadedFile("a.csv", f"question,answer\n{QUESTION},{TEXT}\n".encode())
    owner_client.post(f"/improve/agents/{tested.pk}/answers/import/", {"file": sheet})
    trial = tried(workspace)
    assert (trial.verdict, trial.results[0]["now"]["text"]) == ("held", TEXT)
    decide(owner_client, trial, "apply")
    with in_tenant(workspace):
        assert CuratedAnswer.objects.get().answer == TEXT


def test_the_api_answers_with_the_run_and_decides_about_it(
    tested: Agent, workspace: Workspace, api: Integrator
) -> None:
    source = source_of(tested, workspace)
    waits = api.delete(f"sources/{source.pk}/")
    assert (waits.status_code, waits.json()["code"]) == (202, "tested_first")
    trial = tried(workspace)
    assert api.get(f"test-runs/{trial.pk}/").json()["change"] == {"delete_source": str(source.pk)}
    assert api.post(f"test-runs/{trial.pk}/drop/").json()["verdict"] == "dropped"
    with in_tenant(workspace):
        Trial.objects.all().delete()
    made = api.post("curated-answers/", {"agent": str(tested.pk), "questions": [QUESTION], "answer": TEXT})
    assert made.status_code == 202
    again = tried(workspace)
    assert api.post(f"test-runs/{again.pk}/apply/").json()["verdict"] == "applied"
    assert api.get("curated-answers/").json()["results"][0]["answer"] == TEXT
    assert {"source.deleted.tested_first", "exact_answer.created.tested_first"} <= noted(workspace)
    assert "source.deleted" not in noted(workspace)


def test_who_edits_knowledge_decides_about_it_but_not_about_settings(
    tested: Agent, workspace: Workspace, client_as: ClientAs, stranger_client: Client
) -> None:
    with in_tenant(workspace):
        deletion = trials.begin(tested, by=None, change={"delete_source": str(tested.sources.get().pk)})
        settings = trials.begin(tested, by=None, change={"instructions": "Be kind."})
        Trial.objects.update(verdict="held", state="done", broken=1)
    member, viewer = client_as(Role.AGENT), client_as(Role.VIEWER)
    assert decide(stranger_client, deletion, "drop").status_code == 404
    assert decide(viewer, deletion, "drop").status_code == 403
    assert decide(member, settings, "apply").status_code == 403
    assert decide(member, deletion, "drop").status_code == 302
    key = new_key(workspace, Scope.WRITE_KNOWLEDGE, Scope.READ_KNOWLEDGE).secret
    assert at_host(workspace, key).post(f"test-runs/{settings.pk}/apply/").status_code == 403


def test_a_change_whose_run_cannot_be_made_is_tested_again(
    tested: Agent, workspace: Workspace, owner_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = add(tested, workspace)
    owner_client.post(f"/knowledge/{other.pk}/delete/")
    with monkeypatch.context() as broken:
        broken.setattr("chat.rehearsal.rehearse", lambda *_a, **_k: 1 / 0)
        trial = tried(workspace)
    assert (trial.state, trial.verdict) == ("failed", "held")
    assert "Test it again" in owner_client.get(f"/improve/runs/{trial.pk}/").content.decode()
    decide(owner_client, trial, "retry")
    with in_tenant(workspace):
        again = Trial.objects.exclude(pk=trial.pk).get()
        trials.run(again.pk)
        again.refresh_from_db()
        trial.refresh_from_db()
    assert (trial.verdict, again.verdict) == ("dropped", "applied")


def test_only_what_was_sent_can_be_deleted_alone_and_is_tested_first(
    tested: Agent, workspace: Workspace, api: Integrator
) -> None:
    with in_tenant(workspace):
        document = Document.objects.get()
    assert api.delete(f"documents/{document.pk}/").status_code == 400
    with in_tenant(workspace):
        assert not Trial.objects.exists()


def test_a_run_is_compared_with_any_earlier_one(
    tested: Agent, workspace: Workspace, owner_client: Client, api: Integrator
) -> None:
    first = run(workspace, tested)
    row = an_answer(tested, workspace)  # says four
    run(workspace, tested)
    third = run(workspace, tested)
    assert third.broken == 0  # as the run before
    page = owner_client.get(f"/improve/runs/{third.pk}/?against={first.pk}").content.decode()
    assert "1 broke" in page
    assert f'<option value="{first.pk}" selected' in page
    shown = api.get(f"test-runs/{third.pk}/?against={first.pk}").json()
    assert (shown["broken"], "three to five" in shown["results"][0]["before"]["text"]) == (1, True)
    for wrong in (third.pk, row.pk, "x"):
        assert owner_client.get(f"/improve/runs/{third.pk}/?against={wrong}").status_code == 404
    assert api.get(f"test-runs/{first.pk}/?against={third.pk}").status_code == 404


def test_the_text_of_a_draft_is_told_and_compared_with_the_newest_earlier_version(
    agent: Agent, workspace: Workspace, owner_client: Client, api: Integrator
) -> None:
    with in_tenant(workspace):
        source = agent.sources.get()
        documents.update_file(source, f"{SHOP}\n\nTwo.".encode())
        document = documents.update_file(source, f"{SHOP}\n\nThree.".encode(), draft=True)
        draft = document.versions.get(draft=True)
        document.versions.get(number=2).delete()
    assert "Three." in api.get(f"versions/{draft.pk}/").json()["text"]
    page = owner_client.get(f"/knowledge/documents/{document.pk}/versions/").content.decode()
    assert "?from=1&amp;to=3" in page
    compared = owner_client.get(f"/knowledge/documents/{document.pk}/versions/?from=1&to=3")
    assert "Three." in compared.content.decode()


def test_a_file_is_replaced_and_a_document_sent_as_a_draft(
    agent: Agent, workspace: Workspace, owner_client: Client, api: Integrator
) -> None:
    with in_tenant(workspace):
        source = documents.add_file(agent, name="a.txt", content=b"The first words.")
        ingest.ingest(source.documents.get().pk)
    file = SimpleUploadedFile("a.txt", b"The second words.")
    owner_client.post(f"/knowledge/{source.pk}/replace/", {"file": file, "draft": "1"})
    body = {"agent": str(agent.pk), "external_id": "1", "title": "A", "content": "Some words.", "draft": True}
    sent = [api.post("documents/", body).json() for _ in range(2)]
    with in_tenant(workspace):
        drafts = Version.objects.filter(draft=True).order_by("pk")
        assert [version.document.source.kind for version in drafts] == ["file", "push"]
        assert source.documents.get().status == "ready"
    assert {row["status"] for row in sent} == {"draft"}


def test_what_changed_of_the_knowledge_between_two_runs_is_told_in_words(
    tested: Agent, workspace: Workspace, owner_client: Client
) -> None:
    set_gate(workspace, "off")
    run(workspace, tested)
    add(tested, workspace)
    second = run(workspace, tested)
    page = owner_client.get(f"/improve/runs/{second.pk}/").content.decode()
    assert "1 document, as of " in page
    assert "2 documents, as of " in page
