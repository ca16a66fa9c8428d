"""Questions asked in vain: gathered by meaning, with a draft, kept until the team handles them."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from agents.models import Agent
from chat import gaps
from chat.erasure import delete_conversations
from chat.models import Conversation, CuratedAnswer, Gap, Message
from chat.tasks import tend_answers
from tenants.context import in_tenant
from tenants.models import Role, Workspace
from tests.improve.test_exact_answers import QUESTION, asked
from tests.plugins.integrators import Integrator
from tests.plugins.people import ClientAs

pytestmark = pytest.mark.django_db(transaction=True)
IN_VAIN = "Do you repair electric guitars?"


def gathered(workspace: Workspace, agent: Agent) -> list[Gap]:
    with in_tenant(workspace):
        gaps.gather(agent.pk)
        return list(Gap.objects.order_by("-asked"))


def test_questions_that_mean_the_same_stand_together_once(agent: Agent, workspace: Workspace) -> None:
    for question in (IN_VAIN, "Can you repair an electric guitar?", "Who is the president of France?"):
        assert asked(workspace, agent, question)["outcome"] == "abstained"
    assert [gap.asked for gap in gathered(workspace, agent)] == [2, 1]
    assert [gap.asked for gap in gathered(workspace, agent)] == [2, 1]  # nothing is counted twice


def test_a_gap_with_more_answers_than_are_read_counts_each_once(
    agent: Agent, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gaps, "MAX_ANSWERS", 2)
    for _ in range(4):
        asked(workspace, agent, IN_VAIN)
    assert [gap.asked for gap in gathered(workspace, agent)] == [4]
    (gap,) = gathered(workspace, agent)
    assert gap.asked == 4
    with in_tenant(workspace):
        assert len(gaps.askings_of([gap])[gap.pk]) == 2
        Message.objects.filter(pk__in=gap.answers[:2]).update(created_at=timezone.now() - gaps.LOOKS_BACK)
    asked(workspace, agent, IN_VAIN)
    (gap,) = gathered(workspace, agent)
    assert (gap.asked, len(gap.answers)) == (5, 3)  # two are too old to be counted again, and forgotten


def test_a_thumb_down_makes_a_gap_of_an_answer(agent: Agent, workspace: Workspace) -> None:
    answer = asked(workspace, agent, QUESTION)
    assert gathered(workspace, agent) == []
    with in_tenant(workspace):
        Message.objects.filter(pk=answer["id"]).update(feedback=-1)
    assert [(gap.asked, gap.disliked) for gap in gathered(workspace, agent)] == [(1, 1)]


def test_the_page_lists_it_and_drafts_an_answer_from_the_closest_passage(
    agent: Agent, workspace: Workspace, owner_client: Client
) -> None:
    answer = asked(workspace, agent, QUESTION)
    with in_tenant(workspace):
        Message.objects.filter(pk=answer["id"]).update(feedback=-1)
    assert QUESTION in owner_client.get(f"/improve/agents/{agent.pk}/gaps/").content.decode()
    with in_tenant(workspace):
        gap = Gap.objects.get()
    page = owner_client.get(f"/improve/gaps/{gap.pk}/").content.decode()
    assert "three to five working days" in page
    assert f"?gap={gap.pk}" in page


def test_the_exact_answer_that_is_made_of_it_handles_it(
    agent: Agent, workspace: Workspace, owner_client: Client
) -> None:
    asked(workspace, agent, IN_VAIN)
    (gap,) = gathered(workspace, agent)
    address = f"/improve/agents/{agent.pk}/answers/new/?gap={gap.pk}"
    assert IN_VAIN in owner_client.get(address).content.decode()
    owner_client.post(address, {"wordings": IN_VAIN, "answer": "No, but Ada does.", "is_active": "on"})
    with in_tenant(workspace):
        gap.refresh_from_db()
        assert (gap.state, CuratedAnswer.objects.count()) == ("handled", 1)


@pytest.mark.parametrize(("state", "after"), [("handled", "open"), ("dismissed", "dismissed")])
def test_only_what_was_handled_comes_back(
    agent: Agent, workspace: Workspace, owner_client: Client, state: str, after: str
) -> None:
    asked(workspace, agent, IN_VAIN)
    (gap,) = gathered(workspace, agent)
    assert owner_client.post(f"/improve/gaps/{gap.pk}/", {"state": state}).status_code == 302
    asked(workspace, agent, IN_VAIN)
    assert [(gap.state, gap.asked) for gap in gathered(workspace, agent)] == [(after, 2)]


def test_it_goes_with_its_conversations(agent: Agent, workspace: Workspace, owner_client: Client) -> None:
    asked(workspace, agent, IN_VAIN)
    gathered(workspace, agent)
    with in_tenant(workspace):
        delete_conversations(Conversation.objects.values_list("pk", flat=True))
    assert IN_VAIN not in owner_client.get(f"/improve/agents/{agent.pk}/gaps/").content.decode()
    tend_answers()
    with in_tenant(workspace):
        assert not Gap.objects.exists()


def test_the_api_lists_suggests_and_settles(agent: Agent, workspace: Workspace, api: Integrator) -> None:
    asked(workspace, agent, IN_VAIN)
    gathered(workspace, agent)
    (row,) = api.get("gaps/", agent=str(agent.pk), state="open").json()["results"]
    detail: Any = api.get(f"gaps/{row['id']}/").json()
    assert (row["questions"], detail["suggestion"]["questions"]) == ([IN_VAIN], [IN_VAIN])
    assert api.patch(f"gaps/{row['id']}/", {"state": "handled"}).json()["state"] == "handled"
    assert api.patch(f"gaps/{row['id']}/", {"state": "eaten"}).status_code == 400


def test_viewers_only_read_and_strangers_see_nothing(
    agent: Agent, workspace: Workspace, client_as: ClientAs, stranger_client: Client
) -> None:
    asked(workspace, agent, IN_VAIN)
    (gap,) = gathered(workspace, agent)
    viewer, address = client_as(Role.VIEWER), f"/improve/gaps/{gap.pk}/"
    assert (viewer.get(address).status_code, viewer.post(address, {"state": "handled"}).status_code) == (
        200,
        403,
    )
    assert stranger_client.get(address).status_code == 404
    assert stranger_client.get(f"/improve/agents/{agent.pk}/gaps/").status_code == 404
