"""Test sets: questions with known answers, run without a visitor, compared, and the gate that changes pass."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from agents.models import Agent
from agents.providers import Turn
from billing.models import UsageEntry
from chat import receipts, rehearsal, test_sets, trials, turns
from chat.answers import Answer
from chat.models import Expectation, Message, Outcome, Trial
from chat.tasks import resume_trials, run_trial
from knowledge import documents
from knowledge.models import Version
from tenants.context import in_tenant
from tenants.models import Role, Workspace
from tests.chat.test_cache import a_turn
from tests.chat.visitor import SHOP
from tests.improve.test_exact_answers import QUESTION, an_answer, asked
from tests.plugins.integrators import Integrator
from tests.plugins.people import ClientAs

pytestmark = pytest.mark.django_db(transaction=True)


def expect(workspace: Workspace, agent: Agent, question: str = QUESTION, **fields: Any) -> Expectation:
    with in_tenant(workspace):
        made: Expectation = Expectation.objects.create(agent=agent, question=question, **fields)
        return made


def run(workspace: Workspace, agent: Agent) -> Trial:
    """What the worker does with a run."""
    with in_tenant(workspace):
        trial = trials.begin(agent, by=None)
        trials.run(trial.pk)
        trial.refresh_from_db()
        return trial


@pytest.mark.parametrize(
    ("fields", "failed"),
    [
        ({"source": "help of the SHOP", "must": ["three to five"], "must_not": ["seven"]}, []),
        ({"must": ["two days"]}, ["“two days” is missing."]),
        ({"must_not": ["working days"]}, ["“working days” must not be said."]),
        ({"source": "Price list"}, ["It did not find “Price list”."]),
        ({"outcome": "abstained"}, ["It answered; it should have said that it does not know."]),
        ({"question": "Who won the cup?"}, ["It said that it does not know."]),
        ({"question": "Who won the cup?", "outcome": "abstained"}, []),
    ],
)
def test_every_check_says_what_is_wrong(
    agent: Agent, workspace: Workspace, fields: dict[str, Any], failed: list[str]
) -> None:
    expect(workspace, agent, **fields)
    trial = run(workspace, agent)
    assert trial.results[0]["now"]["failed"] == failed
    assert (trial.state, trial.passed, trial.total) == ("done", int(not failed), 1)


@pytest.mark.parametrize(
    ("words", "said", "stands"),
    [
        ("5 days", "Within 5 days.", True),
        ("5 days", "Within 15 days.", False),
        ("5 days", "Within 2.5 days.", False),
        ("costs 20", "It costs 20.", True),
        ("costs 20", "It costs 20.50 euros.", False),
        ("costs 1", "It costs 1,200 euros.", False),
        ("three to", "Three  to five", True),
        ("30", "退货期限为30天。", True),
    ],
)
def test_a_number_is_no_part_of_a_longer_one(words: str, said: str, stands: bool) -> None:
    answer = Answer(text=said, outcome=Outcome.ANSWERED)
    side = trials.side_of(Expectation(must=[words]), answer)
    assert side["failed"] == ([] if stands else [f"“{words}” is missing."])


def test_a_run_is_neither_stored_as_a_conversation_nor_billed(agent: Agent, workspace: Workspace) -> None:
    expect(workspace, agent)
    run(workspace, agent)
    with in_tenant(workspace):
        assert (Message.objects.count(), UsageEntry.objects.count()) == (0, 0)


def test_a_run_shows_what_broke_since_the_one_before(
    agent: Agent, workspace: Workspace, owner_client: Client
) -> None:
    expect(workspace, agent, must=["three to five"])
    run(workspace, agent)
    an_answer(agent, workspace)  # says four
    trial = run(workspace, agent)
    page = owner_client.get(f"/improve/runs/{trial.pk}/").content.decode()
    assert trial.broken == 1
    assert "Broke" in page
    assert "three to five working days" in page  # before, beside the answer now


def test_a_visitors_question_becomes_a_test_in_one_click(
    agent: Agent, workspace: Workspace, owner_client: Client
) -> None:
    answer = asked(workspace, agent, QUESTION)
    address = f"/improve/agents/{agent.pk}/tests/from/{answer['id']}/"
    assert [owner_client.post(address).status_code for _ in range(2)] == [302, 302]
    with in_tenant(workspace):
        made = Expectation.objects.get()
    assert (made.question, made.outcome, made.source) == (QUESTION, "answered", "Help of the shop")


def test_questions_are_written_changed_and_deleted(
    agent: Agent, workspace: Workspace, owner_client: Client
) -> None:
    given = {"question": QUESTION, "outcome": "answered", "must": "three\nfive", "must_not": "", "source": ""}
    assert owner_client.post(f"/improve/agents/{agent.pk}/tests/new/", given).status_code == 302
    with in_tenant(workspace):
        row = Expectation.objects.get()
    assert row.must == ["three", "five"]
    assert owner_client.post(f"/improve/tests/{row.pk}/", {**given, "must": "days"}).status_code == 302
    assert "days" in owner_client.get(f"/improve/agents/{agent.pk}/tests/").content.decode()
    owner_client.post(f"/improve/tests/{row.pk}/delete/")
    assert owner_client.get(f"/improve/tests/{row.pk}/").status_code == 404


def test_a_sheet_of_questions_is_imported(agent: Agent, workspace: Workspace, owner_client: Client) -> None:
    sheet = f"Question,Must contain,Outcome\n{QUESTION},three; five,\nWho won the cup?,,abstained\n"
    upload = SimpleUploadedFile("tests.csv", sheet.encode())
    owner_client.post(f"/improve/agents/{agent.pk}/tests/import/", {"file": upload})
    with in_tenant(workspace):
        rows = Expectation.objects.order_by("outcome").values_list("question", "must", "outcome")
        assert list(rows) == [
            ("Who won the cup?", [], "abstained"),
            (QUESTION, ["three", "five"], "answered"),
        ]


@pytest.mark.parametrize("sheet", ["question;outcome\n{};answered\n", "question\n{}\0\n"])
def test_a_sheet_from_another_program_is_read(
    agent: Agent, workspace: Workspace, owner_client: Client, sheet: str
) -> None:
    upload = SimpleUploadedFile("tests.csv", sheet.format(QUESTION).encode())
    owner_client.post(f"/improve/agents/{agent.pk}/tests/import/", {"file": upload})
    with in_tenant(workspace):
        assert Expectation.objects.get().question == QUESTION


def test_a_follow_up_becomes_a_whole_test_question(agent: Agent, workspace: Workspace) -> None:
    with in_tenant(workspace):
        turn = a_turn(agent, "And to Germany?")
        history = [Turn("visitor", QUESTION)]
        turns.store(turn, rehearsal.rehearse(agent, turn.question, history=history), seq=1, shown={})
        made = test_sets.expect_from(receipts.answer_or_404(turn.answer_id))
    assert made.question == f"{QUESTION} And to Germany?"


def test_a_sheet_without_questions_says_so(agent: Agent, owner_client: Client) -> None:
    upload = SimpleUploadedFile("tests.csv", b"name\nx\n")
    page = owner_client.post(f"/improve/agents/{agent.pk}/tests/import/", {"file": upload})
    assert page.status_code == 422
    assert "needs the column" in page.content.decode()


def change(client: Client, agent: Agent, **fields: Any) -> Any:
    given = {
        "name": agent.name,
        "tone": agent.tone,
        "greeting": agent.greeting,
        "evidence_threshold": agent.evidence_threshold,
        "unsupported_claims": "flag",
        "change_gate": agent.change_gate,
        "cache_similarity": agent.cache_similarity,
        "cache_enabled": "on",
        "handoff_enabled": "on",
        "is_active": "on",
        "contact_email": agent.contact_email,
    }
    return client.post(f"/agents/{agent.pk}/settings/", {**given, **fields})


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker of other tests of this process may be running: here `tried` does its work, when the test wants it."""
    monkeypatch.setattr(run_trial, "enqueue", lambda *_job: None)


def tried(workspace: Workspace) -> Trial:
    """The run that tries a change, after it was run."""
    with in_tenant(workspace):
        trial = Trial.objects.get()
        trials.run(trial.pk)
        trial.refresh_from_db()
        return trial


def test_a_run_that_is_delivered_twice_decides_once(
    agent: Agent, workspace: Workspace, owner_client: Client
) -> None:
    expect(workspace, agent)
    change(owner_client, agent, instructions="Be kind.")
    with in_tenant(workspace):
        late = Trial.objects.select_related("agent").get()
        tried(workspace)
        trials._finish(late)
        assert Trial.objects.get().verdict == "applied"


def test_a_run_whose_worker_died_is_handed_over_once_and_goes_on_where_it_was(
    agent: Agent, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, str]] = []
    monkeypatch.setattr(run_trial, "delay", lambda *job: sent.append(job))
    expect(workspace, agent)
    earlier = run(workspace, agent)
    expect(workspace, agent, question="Which card does the refund arrive on?")
    with in_tenant(workspace):
        trial = trials.begin(agent, by=None)
        long_ago = timezone.now() - 2 * trials.STALLED_AFTER
        Trial.objects.filter(pk=trial.pk).update(results=earlier.results, updated_at=long_ago)
    resume_trials()
    resume_trials()
    assert sent == [(str(workspace.pk), str(trial.pk))]
    with in_tenant(workspace):
        trials.run(trial.pk)
        trial.refresh_from_db()
    assert (trial.state, trial.total) == ("done", 2)
    assert trial.results[0] == earlier.results[0]


def test_a_change_that_breaks_nothing_comes_into_use(
    agent: Agent, workspace: Workspace, owner_client: Client
) -> None:
    expect(workspace, agent)
    answered = change(owner_client, agent, instructions="Be kind.")
    with in_tenant(workspace):
        assert Agent.objects.get().instructions == ""  # not yet
    trial = tried(workspace)
    assert answered["Location"] == f"/improve/runs/{trial.pk}/"
    with in_tenant(workspace):
        assert (trial.verdict, Agent.objects.get().instructions) == ("applied", "Be kind.")


def test_a_change_that_breaks_something_is_held_until_somebody_decides(
    agent: Agent, workspace: Workspace, owner_client: Client
) -> None:
    expect(workspace, agent)
    change(owner_client, agent, evidence_threshold=1)
    trial = tried(workspace)
    page = f"/improve/runs/{trial.pk}/"
    assert (trial.verdict, trial.broken) == ("held", 1)
    assert "Use it all the same" in owner_client.get(page).content.decode()
    owner_client.post(page, {"action": "apply"})
    with in_tenant(workspace):
        assert Agent.objects.get().evidence_threshold == 1


def test_a_blocking_gate_does_not_let_it_through(
    agent: Agent, workspace: Workspace, owner_client: Client
) -> None:
    with in_tenant(workspace):
        Agent.objects.update(change_gate="block")
        agent.refresh_from_db()
    expect(workspace, agent)
    change(owner_client, agent, evidence_threshold=1)
    page = f"/improve/runs/{tried(workspace).pk}/"
    assert "Use it all the same" not in owner_client.get(page).content.decode()
    assert owner_client.post(page, {"action": "apply"}).status_code == 403
    owner_client.post(page, {"action": "drop"})
    with in_tenant(workspace):
        assert (Trial.objects.get().verdict, Agent.objects.get().evidence_threshold) == ("dropped", 0.5)


def test_without_tests_or_with_the_gate_off_a_change_counts_at_once(
    agent: Agent, workspace: Workspace, owner_client: Client
) -> None:
    change(owner_client, agent, instructions="One.")
    expect(workspace, agent)
    with in_tenant(workspace):
        assert Agent.objects.get().instructions == "One."
        Agent.objects.update(change_gate="off")
        agent.refresh_from_db()
    change(owner_client, agent, instructions="Two.")
    with in_tenant(workspace):
        assert (Agent.objects.get().instructions, Trial.objects.exists()) == ("Two.", False)


def test_the_api_writes_questions_runs_them_and_tries_changes(
    api: Integrator, agent: Agent, workspace: Workspace
) -> None:
    made = api.post("test-questions/", {"agent": str(agent.pk), "question": QUESTION, "must": ["three"]})
    assert made.status_code == 201, made.json()
    held = api.patch(f"agents/{agent.pk}/", {"instructions": "Be brief."})
    assert (held.status_code, held.json()["code"]) == (202, "tested_first")
    tried(workspace)
    assert api.get(f"agents/{agent.pk}/").json()["instructions"] == "Be brief."
    shown = api.get(f"test-runs/{held.json()['run']}/").json()
    assert (shown["verdict"], shown["passed"], shown["results"][0]["now"]["failed"]) == ("applied", 1, [])
    assert api.post("test-runs/", {"agent": str(agent.pk)}).json()["state"] == "running"
    assert api.delete(f"test-questions/{made.json()['id']}/").status_code == 204


def test_viewers_only_read_and_strangers_see_nothing(
    agent: Agent, workspace: Workspace, client_as: ClientAs, stranger_client: Client
) -> None:
    expect(workspace, agent)
    trial, viewer = run(workspace, agent), client_as(Role.VIEWER)
    pages = (f"/improve/agents/{agent.pk}/tests/", f"/improve/runs/{trial.pk}/")
    assert [viewer.get(page).status_code for page in pages] == [200, 200]
    assert [stranger_client.get(page).status_code for page in pages] == [404, 404]
    assert viewer.post(f"/improve/agents/{agent.pk}/tests/run/").status_code == 403
    assert viewer.post(pages[1], {"action": "apply"}).status_code == 403


def a_draft(agent: Agent, text: str) -> str:
    """The address that publishes a draft of the shop's help."""
    document = documents.update_file(agent.sources.get(), text.encode(), draft=True)
    number = document.versions.filter(draft=True).latest("number").number
    return f"/knowledge/documents/{document.pk}/versions/{number}/publish/"


def test_a_draft_that_breaks_answers_is_held_and_one_that_does_not_is_published(
    agent: Agent, workspace: Workspace, owner_client: Client
) -> None:
    expect(workspace, agent, must=["three to five"])
    with in_tenant(workspace):
        bad = a_draft(agent, SHOP.replace("three to five", "eight to nine"))
    assert owner_client.post(bad)["Location"].startswith("/improve/runs/")
    held = tried(workspace)
    assert (held.verdict, held.broken) == ("held", 1)
    assert "eight to nine" in held.results[0]["now"]["text"]
    with in_tenant(workspace):
        assert Version.objects.filter(draft=True).exists()
        Trial.objects.all().delete()
        good = a_draft(agent, SHOP.replace("nine to six", "ten to six"))
    owner_client.post(good)
    assert tried(workspace).verdict == "applied"
    with in_tenant(workspace):
        assert not Version.objects.filter(draft=True, number=3).exists()


def test_what_becomes_of_unsupported_sentences_is_tested_first(
    agent: Agent, workspace: Workspace, owner_client: Client
) -> None:
    expect(workspace, agent)
    change(owner_client, agent, unsupported_claims="")
    with in_tenant(workspace):
        assert not Trial.objects.exists()  # nothing was chosen, so nothing changes
    change(owner_client, agent, unsupported_claims="drop")
    with in_tenant(workspace):
        assert Agent.objects.get().unsupported_claims == "flag"  # not yet
    trial = tried(workspace)
    assert trial.change == {"unsupported_claims": "drop"}
    with in_tenant(workspace):
        assert (trial.verdict, Agent.objects.get().unsupported_claims) == ("applied", "drop")


def test_the_agents_page_says_in_words_how_sure_it_must_be(
    agent: Agent, workspace: Workspace, owner_client: Client
) -> None:
    for threshold, word in ((0, "relaxed"), (0.5, "balanced"), (0.7, "careful"), (1, "strict")):
        with in_tenant(workspace):
            Agent.objects.update(evidence_threshold=threshold)
        page = owner_client.get(f"/agents/{agent.pk}/settings/").content.decode()
        assert f"Now <strong>{word}</strong>" in page
