"""Exact answers: the team's own words, given as they stand to whoever asks the same."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pgvector import HalfVector

from agents.models import Agent
from chat import curated
from chat.models import CuratedAnswer, Message
from knowledge import recall
from knowledge.embedding import DEFAULT_PROFILE, MULTILINGUAL_PROFILE, EmbeddingProfile
from knowledge.fields import EMBEDDING_DIMENSION
from tenants.context import in_tenant
from tenants.keys import Scope
from tenants.models import Role, Workspace
from tests.chat.test_cache import a_turn
from tests.plugins.integrators import Integrator, at_host, new_key
from tests.plugins.people import ClientAs

pytestmark = pytest.mark.django_db(transaction=True)
QUESTION = "How long does standard delivery to Austria take?"
TEXT = "Exactly four working days."


def an_answer(agent: Agent, workspace: Workspace, *wordings: str, **fields: Any) -> CuratedAnswer:
    with in_tenant(workspace):
        row = CuratedAnswer(agent=agent, **{"answer": TEXT, **fields})
        return curated.save(row, wordings or [QUESTION])


def asked(workspace: Workspace, agent: Agent, question: str) -> Any:
    key = new_key(workspace, Scope.WRITE_CONVERSATIONS, Scope.READ_CONVERSATIONS).secret
    answered = at_host(workspace, key).post(f"agents/{agent.pk}/messages/", {"text": question})
    assert answered.status_code == 201, answered.json()
    return answered.json()["answer"]


def test_the_exact_answer_wins_over_what_the_sources_say(agent: Agent, workspace: Workspace) -> None:
    row = an_answer(agent, workspace)
    answer = asked(workspace, agent, "how long does STANDARD delivery to Austria take")
    with in_tenant(workspace):
        row.refresh_from_db()
        given = curated.hits_of(row).get()
    assert (answer["text"], answer["outcome"], row.hits) == (TEXT, "answered", 1)
    assert (str(given.pk), given.rung, given.cost_micro_usd) == (answer["id"], "curated", 0)


def test_another_wording_of_the_same_question_finds_it(agent: Agent, workspace: Workspace) -> None:
    an_answer(agent, workspace)
    assert asked(workspace, agent, "How long will standard delivery to Austria take?")["text"] == TEXT


@pytest.mark.parametrize(
    "near_miss",
    [
        "How long does express delivery to Austria take?",
        "How long does standard delivery to Australia take?",
        "How long does standard delivery to Austria not take?",
        "How long does standard delivery from Austria take?",
        "How much does standard delivery to Austria cost?",
    ],
)
def test_a_question_that_says_something_else_does_not(
    agent: Agent, workspace: Workspace, near_miss: str
) -> None:
    an_answer(agent, workspace)
    assert asked(workspace, agent, near_miss)["text"] != TEXT


def test_one_that_is_off_leaves_the_question_to_the_sources(agent: Agent, workspace: Workspace) -> None:
    an_answer(agent, workspace, is_active=False)
    assert "three to five" in asked(workspace, agent, QUESTION)["text"]


def test_a_link_stands_under_the_answer_as_its_source(agent: Agent, workspace: Workspace) -> None:
    an_answer(agent, workspace, link="https://shop.example.com/delivery")
    answer = asked(workspace, agent, QUESTION)
    assert answer["text"] == f"{TEXT} [1]"
    assert [source["url"] for source in answer["citations"]] == ["https://shop.example.com/delivery"]


def test_a_wrong_answer_is_put_right_from_its_conversation(
    agent: Agent, workspace: Workspace, owner_client: Client
) -> None:
    wrong = asked(workspace, agent, QUESTION)
    with in_tenant(workspace):
        talk = Message.objects.get(pk=wrong["id"]).conversation_id
    page = f"/improve/agents/{agent.pk}/answers/new/?message={wrong['id']}"
    assert page in owner_client.get(f"/conversations/{talk}/").content.decode()
    shown = owner_client.get(page).content.decode()
    assert QUESTION in shown
    assert "[1]" not in shown.partition('name="answer"')[2].partition("</textarea>")[0]
    saved = owner_client.post(page, {"wordings": QUESTION, "answer": TEXT, "is_active": "on"})
    assert saved.status_code == 302
    assert asked(workspace, agent, QUESTION)["text"] == TEXT


def test_the_same_question_cannot_have_two_answers(
    agent: Agent, workspace: Workspace, owner_client: Client
) -> None:
    an_answer(agent, workspace)
    page = owner_client.post(
        f"/improve/agents/{agent.pk}/answers/new/",
        {"wordings": f"Another?\n{QUESTION.upper()}", "answer": "No."},
    )
    assert page.status_code == 422
    assert "has the question" in page.content.decode()


def test_a_sheet_is_imported_and_its_rows_replace_what_was_there(
    agent: Agent, workspace: Workspace, owner_client: Client
) -> None:
    an_answer(agent, workspace)
    sheet = SimpleUploadedFile(
        "a.csv", f"question,answer\n{QUESTION},Five days.\nIs it open?,Yes.\n".encode()
    )
    assert (
        owner_client.post(f"/improve/agents/{agent.pk}/answers/import/", {"file": sheet}).status_code == 302
    )
    with in_tenant(workspace):
        assert sorted(CuratedAnswer.objects.values_list("answer", flat=True)) == ["Five days.", "Yes."]
    assert asked(workspace, agent, QUESTION)["text"] == "Five days."


def test_a_sheet_that_is_none_says_what_is_wrong(agent: Agent, owner_client: Client) -> None:
    sheet = SimpleUploadedFile("a.csv", b"only one column\n")
    page = owner_client.post(f"/improve/agents/{agent.pk}/answers/import/", {"file": sheet})
    assert page.status_code == 422
    assert "has no answer" in page.content.decode()


def test_it_is_changed_and_deleted_on_its_page(
    agent: Agent, workspace: Workspace, owner_client: Client
) -> None:
    row = an_answer(agent, workspace)
    given = {"wordings": "When does it arrive?", "answer": "On Friday.", "is_active": "on"}
    assert owner_client.post(f"/improve/answers/{row.pk}/", given).status_code == 302
    with in_tenant(workspace):
        row.refresh_from_db()
        assert (row.answer, row.wordings) == ("On Friday.", ["When does it arrive?"])
    assert "When does it arrive?" in owner_client.get(f"/improve/answers/{row.pk}/").content.decode()
    owner_client.post(f"/improve/answers/{row.pk}/delete/")
    assert owner_client.get(f"/improve/answers/{row.pk}/").status_code == 404


def test_viewers_read_and_strangers_see_nothing(
    agent: Agent, workspace: Workspace, client_as: ClientAs, stranger_client: Client
) -> None:
    row, viewer = an_answer(agent, workspace), client_as(Role.VIEWER)
    addresses = (f"/improve/agents/{agent.pk}/answers/", f"/improve/answers/{row.pk}/")
    assert [viewer.get(address).status_code for address in addresses] == [200, 200]
    assert [stranger_client.get(address).status_code for address in addresses] == [404, 404]
    changes = (addresses[1], f"/improve/answers/{row.pk}/delete/", f"{addresses[0]}import/")
    assert [viewer.post(address, {"answer": "x"}).status_code for address in changes] == [403] * 3


def test_the_api_adds_changes_lists_and_deletes(api: Integrator, agent: Agent) -> None:
    made = api.post("curated-answers/", {"agent": str(agent.pk), "questions": [QUESTION], "answer": TEXT})
    assert made.status_code == 201, made.json()
    address = f"curated-answers/{made.json()['id']}/"
    changed = api.patch(address, {"questions": [QUESTION, "Delivery time?"]}).json()
    assert (changed["questions"], changed["answer"]) == ([QUESTION, "Delivery time?"], TEXT)
    assert [row["id"] for row in api.get("curated-answers/", agent=str(agent.pk)).json()["results"]] == [
        made.json()["id"]
    ]
    assert api.delete(address).status_code == 204
    assert api.get(address).status_code == 404


def test_the_api_refuses_a_question_that_is_taken_and_takes_a_sheet(api: Integrator, agent: Agent) -> None:
    first = {"agent": str(agent.pk), "questions": [QUESTION], "answer": TEXT}
    api.post("curated-answers/", first)
    assert api.post("curated-answers/", first).status_code == 400
    sheet = SimpleUploadedFile("a.csv", b"question,answer\nIs it open?,Yes.\n")
    taken = api.upload("curated-answers/import/", {"agent": str(agent.pk), "file": sheet})
    assert (taken.status_code, taken.json()) == (201, {"questions": 1})


def test_vectors_follow_the_agents_embedding_profile(agent: Agent, workspace: Workspace) -> None:
    row = an_answer(agent, workspace)
    with in_tenant(workspace):
        row.questions.update(profile="an older one")
        assert curated.make_vectors(UUID(str(agent.pk)))
        assert row.questions.get().profile == "minilm-l6-v2-int8"


@pytest.mark.parametrize(
    ("profile", "cosine", "is_found"),
    [
        (DEFAULT_PROFILE, 0.9, True),
        (DEFAULT_PROFILE, 0.84, False),
        (MULTILINGUAL_PROFILE, 0.97, True),
        (MULTILINGUAL_PROFILE, 0.9, False),
    ],
)
def test_how_near_a_wording_must_lie_means_the_same_in_every_profile(
    agent: Agent,
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    profile: EmbeddingProfile,
    cosine: float,
    is_found: bool,
) -> None:
    row = an_answer(agent, workspace)
    place, asked_at = np.zeros((2, EMBEDDING_DIMENSION), dtype=np.float32)
    place[0], asked_at[:2] = 1, (cosine, (1 - cosine**2) ** 0.5)
    mark = recall.Fingerprint(profile.id, asked_at)
    monkeypatch.setattr(recall, "fingerprint", lambda *_question, **_agent: mark)
    with in_tenant(workspace):
        row.questions.update(profile=profile.id, embedding=HalfVector(place))
        hit = curated.look_up(a_turn(agent, "How long will standard delivery to Austria take?"))
    assert (hit is not None) == is_found
    if hit is not None:
        assert hit.similarity >= curated.THRESHOLD
