"""How an answer came about: on a page, in the API, and what the agent would say today."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from agents.models import Agent
from agents.providers import Passage, Sentence
from billing.models import UsageEntry
from chat.citations import Marks
from chat.models import Message
from knowledge import documents, ingest
from knowledge.embedding import DEFAULT_PROFILE
from knowledge.evidence import FEATURES
from knowledge.evidence import of as evidence_of
from knowledge.models import Chunk, Document
from tenants.context import in_tenant
from tenants.models import Role, Workspace
from tests.improve.test_exact_answers import QUESTION, an_answer, asked
from tests.plugins.integrators import Integrator
from tests.plugins.people import ClientAs

pytestmark = pytest.mark.django_db(transaction=True)


def page_of(workspace: Workspace, answer: Any) -> str:
    with in_tenant(workspace):
        return (
            f"/conversations/{Message.objects.get(pk=answer['id']).conversation_id}/receipts/{answer['id']}/"
        )


def test_the_api_tells_what_was_found_and_what_decided(
    agent: Agent, workspace: Workspace, api: Integrator
) -> None:
    answer = asked(workspace, agent, QUESTION)
    receipt = api.get(f"messages/{answer['id']}/receipt/").json()
    best = receipt["candidates"][0]
    assert (receipt["question"], receipt["outcome"], receipt["threshold"]) == (QUESTION, "answered", 0.5)
    assert (best["cited"], best["version"], best["still_serves"]) == (1, 1, True)
    assert "three to five working days" in best["quote"]
    assert best["rerank"] is None
    assert receipt["steps"][0]["name"] == "Reading the question"
    assert receipt["rules"][0].startswith("Evidence ")


def test_it_names_what_made_up_the_evidence_and_which_model_read(
    agent: Agent, workspace: Workspace, api: Integrator, owner_client: Client
) -> None:
    answer = asked(workspace, agent, QUESTION)
    receipt = api.get(f"messages/{answer['id']}/receipt/").json()
    assert receipt["profile"] == DEFAULT_PROFILE.id
    assert list(receipt["features"]) == list(FEATURES)
    weighed = evidence_of(receipt["features"], profile_id=receipt["profile"])
    assert weighed == pytest.approx(receipt["evidence"], abs=0.01)
    page = owner_client.get(page_of(workspace, answer)).content.decode()
    assert f"match {receipt['features']['score']:.2f} · meaning {receipt['features']['cosine']:.2f}" in page
    assert DEFAULT_PROFILE.id in page


def test_the_chosen_sentences_are_marked(
    agent: Agent, workspace: Workspace, api: Integrator, owner_client: Client
) -> None:
    answer = asked(workspace, agent, QUESTION)
    best, *others = api.get(f"messages/{answer['id']}/receipt/").json()["candidates"]
    (span,) = best["spans"]
    assert span["text"] == "Standard delivery to Austria takes three to five working days."
    assert (span["evidence"], span["quoted"]) == (True, True)
    with in_tenant(workspace):
        text = Chunk.objects.get(pk=best["chunk"]).text
    assert text[span["start"] : span["end"]].strip() == span["text"]
    assert not any(found["spans"] for found in others)
    page = owner_client.get(page_of(workspace, answer)).content.decode()
    marked = re.findall(r"<mark[^>]*>(.*?)</mark>", page)
    assert marked == [f"“{span['text']}”"]
    assert "In the answer" in page


def test_what_is_abstained_from_marks_the_evidence_alone(
    agent: Agent, workspace: Workspace, api: Integrator
) -> None:
    answer = asked(workspace, agent, "How long is the warranty on bicycles?")
    found = api.get(f"messages/{answer['id']}/receipt/").json()["candidates"]
    chosen = [span for row in found for span in row["spans"]]
    assert [(span["evidence"], span["quoted"]) for span in chosen] == [(True, False)]


def test_what_a_hosted_model_words_anew_marks_the_sentences_that_it_rests_on() -> None:
    texts = ("The shop is open from nine to six.", "It is closed on Sundays.", "The car park is free.")
    starts = (0, 35, 60)
    sentences = tuple(
        Sentence(text, start, start + len(text), 0.5) for text, start in zip(texts, starts, strict=True)
    )
    passage = Passage(3, "c1", "Hours", None, None, (), " ".join(texts), 0.5, sentences)
    marks = Marks([passage])
    text = (
        marks.feed("We are open from nine to six [3]. On Sundays we are closed [3]. Ask us! [3]")
        + marks.rest()
    )
    assert [sentence.text for sentence in marks.quoted(text)["c1"]] == list(texts[:2])


def test_a_receipt_from_before_spans_still_reads(
    agent: Agent, workspace: Workspace, api: Integrator, owner_client: Client
) -> None:
    answer = asked(workspace, agent, QUESTION)
    with in_tenant(workspace):
        message = Message.objects.get(pk=answer["id"])
        for row in message.receipt["candidates"]:
            del row["spans"]
        del message.receipt["features"], message.receipt["profile"]
        message.save(update_fields=["receipt"])
    receipt = api.get(f"messages/{answer['id']}/receipt/").json()
    assert (receipt["candidates"][0]["spans"], receipt["features"], receipt["profile"]) == ([], {}, "")
    assert "three to five working days" in owner_client.get(page_of(workspace, answer)).content.decode()


def test_the_api_tells_what_the_reranking_model_gave(
    agent: Agent, workspace: Workspace, api: Integrator
) -> None:
    answer = asked(workspace, agent, QUESTION)
    with in_tenant(workspace):
        message = Message.objects.get(pk=answer["id"])
        message.receipt["candidates"][0]["rerank"] = 0.75
        message.save(update_fields=["receipt"])
    receipt = api.get(f"messages/{answer['id']}/receipt/").json()
    assert receipt["candidates"][0]["rerank"] == 0.75


def test_a_follow_up_shows_what_was_searched(agent: Agent, workspace: Workspace, api: Integrator) -> None:
    before = asked(workspace, agent, QUESTION)
    with in_tenant(workspace):
        talk = Message.objects.get(pk=before["id"]).conversation_id
    answer = api.post(f"conversations/{talk}/messages/", {"text": "And express?"}).json()["answer"]
    receipt = api.get(f"messages/{answer['id']}/receipt/").json()
    assert receipt["rewritten"]
    assert receipt["searched"] == f"{QUESTION} And express?"


def test_the_page_shows_an_exact_answer_as_what_decided(
    agent: Agent, workspace: Workspace, owner_client: Client
) -> None:
    an_answer(agent, workspace)
    page = owner_client.get(page_of(workspace, asked(workspace, agent, QUESTION))).content.decode()
    assert "Matched the exact answer to" in page


def test_replay_shows_todays_answer_beside_the_old_one_and_bills_nothing(
    agent: Agent, workspace: Workspace, owner_client: Client
) -> None:
    address = page_of(workspace, asked(workspace, agent, "How long is the warranty on bicycles?"))
    with in_tenant(workspace):
        documents.add_text(agent, title="Warranty", text="The warranty on bicycles is seven years long.")
        for document in Document.objects.filter(live=None):
            ingest.ingest(document.pk)
        before = (Message.objects.count(), UsageEntry.objects.count())
    page = owner_client.post(f"{address}replay/").content.decode()
    assert "Did not know" in page
    assert "seven years long" in page.partition('aria-label="Today"')[2]
    with in_tenant(workspace):
        assert (Message.objects.count(), UsageEntry.objects.count()) == before


def test_the_api_replays_an_answer(agent: Agent, workspace: Workspace, api: Integrator) -> None:
    answer = asked(workspace, agent, "How long is the warranty on bicycles?")
    with in_tenant(workspace):
        documents.add_text(agent, title="Warranty", text="The warranty on bicycles is seven years long.")
        for document in Document.objects.filter(live=None):
            ingest.ingest(document.pk)
        before = (Message.objects.count(), UsageEntry.objects.count())
    sides = api.post(f"messages/{answer['id']}/replay/").json()
    assert (sides["then"]["outcome"], sides["today"]["outcome"]) == ("abstained", "answered")
    assert "seven years long" in sides["today"]["text"]
    assert sides["today"]["citations"][0]["title"] == "Warranty"
    assert sides["today"]["receipt"]["candidates"][0]["cited"] == 1
    with in_tenant(workspace):
        assert (Message.objects.count(), UsageEntry.objects.count()) == before


def test_a_replaced_document_is_said_to_be_replaced(
    agent: Agent, workspace: Workspace, owner_client: Client
) -> None:
    answer = asked(workspace, agent, QUESTION)
    with in_tenant(workspace):
        document = Document.objects.get()
        documents.update_file(document.source, b"Standard delivery to Austria takes two days.")
        ingest.ingest(document.pk)
    assert "Replaced since" in owner_client.get(page_of(workspace, answer)).content.decode()


def test_viewers_read_but_do_not_replay_and_strangers_see_nothing(
    agent: Agent, workspace: Workspace, client_as: ClientAs, stranger_client: Client, rival: Integrator
) -> None:
    answer = asked(workspace, agent, QUESTION)
    address, viewer = page_of(workspace, answer), client_as(Role.VIEWER)
    assert (viewer.get(address).status_code, viewer.post(f"{address}replay/").status_code) == (200, 403)
    assert stranger_client.get(address).status_code == 404
    assert rival.get(f"messages/{answer['id']}/receipt/").status_code == 404
    assert rival.post(f"messages/{answer['id']}/replay/").status_code == 404
