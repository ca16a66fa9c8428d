"""An answer that is put right becomes a pair in the agent's knowledge, or an exact answer, as the team chooses."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from agents.models import Agent
from billing.models import Entitlement
from billing.plans import Tier
from chat.models import CuratedAnswer, Gap
from knowledge import documents, ingest
from knowledge.corrections import TITLE
from knowledge.models import Source, SourceKind
from knowledge.parsing.qa import Pair
from knowledge.questions import pairs_of
from tenants.context import in_tenant, platform
from tenants.models import AuditEvent, Role, Workspace
from tests.improve.test_exact_answers import QUESTION, TEXT, asked
from tests.improve.test_gaps import IN_VAIN, gathered
from tests.plugins.people import ClientAs

pytestmark = pytest.mark.django_db(transaction=True)


def page_to_fix(workspace: Workspace, agent: Agent, question: str = QUESTION) -> str:
    return f"/improve/agents/{agent.pk}/answers/new/?message={asked(workspace, agent, question)['id']}"


def fix(client: Client, page: str, **given: Any) -> Any:
    return client.post(page, {"place": "knowledge", "wordings": QUESTION, "answer": TEXT, **given})


def sets(workspace: Workspace) -> list[tuple[str, list[Pair]]]:
    with in_tenant(workspace):
        rows = Source.objects.filter(kind=SourceKind.QUESTIONS).order_by("created_at")
        return [(source.title, pairs_of(source)) for source in rows]


def read_everything(workspace: Workspace) -> None:
    with in_tenant(workspace):
        for source in Source.objects.filter(kind=SourceKind.QUESTIONS):
            ingest.ingest(source.documents.get().pk)


def add_set(workspace: Workspace, agent: Agent, title: str = "Service", **fields: Any) -> None:
    with in_tenant(workspace):
        documents.add_questions(agent, title=title, pairs=[Pair("Is there parking?", "Yes.")], **fields)
    read_everything(workspace)


def test_it_goes_to_the_knowledge_unless_one_chooses_otherwise(
    agent: Agent, workspace: Workspace, owner_client: Client
) -> None:
    page = page_to_fix(workspace, agent)
    shown = owner_client.get(page).content.decode()
    assert 'value="knowledge"' in shown.partition(" checked")[0].rpartition("<input")[2]
    saved = fix(owner_client, page)
    assert sets(workspace) == [(TITLE, [Pair(QUESTION, TEXT)])]
    with in_tenant(workspace):
        source = Source.objects.get(kind=SourceKind.QUESTIONS)
        assert not CuratedAnswer.objects.exists()
        added = AuditEvent.objects.get(action="source.added")
    assert (saved.status_code, saved["location"]) == (302, f"/knowledge/{source.pk}/questions/")
    assert (added.subject, added.after) == (TITLE, {"questions": [QUESTION]})
    read_everything(workspace)
    answer = asked(workspace, agent, QUESTION)
    assert TEXT in answer["text"]
    assert TITLE in [citation["title"] for citation in answer["citations"]]


def test_it_joins_the_set_that_the_agent_has_and_replaces_the_same_question(
    agent: Agent, workspace: Workspace, owner_client: Client
) -> None:
    add_set(workspace, agent)
    page = page_to_fix(workspace, agent)
    fix(owner_client, page, answer="Two days.", wordings=f"{QUESTION}\nHow fast is it?")
    fix(owner_client, page)
    (only,) = sets(workspace)
    assert only == (
        "Service",
        [Pair("Is there parking?", "Yes."), Pair(QUESTION, TEXT), Pair("How fast is it?", "Two days.")],
    )
    with in_tenant(workspace):
        assert AuditEvent.objects.filter(action="source.changed", subject="Service").count() == 2


def test_a_set_for_others_or_with_a_draft_is_left_alone(
    agent: Agent, workspace: Workspace, owner_client: Client
) -> None:
    add_set(workspace, agent, title="For partners", audience="partners")
    add_set(workspace, agent, title="Being written")
    with in_tenant(workspace):
        source = Source.objects.get(title="Being written")
        documents.update_file(source, b'[{"question": "New?", "answer": "Not yet."}]', draft=True)
    fix(owner_client, page_to_fix(workspace, agent))
    before = [Pair("Is there parking?", "Yes.")]
    assert sets(workspace) == [
        ("For partners", before),
        ("Being written", [Pair("New?", "Not yet.")]),
        (TITLE, [Pair(QUESTION, TEXT)]),
    ]
    fix(owner_client, page_to_fix(workspace, agent), audience="partners")
    assert sets(workspace)[0] == ("For partners", [*before, Pair(QUESTION, TEXT)])


def test_an_exact_answer_is_made_where_it_is_chosen(
    agent: Agent, workspace: Workspace, owner_client: Client
) -> None:
    page = page_to_fix(workspace, agent)
    assert fix(owner_client, page, place="exact", link="https://shop.example.com/").status_code == 302
    assert sets(workspace) == []
    assert asked(workspace, agent, QUESTION)["text"] == f"{TEXT} [1]"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"link": "https://shop.example.com/"}, "Only an exact answer has a link."),
        ({"wordings": "x" * 301}, "is too long"),
        ({"answer": ""}, "This field is required."),
        ({"place": "drawer"}, "Select a valid choice."),
    ],
)
def test_what_cannot_be_kept_is_said_beside_its_field(
    agent: Agent, workspace: Workspace, owner_client: Client, given: dict[str, str], said: str
) -> None:
    page = fix(owner_client, page_to_fix(workspace, agent), **given)
    assert page.status_code == 422
    assert said in page.content.decode()
    assert sets(workspace) == []


def test_a_plan_without_room_for_a_source_says_so(
    agent: Agent, workspace: Workspace, owner_client: Client
) -> None:
    page = page_to_fix(workspace, agent)
    with platform():
        Entitlement.objects.filter(workspace=workspace).update(tier=Tier.STARTER)
    with in_tenant(workspace):
        Source.objects.bulk_create(
            Source(agent=agent, kind=SourceKind.TEXT, title=f"Page {number}") for number in range(400)
        )
    refused = fix(owner_client, page)
    assert refused.status_code == 422
    assert "A larger plan includes more." in refused.content.decode()


def test_a_gap_is_handled_by_it_as_well(agent: Agent, workspace: Workspace, owner_client: Client) -> None:
    asked(workspace, agent, IN_VAIN)
    (gap,) = gathered(workspace, agent)
    page = f"/improve/agents/{agent.pk}/answers/new/?gap={gap.pk}"
    fix(owner_client, page, wordings=IN_VAIN, answer="Ada does.")
    with in_tenant(workspace):
        assert Gap.objects.get(pk=gap.pk).state == "handled"
    assert sets(workspace) == [(TITLE, [Pair(IN_VAIN, "Ada does.")])]


def test_a_new_exact_answer_has_no_other_place(agent: Agent, owner_client: Client) -> None:
    page = owner_client.get(f"/improve/agents/{agent.pk}/answers/new/").content.decode()
    assert 'name="place"' not in page
    assert 'name="is_active"' in page


def test_who_may_not_edit_knowledge_keeps_nothing(
    agent: Agent, workspace: Workspace, client_as: ClientAs, stranger_client: Client
) -> None:
    page = page_to_fix(workspace, agent)
    assert fix(client_as(Role.VIEWER), page).status_code == 403
    assert fix(stranger_client, page).status_code == 404
    assert sets(workspace) == []
