"""The gate for what comes in the background: new content, or another embedding model, is tested before it serves."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread
from uuid import UUID

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from agents.models import Agent
from chat import trials
from chat.models import Trial
from chat.tasks import run_trial, try_content
from knowledge import documents, ingest, profiles, proposals
from knowledge.models import Chunk, Document, Version
from tenants.context import in_tenant
from tenants.models import Role, Workspace
from tests.chat.visitor import SHOP
from tests.improve.test_gate import decide, noted, set_gate
from tests.improve.test_test_sets import expect
from tests.plugins.integrators import Integrator
from tests.plugins.people import ClientAs

pytestmark = pytest.mark.django_db(transaction=True)
WRONG = SHOP.replace("three to five", "eight to nine")
HARMLESS = "Our shop sells hammocks of cotton."


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_trial, "enqueue", lambda *_job: None)
    monkeypatch.setattr(try_content, "apply_async", lambda *_job, **_when: None)


def read(document: Document) -> Document:
    """What the worker does with a document's newest version."""
    ingest.ingest(document.pk)
    document.refresh_from_db()
    return document


def replaced(agent: Agent, workspace: Workspace, text: str) -> Document:
    """The shop's help with other words, read."""
    with in_tenant(workspace):
        return read(documents.update_file(agent.sources.get(title="Help of the shop"), text.encode()))


def time_passes(workspace: Workspace) -> None:
    with in_tenant(workspace):
        Document.objects.update(updated_at=timezone.now() - timedelta(minutes=1))


def tested_now(agent: Agent, workspace: Workspace) -> Trial | None:
    """The run of what waits, made once it is quiet."""
    time_passes(workspace)
    with in_tenant(workspace):
        trial = trials.begin_content(agent.pk)
        if trial is not None:
            run_trial(str(workspace.pk), str(trial.pk))
            trial.refresh_from_db()
        return trial


def text_that_serves(workspace: Workspace) -> str:
    with in_tenant(workspace):
        return " ".join(Chunk.objects.filter(version__serves__isnull=False).values_list("text", flat=True))


def test_a_blocking_gate_keeps_new_content_back_until_somebody_publishes_it(
    tested: Agent,
    workspace: Workspace,
    owner_client: Client,
    client_as: ClientAs,
) -> None:
    set_gate(workspace, "block")
    document = replaced(tested, workspace, WRONG)
    assert document.status == "staged"
    trial = tested_now(tested, workspace)
    assert trial is not None
    assert (trial.verdict, trial.broken) == ("held", 1)
    assert "eight to nine" in trial.results[0]["now"]["text"]
    assert "three to five" in text_that_serves(workspace)
    for shown in (f"/knowledge/{document.source_id}/", f"/knowledge/documents/{document.pk}/versions/"):
        page = owner_client.get(shown).content.decode()
        assert f"/improve/runs/{trial.pk}/" in page
        assert "Waits for the tests" in page
    runs = owner_client.get(f"/improve/agents/{tested.pk}/tests/").content.decode()
    assert "Changed content: Help of the shop</span>" in runs
    assert "Held back" in runs
    assert decide(client_as(Role.AGENT), trial, "apply").status_code == 403
    assert decide(owner_client, trial, "apply").status_code == 302
    assert "eight to nine" in text_that_serves(workspace)
    assert "change.apply" in noted(workspace)


def test_what_is_decided_while_a_look_begins_is_not_tried_again(
    tested: Agent, workspace: Workspace, owner_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_gate(workspace, "block")
    replaced(tested, workspace, WRONG)
    held = tested_now(tested, workspace)
    assert held is not None
    threads = []
    usual = proposals.waiting

    def drop() -> None:
        decide(owner_client, held, "drop")
        connections.close_all()

    def waiting(agent_id: UUID) -> list[str]:
        """And somebody drops it at this moment."""
        found = usual(agent_id)
        threads.append(Thread(target=drop))
        threads[0].start()
        threads[0].join(2)
        return found

    monkeypatch.setattr(proposals, "waiting", waiting)
    with in_tenant(workspace):
        assert trials.begin_content(tested.pk) is None
        threads[0].join()
        assert [*Trial.objects.values_list("verdict", flat=True)] == ["dropped"]
        assert not Document.objects.filter(status="staged").exists()


def test_what_was_decided_is_not_decided_again(
    tested: Agent, workspace: Workspace, owner_client: Client
) -> None:
    set_gate(workspace, "block")
    replaced(tested, workspace, WRONG)
    held = tested_now(tested, workspace)
    assert held is not None
    assert decide(owner_client, held, "apply").status_code == 302
    for action in ("apply", "drop", "retry"):
        refused = decide(owner_client, held, action)
        assert refused.status_code == 400
        assert "No change waits for this run." in refused.content.decode()
    with in_tenant(workspace):
        held.refresh_from_db()
    assert held.verdict == "applied"
    assert "eight to nine" in text_that_serves(workspace)


def test_content_that_breaks_nothing_serves_by_itself(tested: Agent, workspace: Workspace) -> None:
    set_gate(workspace, "block")
    replaced(tested, workspace, f"{SHOP}\n\n{HARMLESS}")
    trial = tested_now(tested, workspace)
    assert trial is not None
    assert trial.verdict == "applied"
    assert HARMLESS in text_that_serves(workspace)
    with in_tenant(workspace):
        assert Document.objects.get().status == "ready"
        assert not Chunk.objects.exclude(version__serves__isnull=False).filter(version__isnull=False).exists()


def test_a_warning_gate_publishes_and_tells_what_broke(
    tested: Agent,
    workspace: Workspace,
    owner_client: Client,
) -> None:
    document = replaced(tested, workspace, WRONG)
    assert "three to five" in text_that_serves(workspace)
    trial = tested_now(tested, workspace)
    assert trial is not None
    assert (trial.verdict, trial.broken) == ("applied", 1)
    assert "eight to nine" in text_that_serves(workspace)
    assert (
        "1 test question breaks with what came into use"
        in owner_client.get(f"/knowledge/{document.source_id}/").content.decode()
    )
    replaced(tested, workspace, SHOP)
    tested_now(tested, workspace)
    assert (
        "1 test question breaks" not in owner_client.get(f"/knowledge/{document.source_id}/").content.decode()
    )


def test_the_team_gets_a_mail_that_names_what_broke_answers(
    tested: Agent,
    workspace: Workspace,
    owner_client: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[tuple[str, ...]] = []
    monkeypatch.setattr("tenants.mail.deliver_mail.delay", lambda *given: sent.append(given))
    replaced(tested, workspace, WRONG)
    tested_now(tested, workspace)
    [(_, subject, text, _html)] = sent
    assert "breaks 1 test question" in subject
    assert "Help of the shop" in text
    assert "It is in use already" in text


def test_a_run_of_new_content_names_it_alone(
    tested: Agent, workspace: Workspace, owner_client: Client
) -> None:
    with in_tenant(workspace):
        read(documents.add_text(tested, title="Hammocks", text=HARMLESS).documents.get())
    trial = tested_now(tested, workspace)
    assert trial is not None
    page = " ".join(owner_client.get(f"/improve/runs/{trial.pk}/").content.decode().split())
    assert (
        '>New content</dt><dd class="break-words"><ins class="text-success no-underline">Hammocks</ins>'
        in page
    )


def test_many_documents_are_one_run_and_it_waits_while_more_comes(
    tested: Agent,
    workspace: Workspace,
) -> None:
    set_gate(workspace, "block")
    with in_tenant(workspace):
        made = [documents.add_text(tested, title=f"Page {n}", text=f"{HARMLESS} {n}.") for n in range(3)]
        for source in made[:2]:
            read(source.documents.get())
        assert trials.begin_content(tested.pk) is None  # the third is still to be read
        read(made[2].documents.get())
        assert trials.begin_content(tested.pk) is None  # not quiet yet
    trial = tested_now(tested, workspace)
    assert trial is not None
    assert (trial.verdict, len(trial.change["content"])) == ("applied", 3)
    with in_tenant(workspace):
        assert Trial.objects.count() == 1
        assert set(Document.objects.values_list("status", flat=True)) == {"ready"}


def test_what_was_held_is_tried_again_together_with_what_mends_it(
    tested: Agent,
    workspace: Workspace,
) -> None:
    set_gate(workspace, "block")
    replaced(tested, workspace, WRONG)
    first = tested_now(tested, workspace)
    assert tested_now(tested, workspace) is None  # the same content is not tried twice
    replaced(tested, workspace, f"{SHOP}\n\n{HARMLESS}")
    second = tested_now(tested, workspace)
    assert first is not None
    assert second is not None
    with in_tenant(workspace):
        first.refresh_from_db()
    assert (first.verdict, second.verdict) == ("dropped", "applied")
    assert HARMLESS in text_that_serves(workspace)


def test_content_that_is_dropped_becomes_a_draft(
    tested: Agent,
    workspace: Workspace,
    owner_client: Client,
) -> None:
    set_gate(workspace, "block")
    document = replaced(tested, workspace, WRONG)
    trial = tested_now(tested, workspace)
    assert trial is not None
    decide(owner_client, trial, "drop")
    with in_tenant(workspace):
        document.refresh_from_db()
        version = Version.objects.latest("number")
    assert (document.status, version.draft, version.remark) == ("ready", True, "Kept out after its test")
    assert "three to five" in text_that_serves(workspace)


@pytest.mark.parametrize(("gate", "verdict", "serves"), [("warn", "applied", True), ("block", "held", False)])
def test_content_whose_run_cannot_be_made_is_not_lost(
    tested: Agent,
    workspace: Workspace,
    owner_client: Client,
    monkeypatch: pytest.MonkeyPatch,
    gate: str,
    verdict: str,
    serves: bool,
) -> None:
    set_gate(workspace, gate)
    replaced(tested, workspace, f"{SHOP}\n\n{HARMLESS}")
    with monkeypatch.context() as down:
        down.setattr(
            "chat.recording.of_search", lambda _found: {"why": "No hosted model answered.", "candidates": []}
        )
        trial = tested_now(tested, workspace)
    assert trial is not None
    assert (trial.state, trial.verdict) == ("failed", verdict)
    assert (HARMLESS in text_that_serves(workspace)) == serves
    assert "No hosted model answered." in owner_client.get(f"/improve/runs/{trial.pk}/").content.decode()
    if not serves:
        decide(owner_client, trial, "retry")
        with in_tenant(workspace):
            trials.run(Trial.objects.exclude(pk=trial.pk).get().pk)
        assert HARMLESS in text_that_serves(workspace)


def test_without_tests_content_serves_at_once_and_so_does_what_waited_for_tests_that_are_gone(
    agent: Agent, workspace: Workspace
) -> None:
    assert replaced(agent, workspace, f"{SHOP}\n\nOne.").status == "ready"
    expectation = expect(workspace, agent)
    assert replaced(agent, workspace, f"{SHOP}\n\nTwo.").status == "staged"
    with in_tenant(workspace):
        expectation.delete()
    assert tested_now(agent, workspace) is None
    assert "Two." in text_that_serves(workspace)


def test_a_draft_that_passed_is_not_tested_twice(
    tested: Agent,
    workspace: Workspace,
    owner_client: Client,
) -> None:
    with in_tenant(workspace):
        document = documents.update_file(tested.sources.get(), f"{SHOP}\n\n{HARMLESS}".encode(), draft=True)
    owner_client.post(f"/knowledge/documents/{document.pk}/versions/2/publish/")
    with in_tenant(workspace):
        trials.run(Trial.objects.get().pk)
        assert read(document).status == "ready"
        assert Trial.objects.count() == 1


def test_pushed_documents_wait_too(tested: Agent, workspace: Workspace, api: Integrator) -> None:
    set_gate(workspace, "block")
    body = {"agent": str(tested.pk), "external_id": "1", "title": "Delivery", "content": HARMLESS}
    pushed = api.post("documents/", body).json()
    with in_tenant(workspace):
        assert read(Document.objects.get(pk=pushed["id"])).status == "staged"
    assert api.get(f"documents/{pushed['id']}/").json()["serving"] is False
    tested_now(tested, workspace)
    assert api.get(f"documents/{pushed['id']}/").json()["serving"] is True


def test_the_list_of_all_knowledge_and_the_api_tell_what_waits_and_where_it_is_decided(
    tested: Agent, workspace: Workspace, owner_client: Client, api: Integrator
) -> None:
    def told() -> tuple[str, int, str | None]:
        page = owner_client.get("/knowledge/").content.decode()
        shown = api.get(f"sources/{document.source_id}/").json()
        [listed] = api.get("sources/", agent=str(tested.pk)).json()["results"]
        assert (listed["waiting"], listed["test_run"]) == (shown["waiting"], shown["test_run"])
        return page, shown["waiting"], shown["test_run"]

    set_gate(workspace, "block")
    document = replaced(tested, workspace, WRONG)
    page, waiting, run = told()
    assert (waiting, run) == (1, None)
    assert "Ada.</span> Content waits for its test" in page
    assert f"/improve/agents/{tested.pk}/tests/" in page
    trial = tested_now(tested, workspace)
    assert trial is not None
    page, waiting, run = told()
    assert (waiting, run) == (1, str(trial.pk))
    assert "Content waits for its test" not in page
    assert "Ada.</span> 1 test question breaks with this, so it waits" in page
    assert f"/improve/runs/{trial.pk}/" in page
    decide(owner_client, trial, "drop")
    page, waiting, run = told()
    assert (waiting, run) == (0, None)
    assert "notice-error" not in page


@pytest.mark.parametrize("gate", ["warn", "block"])
def test_another_embedding_model_is_tested_before_searches_turn_to_it(
    tested: Agent,
    workspace: Workspace,
    owner_client: Client,
    monkeypatch: pytest.MonkeyPatch,
    gate: str,
) -> None:
    set_gate(workspace, gate)
    with in_tenant(workspace):
        Agent.objects.update(knowledge_languages="multilingual")
        before = Agent.objects.get().knowledge_profile
        profiles.settle(tested.pk)
        profiles.settle(tested.pk)  # what comes meanwhile begins no other run
        trial = Trial.objects.get()
        assert Agent.objects.get().knowledge_profile == before
        monkeypatch.setattr(trials, "broke", lambda _result: True)
        trials.run(trial.pk)
        trial.refresh_from_db()
        after = Agent.objects.get().knowledge_profile
    assert (trial.verdict, after != before) == (("applied", True) if gate == "warn" else ("held", False))
    assert "three to five" in trial.results[0]["now"]["text"]
    if gate == "block":
        decide(owner_client, trial, "drop")
        with in_tenant(workspace):
            assert profiles.is_settled(Agent.objects.get())
            assert set(Chunk.objects.filter(version__isnull=False).values_list("profile", flat=True)) == {
                before
            }
