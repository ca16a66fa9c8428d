"""Asking through the API, and what the team does about conversations."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

from agents.models import Agent
from chat.models import Author, Channel, Conversation, Lead, Message, MessageState, Outcome, Visitor
from tenants.context import in_tenant
from tenants.keys import Scope
from tenants.models import User, Workspace
from tests.plugins.integrators import Integrator, at_host, new_key
from tests.plugins.processes import Site

pytestmark = pytest.mark.django_db(transaction=True)
CITATION = {
    "n": 1,
    "title": "Prices",
    "url": "https://acme.example/prices",
    "snippet": "It costs 29 dollars.",
}


@pytest.fixture
def agent(workspace: Workspace) -> str:
    with in_tenant(workspace):
        return str(Agent.objects.create(name="Ada").pk)


@pytest.fixture
def conversation(workspace: Workspace, agent: str) -> str:
    """A visitor asked in the widget and was answered."""
    with in_tenant(workspace):
        talk = Conversation.objects.create(agent_id=agent, visitor=Visitor.objects.create())
        question = Message.objects.create(
            conversation=talk, ordinal=1, author=Author.VISITOR, text="What does it cost?"
        )
        Message.objects.create(
            conversation=talk,
            ordinal=2,
            author=Author.AI,
            reply_to=question,
            text="It costs 29 dollars. [1]",
            outcome=Outcome.ANSWERED,
            grounded=True,
            citations=[CITATION],
        )
        Lead.objects.create(conversation=talk, email="visitor@example.com")
        return str(talk.pk)


def test_a_transcript_shows_the_answer_with_its_citations(api: Integrator, conversation: str) -> None:
    found = api.get(f"conversations/{conversation}/").json()

    assert [message["author"] for message in found["messages"]] == ["visitor", "ai"]
    opened = "https://acme.example/prices#:~:text=It%20costs%2029%20dollars."
    assert found["messages"][1]["citations"] == [{**CITATION, "quote_url": opened}]
    assert api.get(f"conversations/{conversation}/messages/").json() == found["messages"]


def test_conversations_are_listed_by_state_and_agent(api: Integrator, conversation: str, agent: str) -> None:
    assert len(api.get("conversations/", state="bot", agent=agent).json()["results"]) == 1
    assert api.get("conversations/", state="closed").json()["results"] == []
    assert api.get("conversations/", state="asleep").status_code == 400
    assert api.get("conversations/", agent="x").status_code == 400


def test_a_person_takes_over_replies_hands_back_and_closes(api: Integrator, conversation: str) -> None:
    path = f"conversations/{conversation}"

    assert api.post(f"{path}/take-over/").json()["state"] == "human"
    replied = api.post(f"{path}/reply/", {"text": "Hello, I am Eve.", "name": "Eve"})
    assert (replied.status_code, replied.json()["messages"][-1]["author_name"]) == (201, "Eve")
    assert api.post(f"{path}/hand-back/").json()["state"] == "bot"
    assert api.post(f"{path}/close/").json()["state"] == "closed"
    assert api.post(f"{path}/take-over/").status_code == 403


def test_a_reply_needs_a_text(api: Integrator, conversation: str) -> None:
    answer = api.post(f"conversations/{conversation}/reply/", {"text": ""})

    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["text"])


def test_leads_are_listed(api: Integrator, conversation: str) -> None:
    assert [lead["email"] for lead in api.get("leads/").json()["results"]] == ["visitor@example.com"]


def test_a_stranger_finds_no_conversation(rival: Integrator, conversation: str, agent: str) -> None:
    assert rival.get(f"conversations/{conversation}/").status_code == 404
    assert rival.get(f"conversations/{conversation}/messages/").status_code == 404
    assert rival.post(f"agents/{agent}/messages/", {"text": "Hello"}).status_code == 404
    for what in ("messages", "reply", "take-over", "hand-back", "close"):
        assert rival.post(f"conversations/{conversation}/{what}/", {"text": "Hello"}).status_code in (
            400,
            404,
        )
    assert rival.get("conversations/").json()["results"] == []
    assert rival.get("leads/").json()["results"] == []


def test_nobody_writes_as_the_visitor_of_a_widget(api: Integrator, conversation: str) -> None:
    answer = api.post(f"conversations/{conversation}/messages/", {"text": "I am the visitor."})

    assert answer.status_code == 400


@pytest.mark.parametrize("given", [{}, {"text": ""}, {"text": "x" * 4001}, {"text": "Hi", "author": "ai"}])
def test_a_question_must_be_right(api: Integrator, agent: str, given: dict[str, Any]) -> None:
    assert api.post(f"agents/{agent}/messages/", given).status_code == 400


def test_a_question_is_answered_as_a_whole(api: Integrator, agent: str, workspace: Workspace) -> None:
    turn = api.post(f"agents/{agent}/messages/", {"text": "What does it cost?"})

    assert turn.status_code == 201, turn.content
    body = turn.json()
    assert body["question"]["text"] == "What does it cost?"
    assert (body["answer"]["state"], body["answer"]["outcome"]) == ("complete", "abstained")
    follow_up = api.post(f"conversations/{body['conversation']}/messages/", {"text": "And a year?"})
    assert follow_up.json()["conversation"] == body["conversation"]
    with in_tenant(workspace):
        assert Conversation.objects.get().channel == Channel.API
        assert not Message.objects.filter(state=MessageState.WRITING).exists()


def test_the_same_idempotency_key_asks_once(api: Integrator, agent: str, workspace: Workspace) -> None:
    key = str(uuid4())

    first = api.post(f"agents/{agent}/messages/", {"text": "Hi"}, **{"idempotency-key": key})
    again = api.post(f"agents/{agent}/messages/", {"text": "Hi"}, **{"idempotency-key": key})

    assert first.json() == again.json()
    with in_tenant(workspace):
        assert Message.objects.count() == 2


def test_an_answer_is_streamed(site: Site, workspace: Workspace, secret: str, agent: str) -> None:
    with httpx.stream(
        "POST",
        f"http://127.0.0.1:{site.port}/api/v1/agents/{agent}/messages/",
        json={"text": "What does it cost?"},
        headers={
            "host": f"acme.localhost:{site.port}",
            "authorization": f"Bearer {secret}",
            "accept": "text/event-stream",
        },
        timeout=30,
    ) as response:
        lines = list(response.iter_lines())

    assert response.status_code == 200
    events = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    assert events[0] == "start"
    assert events[-2:] == ["end", "answer"]
    assert "token" in events


@pytest.mark.parametrize("body", [{"text": ""}, {"text": 1}])
def test_an_error_before_the_stream_is_json(api: Integrator, agent: str, body: dict[str, Any]) -> None:
    found = api.post(f"agents/{agent}/messages/", body, accept="text/event-stream")

    assert (found.status_code, found.headers["content-type"]) == (400, "application/json")
    assert list(found.json()["fields"]) == ["text"]


def test_an_answer_given_again_is_json_even_to_who_would_have_it_streamed(
    api: Integrator, agent: str
) -> None:
    headers = {"idempotency-key": str(uuid4())}
    first = api.post(f"agents/{agent}/messages/", {"text": "Hi"}, **headers)

    again = api.post(f"agents/{agent}/messages/", {"text": "Hi"}, accept="text/event-stream", **headers)

    assert again.headers["content-type"] == "application/json"
    assert again.json() == first.json()


def test_a_transcript_is_not_streamed(api: Integrator, conversation: str) -> None:
    found = api.client.get(
        f"{api.root}conversations/{conversation}/messages/", headers={"accept": "text/event-stream"}
    )

    assert (found.status_code, found.json()["code"]) == (406, "not_acceptable")


def test_a_key_for_reading_does_not_ask(workspace: Workspace, agent: str) -> None:
    reader = at_host(workspace, new_key(workspace, Scope.READ_CONVERSATIONS).secret)

    assert reader.post(f"agents/{agent}/messages/", {"text": "Hi"}).status_code == 403


def test_a_key_whose_maker_is_gone_does_not_write_as_a_person(
    workspace: Workspace, conversation: str, owner: User
) -> None:
    orphan = at_host(workspace, new_key(workspace, Scope.ADMIN).secret)

    assert orphan.post(f"conversations/{conversation}/take-over/").status_code == 400


def test_usage_tells_what_is_used_of_what_the_plan_includes(api: Integrator, agent: str) -> None:
    body = api.get("usage/").json()

    assert body["plan"] == "growth"
    assert body["limits"]["agents"] == {"used": 1, "maximum": 3}
