"""Asking back: a question that may mean several things gets the choices, and the next message takes one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from agents.models import Agent
from billing.models import UsageEntry, UsageState
from chat import clarifying, gaps, rehearsal, test_sets, trials
from chat.clarifying import MAX_LABEL, AskingBack
from chat.models import CachedAnswer, Gap, Message, Trial
from knowledge import documents, ingest, retrieval
from tenants.context import in_tenant
from tenants.models import Workspace
from tests.chat.visitor import agent_of, chatting
from tests.improve.test_receipts import page_of
from tests.plugins.integrators import Integrator
from tests.plugins.processes import Site

pytestmark = pytest.mark.django_db(transaction=True)
AMBIGUOUS = "How do I reset it?"
TERMS = {
    "Router": "# Reset the router\n\nHold the button on its back for ten seconds. All lights go out.",
    "Accounts": "# Reset your password\n\nPress “Forgotten password” on the log-in page. A mail with a link comes.",
}
SECRET = "# Reset the alarm\n\nEnter the service code 4711 on the keypad, and the alarm is reset."


@pytest.fixture
def agent(workspace: Workspace) -> Agent:
    """An agent whose documents tell how to reset two things, among others."""
    agent = agent_of(workspace)
    for title, text in TERMS.items():
        learn(workspace, agent, title, text)
    return agent


def learn(workspace: Workspace, agent: Agent, title: str, text: str, **fields: Any) -> None:
    with in_tenant(workspace):
        ingest.ingest(documents.add_text(agent, title=title, text=text, **fields).documents.get().pk)


class Talk:
    """A conversation by the API."""

    def __init__(self, api: Integrator, agent: Agent, workspace: Workspace) -> None:
        self.api, self.agent, self.workspace, self.path = (
            api,
            agent,
            workspace,
            f"agents/{agent.pk}/messages/",
        )

    def ask(self, text: str) -> Any:
        answer = self.api.post(self.path, {"text": text}).json()["answer"]
        with in_tenant(self.workspace):
            self.path = f"conversations/{Message.objects.get(pk=answer['id']).conversation_id}/messages/"
        return answer

    def receipt(self, answer: Any) -> Any:
        return self.api.get(f"messages/{answer['id']}/receipt/").json()


@pytest.fixture
def talk(api: Integrator, agent: Agent, workspace: Workspace) -> Talk:
    return Talk(api, agent, workspace)


def test_a_question_that_names_nothing_is_asked_back_with_what_it_may_mean(talk: Talk) -> None:
    answer = talk.ask(AMBIGUOUS)
    first, *listed = answer["text"].splitlines()
    assert (answer["outcome"], answer["citations"]) == ("clarify", [])
    assert first.endswith("Which one do you mean?")
    assert sorted(line[3:] for line in listed if line) == ["Reset the router", "Reset your password"]
    assert [line[:3] for line in listed if line] == ["1. ", "2. "]


@pytest.mark.parametrize("way", ["number", "ordinal", "words"])
def test_the_choice_completes_the_question(talk: Talk, way: str) -> None:
    choices = talk.receipt(talk.ask(AMBIGUOUS))["choices"]
    at = choices.index("Reset the router")
    reply = {
        "number": f"{at + 1}.",
        "ordinal": f"The {('first', 'second')[at]} one, please",
        "words": "the router",
    }
    answer = talk.ask(reply[way])
    receipt = talk.receipt(answer)
    assert "button on its back" in answer["text"]
    assert "Forgotten" not in answer["text"]
    assert (receipt["searched"], receipt["chosen"]) == (f"{AMBIGUOUS} Reset the router", "Reset the router")
    assert "The visitor chose “Reset the router”" in receipt["rules"][0]


def test_what_follows_leans_on_the_completed_question(talk: Talk) -> None:
    talk.ask("Hello!")
    choices = talk.receipt(talk.ask(AMBIGUOUS))["choices"]
    talk.ask(str(choices.index("Reset the router") + 1))
    after = talk.receipt(talk.ask("And the lights?"))
    assert after["searched"] == f"{AMBIGUOUS} Reset the router And the lights?"


def test_it_does_not_ask_back_twice_in_a_row(talk: Talk) -> None:
    assert talk.ask(AMBIGUOUS)["outcome"] == "clarify"
    assert talk.ask(AMBIGUOUS)["outcome"] != "clarify"


def test_another_question_instead_of_a_choice_is_answered_as_it_is(talk: Talk) -> None:
    talk.ask(AMBIGUOUS)
    answer = talk.ask("How long does standard delivery to Austria take?")
    assert "three to five working days" in answer["text"]
    assert talk.receipt(answer)["chosen"] == ""


def test_a_brief_question_without_enough_evidence_is_asked_back(talk: Talk, workspace: Workspace) -> None:
    with in_tenant(workspace):
        Agent.objects.update(evidence_threshold=0.95)
    answer = talk.ask("reset?")
    choices = talk.receipt(answer)["choices"]
    assert (answer["outcome"], sorted(choices)) == ("clarify", ["Reset the router", "Reset your password"])
    assert "nothing answered it for sure" in talk.receipt(answer)["rules"][0]
    chosen = talk.ask(str(choices.index("Reset your password") + 1))
    assert "log-in page" in chosen["text"]  # whatever its evidence: the visitor has said what is meant


@pytest.mark.parametrize(
    "question", ["weather?", "Do you sell it?", "Who won it?", "pizza", "How do I cook it?", "Tell me a joke"]
)
def test_what_nothing_fits_is_still_not_known(talk: Talk, question: str) -> None:
    assert talk.ask(question)["outcome"] == "abstained"


def test_a_passage_without_a_name_is_no_choice_that_was_taken(agent: Agent, workspace: Workspace) -> None:
    with in_tenant(workspace):
        passage = retrieval.search(AMBIGUOUS, agent_id=agent.pk).passages[0]
    assert clarifying.is_of(passage, passage.heading_path[-1])
    assert not clarifying.is_of(replace(passage, title="", heading_path=()), "")


@pytest.mark.parametrize(
    "question", ["How do I reset the router?", "How do I reset my password?", "When is it open?", "reset"]
)
def test_what_was_answered_is_still_answered(talk: Talk, question: str) -> None:
    assert talk.ask(question)["outcome"] == "answered"


def test_it_after_something_was_named_is_answered(talk: Talk) -> None:
    talk.ask("Where is the button of the router?")
    assert "button on its back" in talk.ask(AMBIGUOUS)["text"]


def test_choices_tell_only_of_what_this_visitor_may_read(
    talk: Talk, workspace: Workspace, agent: Agent
) -> None:
    learn(workspace, agent, "Service", SECRET, audience="partners")
    answer = talk.ask(AMBIGUOUS)
    assert "alarm" not in f"{answer}{talk.receipt(answer)}"
    with in_tenant(workspace):
        partners = rehearsal.rehearse(agent, AMBIGUOUS, audiences=["partners"])
        back = AskingBack.of(partners.text, json.dumps(partners.receipt["asked_back"]))
        assert "Reset the alarm" in back.choices
        taken = rehearsal.rehearse(agent, "the alarm", history=[back])
    assert "4711" not in f"{taken.text}{taken.receipt}"


def test_it_counts_as_an_answer_is_never_kept_and_no_gap(
    talk: Talk, workspace: Workspace, agent: Agent
) -> None:
    talk.ask(AMBIGUOUS)
    with in_tenant(workspace):
        assert list(UsageEntry.objects.values_list("state", flat=True)) == [
            UsageState.RESERVED,
            UsageState.SETTLED,
        ]
        gaps.gather(agent.pk)
        assert not CachedAnswer.objects.exists()
        assert not Gap.objects.exists()


def test_the_receipt_says_why_and_the_page_shows_it(
    talk: Talk, workspace: Workspace, owner_client: Client
) -> None:
    answer = talk.ask(AMBIGUOUS)
    page = owner_client.get(page_of(workspace, answer)).content.decode()
    rule = talk.receipt(answer)["rules"][0]
    assert "it names nothing itself, and 2 sections fit the short question about as well" in rule
    assert rule in page
    assert "Asked back" in page


def test_replay_of_a_choice_is_completed_again(talk: Talk) -> None:
    choices = talk.receipt(talk.ask(AMBIGUOUS))["choices"]
    answer = talk.ask(str(choices.index("Reset the router") + 1))
    today = talk.api.post(f"messages/{answer['id']}/replay/").json()["today"]
    assert "button on its back" in today["text"]
    assert today["receipt"]["chosen"] == "Reset the router"


def test_a_test_question_says_that_it_asked_back(agent: Agent, workspace: Workspace) -> None:
    with in_tenant(workspace):
        sheet = f"question,outcome\n{AMBIGUOUS},answered\nreset it?,abstained\n"
        test_sets.import_csv(agent, sheet.encode())
        trials.run(trials.begin(agent, by=None).pk)
        failed = {result["question"]: result["now"]["failed"] for result in Trial.objects.get().results}
    assert failed[AMBIGUOUS] == ["It asked back; it should have answered."]
    assert failed["reset it?"] == ["It asked back; it should have said that it does not know."]


def test_the_receipt_and_a_test_of_what_was_chosen_are_of_the_whole_question(
    talk: Talk, workspace: Workspace, owner_client: Client
) -> None:
    choices = talk.receipt(talk.ask(AMBIGUOUS))["choices"]
    answer = talk.ask(str(choices.index("Reset the router") + 1))
    whole = f"{AMBIGUOUS} Reset the router"
    page = owner_client.get(page_of(workspace, answer)).content.decode()
    assert f"{whole}</h1>" in page
    assert "Searched for" not in page
    with in_tenant(workspace):
        message = Message.objects.get(pk=answer["id"])
        assert test_sets.expect_from(message).question == whole


def test_a_fix_of_what_was_chosen_begins_with_the_whole_question(
    talk: Talk, workspace: Workspace, owner_client: Client
) -> None:
    choices = talk.receipt(talk.ask(AMBIGUOUS))["choices"]
    answer = talk.ask(str(choices.index("Reset the router") + 1))
    with in_tenant(workspace):
        agent_id = Message.objects.get(pk=answer["id"]).conversation.agent_id
    page = owner_client.get(f"/improve/agents/{agent_id}/answers/new/?message={answer['id']}")
    assert f"{AMBIGUOUS} Reset the router" in page.content.decode()


async def test_a_visitor_is_asked_in_their_language_over_a_socket(
    site: Site, agent: Agent, workspace: Workspace
) -> None:
    async with chatting(site, agent, hello=False) as chat:
        await chat.hello(locale="de")
        end = await chat.answer(AMBIGUOUS)
        answer = await chat.answer("die zweite")
    assert (end["outcome"], end["text"].splitlines()[0]) == (
        "clarify",
        "Ihre Frage passt zu mehreren Themen. Welches meinen Sie?",
    )
    assert "".join(f["text"] for f in chat.seen if f["type"] == "token").startswith(end["text"])
    assert answer["outcome"] == "answered"


CHOICES = ("Reset the router", "Reset your password", "Limits (free plan)")


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ("2", 1),
        ("#3", 2),
        ("option 1", 0),
        ("the last one", 2),
        ("la deuxième", 1),
        ("le dernier", 2),
        ("das letzte bitte", 2),
        ("the password", 1),
        ("I mean the router!", 0),
        ("limits (free plan)", 2),
        ("Reset your password", 1),
        ("reset", None),
        ("4", None),
        ("2 people", None),
        ("How long does the router live?", None),
        ("thanks", None),
        ("", None),
        ("…", None),
    ],
)
def test_a_message_takes_a_choice_by_number_or_words_and_nothing_else(said: str, taken: int | None) -> None:
    back = AskingBack("agent", "Which one?", AMBIGUOUS, CHOICES)
    assert back.taken_by(said) == ("" if taken is None else CHOICES[taken])


def test_sections_of_one_name_are_told_apart_by_their_documents(
    talk: Talk, workspace: Workspace, agent: Agent
) -> None:
    for name in ("Alpha", "Beta"):
        learn(
            workspace, agent, name, f"# {name}\n\n## Calibrate\n\nCalibrate the {name} with the key [{name}]."
        )
    learn(
        workspace,
        agent,
        "Gamma",
        f"# Gamma\n\n## Calibrate {'and align ' * 20}\n\nCalibrate the Gamma by hand.",
    )
    choices = talk.receipt(talk.ask("How do I calibrate it?"))["choices"]
    assert {"Alpha: Calibrate", "Beta: Calibrate"} <= set(choices)
    assert all(len(choice) <= MAX_LABEL for choice in choices)
