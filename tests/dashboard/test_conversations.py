"""Conversations, as the team reads and answers them."""

from __future__ import annotations

import pytest
from django.test import Client

from agents.models import Agent
from chat.models import Author, Conversation, ConversationState, Message, Outcome, Owner, Visitor
from netvexa.templatetags.ui import place
from tenants.context import in_tenant
from tenants.models import Role, Workspace
from tests.plugins.people import ClientAs

pytestmark = pytest.mark.django_db


@pytest.fixture
def conversation(workspace: Workspace) -> Conversation:
    """A visitor asked, the agent answered with a citation."""
    with in_tenant(workspace):
        agent = Agent.objects.create(name="Vexa")
        row = Conversation.objects.create(
            agent=agent, visitor=Visitor.objects.create(name="Grace"), title="How long can I return an order?"
        )
        Message.objects.create(conversation=row, ordinal=1, author=Author.VISITOR, text="<b>How long?</b>")
        Message.objects.create(
            conversation=row,
            ordinal=2,
            author=Author.AI,
            text="Thirty days. [1]",
            outcome=Outcome.ANSWERED,
            citations=[{"n": 1, "title": "Terms", "heading": "Returns", "snippet": "within 30 days"}],
        )
    return row


def saved(conversation: Conversation, workspace: Workspace) -> Conversation:
    with in_tenant(workspace):
        return Conversation.objects.get(pk=conversation.pk)


def test_the_transcript_shows_what_was_said_and_what_it_rests_on(
    owner_client: Client, conversation: Conversation
) -> None:
    page = owner_client.get(f"/conversations/{conversation.pk}/").content.decode()

    assert "Thirty days." in page
    assert "within 30 days" in page
    assert "&lt;b&gt;How long?" in page
    assert "<span>Terms › Returns</span>" in page


def test_a_section_whose_path_begins_with_the_title_names_it_once() -> None:
    assert place({"title": "Terms", "heading": "Terms › Returns"}) == "Terms › Returns"
    assert place({"title": "Terms", "heading": "Terms"}) == place({"title": "Terms"}) == "Terms"


def test_a_stranger_finds_nothing(stranger_client: Client, conversation: Conversation) -> None:
    assert stranger_client.get("/conversations/").status_code == 404
    assert stranger_client.get(f"/conversations/{conversation.pk}/").status_code == 404


def test_a_conversation_of_another_workspace_does_not_exist(
    conversation: Conversation, stranger_client: Client, other_workspace: Workspace
) -> None:
    theirs = Client(headers={"host": "rival.localhost"})
    theirs.cookies = stranger_client.cookies

    assert theirs.get("/conversations/").status_code == 200
    assert theirs.get(f"/conversations/{conversation.pk}/").status_code == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=thirty", True),
        ("q=grace", True),
        ("q=unheard", False),
        ("state=bot", True),
        ("state=closed", False),
        ("channel=api", False),
        ("state=nonsense&agent=nonsense&page=nonsense&q=%00", True),
    ],
)
def test_the_list_is_searched_and_filtered(
    owner_client: Client, conversation: Conversation, query: str, found: bool
) -> None:
    page = owner_client.get(f"/conversations/?{query}").content.decode()

    assert (f"/conversations/{conversation.pk}/" in page) is found


def test_a_reply_takes_the_conversation_over(
    owner_client: Client, conversation: Conversation, workspace: Workspace
) -> None:
    owner_client.post(f"/conversations/{conversation.pk}/reply/", {"text": "I look into it."})

    now = saved(conversation, workspace)
    assert (now.owner, now.state) == (Owner.HUMAN, ConversationState.HUMAN)
    assert "I look into it." in owner_client.get(f"/conversations/{conversation.pk}/").content.decode()


def test_an_empty_reply_is_refused(
    owner_client: Client, conversation: Conversation, workspace: Workspace
) -> None:
    owner_client.post(f"/conversations/{conversation.pk}/reply/", {"text": "  "})

    assert saved(conversation, workspace).state == ConversationState.BOT


def test_the_agent_gets_it_back_and_it_is_closed(
    owner_client: Client, conversation: Conversation, workspace: Workspace
) -> None:
    path = f"/conversations/{conversation.pk}"
    states = []
    for act in ("take-over", "hand-back", "close", "take-over"):
        owner_client.post(f"{path}/{act}/")
        states.append(saved(conversation, workspace).state)

    assert states == ["human", "bot", "closed", "closed"]


@pytest.mark.parametrize("act", ["reply", "take-over", "hand-back", "close", "delete"])
def test_a_viewer_only_reads(client_as: ClientAs, conversation: Conversation, act: str) -> None:
    assert client_as(Role.VIEWER).post(f"/conversations/{conversation.pk}/{act}/").status_code == 403


def test_a_conversation_is_deleted(
    owner_client: Client, conversation: Conversation, workspace: Workspace
) -> None:
    owner_client.post(f"/conversations/{conversation.pk}/delete/")

    with in_tenant(workspace):
        assert not Conversation.objects.exists()
        assert not Message.objects.exists()


def test_home_counts_the_week(owner_client: Client, conversation: Conversation) -> None:
    week = owner_client.get("/").context["week"]

    assert (week.conversations, week.answers, week.answered_share) == (1, 1, 100)
