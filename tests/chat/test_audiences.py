"""A visitor without the label never gets a word of what is meant for others, by no way that an answer can take."""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import replace
from typing import Any

import jwt
import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from agents.audiences import claimed, key_of
from agents.models import Agent
from agents.providers import Turn
from chat import cache, curated, gaps, receipts, rehearsal, test_sets, trials, turns
from chat.conversations import Belonging
from chat.models import CachedAnswer, CacheState, CuratedAnswer, Gap, Message, Trial
from knowledge import documents, ingest, proposals, radar, recall
from knowledge.models import Chunk, Document, Finding, FindingKind, Source
from tenants.context import in_tenant
from tenants.models import Workspace
from tests.chat.test_cache import RETURNS, a_turn, an_answer, asked, found
from tests.chat.visitor import chatting
from tests.plugins.processes import Site

pytestmark = pytest.mark.django_db(transaction=True)
QUESTION = "What discount do resellers get on a hammock?"
PARTNER = Belonging(audiences=("partners",))
SECRET = "Resellers get a discount of 34 percent on every hammock."


@pytest.fixture
def terms(agent: Agent, workspace: Workspace) -> Source:
    """What only partners may read, beside the shop's public help."""
    with in_tenant(workspace):
        source = documents.add_text(agent, title="Reseller terms", text=SECRET, audience="Partners ")
        ingest.ingest(source.documents.get().pk)
        return source


def identity(agent: Agent, audiences: Any, **claims: Any) -> dict[str, str]:
    whole = {"sub": "7", "exp": int(time.time()) + 600, "audiences": audiences, **claims}
    return {"token": jwt.encode(whole, agent.identity_secret, algorithm="HS256")}


async def said(site: Site, agent: Agent, question: str = QUESTION, **hello: Any) -> str:
    async with chatting(site, agent, hello=False) as chat:
        await chat.hello(**hello)
        end = await chat.answer(question)
        return f"{end['text']} {end['citations']}"


async def test_only_a_signed_claim_opens_what_is_meant_for_partners(
    site: Site, agent: Agent, terms: Source
) -> None:
    assert "34" in await said(site, agent, identity=identity(agent, ["PARTNERS"]))
    hellos: list[dict[str, Any]] = [
        {},
        {"identity": identity(agent, ["staff"])},
        {"context": {"audiences": "partners"}},
    ]
    for hello in hellos:
        assert "34 percent" not in await said(site, agent, **hello)


async def test_labels_beside_a_hash_or_under_a_wrong_signature_count_for_nothing(
    site: Site, agent: Agent, terms: Source
) -> None:
    proof = hmac.new(agent.identity_secret.encode(), b"7", hashlib.sha256).hexdigest()
    beside = {"user_id": "7", "hash": proof, "audiences": ["partners"]}
    forged = {
        "token": jwt.encode({"sub": "7", "exp": int(time.time()) + 600, "audiences": ["partners"]}, "x" * 40)
    }
    for given in (beside, forged):
        assert "34 percent" not in await said(site, agent, identity=given)


def test_a_label_ends_with_its_proof() -> None:
    now = int(time.time())
    assert Belonging(audiences=("partners",), until=now + 60).now == ["partners"]
    assert Belonging(audiences=("partners",), until=now - 1).now == []


def test_claims_are_read_with_care() -> None:
    assert claimed(["Partners", " partners", "a,b", 5, None, "x" * 41]) == ("partners",)
    assert claimed("VIP  Guests") == ("vip guests",)
    assert claimed({"partners": True}) == ()
    many = [f"label {number}" for number in range(30)]
    assert len(key_of(many)) == 64
    assert key_of(many) != key_of(many[1:])


def test_a_kept_answer_is_given_to_the_same_audience_only(
    inside: Workspace, agent: Agent, terms: Source
) -> None:
    chunk = Chunk.objects.get(version__serves__source=terms)
    cited = [{"n": 1, "title": "Reseller terms", "snippet": SECRET, "chunk": str(chunk.pk)}]
    made = an_answer(agent, SECRET, citations=cited)
    turn = a_turn(agent, QUESTION, belonging=PARTNER)
    turns.store(turn, made, seq=1, shown={})
    assert cache.keep(turn, made)
    for question in (QUESTION, "What is the discount that resellers get on a hammock?"):
        assert found(agent, question) is None
        assert found(agent, question, belonging=Belonging(audiences=("partners", "staff"))) is None
        assert found(agent, question, belonging=PARTNER) is not None
    documents.set_audience(terms, "staff")
    assert found(agent, QUESTION, belonging=PARTNER) is None


def test_a_kept_answer_of_everybody_ends_when_its_source_is_closed(inside: Workspace, agent: Agent) -> None:
    asked(agent)
    CachedAnswer.objects.update(state=CacheState.PINNED)
    assert found(agent, RETURNS) is not None
    documents.set_audience(Source.objects.get(), "partners")
    assert found(agent, RETURNS) is None


def test_an_exact_answer_meant_for_partners_goes_first_and_to_them_alone(
    inside: Workspace, agent: Agent
) -> None:
    for text, audience in (("Ask our sales team.", ""), (SECRET, "partners")):
        curated.save(CuratedAnswer(agent=agent, answer=text, audience=audience), [QUESTION])
    for question in (QUESTION, "Which discount do resellers get on a hammock?"):
        assert rehearsal.rehearse(agent, question).text == "Ask our sales team."
        assert rehearsal.rehearse(agent, question, audiences=["partners"]).text == SECRET
    pairs = curated.pairs_in(f"{QUESTION},None at all.".encode())
    curated.import_pairs(agent, pairs, by=None, audience="staff")
    texts = {row.audience: row.answer for row in CuratedAnswer.objects.all()}
    assert texts == {"": "Ask our sales team.", "partners": SECRET, "staff": "None at all."}


def test_a_question_that_leans_on_a_partners_one_finds_no_more_for_others(
    inside: Workspace, agent: Agent, terms: Source
) -> None:
    history = [Turn("visitor", QUESTION)]
    with_label = rehearsal.rehearse(agent, "And on a hammock?", history=history, audiences=["partners"])
    without = rehearsal.rehearse(agent, "And on a hammock?", history=history)
    assert "34" in with_label.text
    assert "34 percent" not in f"{without.text}{without.citations}{without.receipt}"


def test_receipt_replay_and_test_set_ask_as_the_same_visitor(
    inside: Workspace, agent: Agent, terms: Source
) -> None:
    turn = a_turn(agent, QUESTION, belonging=PARTNER)
    assert turns.audiences_of(Message.objects.get(pk=turn.answer_id)) == ("partners",)
    turns.store(turn, rehearsal.rehearse(agent, QUESTION, audiences=["partners"]), seq=1, shown={})
    message = receipts.answer_or_404(turn.answer_id)
    again, expected = rehearsal.replay(message), test_sets.expect_from(message)
    assert again is not None
    assert "34" in again.text
    assert receipts.receipt_of(message)["audiences"] == expected.audiences == ["partners"]
    assert receipts.audience_of(message) == "partners"
    test_sets.import_csv(agent, f"question,audiences,must contain\n{QUESTION},,34".encode())
    trials.run(trials.begin(agent, by=None).pk)
    failed = {result["expectation"]: result["now"]["failed"] for result in Trial.objects.get().results}
    assert failed.pop(str(expected.pk)) == []
    assert all(failed.values())


def test_what_a_partner_got_again_is_put_right_for_partners_alone(
    inside: Workspace, agent: Agent, terms: Source
) -> None:
    turn = a_turn(agent, QUESTION, belonging=PARTNER)
    made = rehearsal.rehearse(agent, QUESTION, audiences=["partners"])
    turns.store(turn, made, seq=1, shown={})
    assert cache.keep(turn, replace(made, rung="primary", receipt={**made.receipt, "attempts": [{}]}))
    hit, again = found(agent, QUESTION, belonging=PARTNER), a_turn(agent, QUESTION, belonging=PARTNER)
    assert hit is not None
    turns.store(again, hit.answer(), seq=1, shown={})
    message = receipts.answer_or_404(again.answer_id)
    assert "34" in receipts.receipt_of(message)["candidates"][0]["quote"]
    assert receipts.audience_of(message) == "partners"
    Message.objects.filter(pk=turn.answer_id).delete()
    assert receipts.audience_of(message) == "partners"


def test_so_is_an_exact_answer_that_partners_got(inside: Workspace, agent: Agent) -> None:
    curated.save(CuratedAnswer(agent=agent, answer=SECRET, audience="partners"), [QUESTION])
    turn = a_turn(agent, QUESTION, belonging=PARTNER)
    turns.store(turn, rehearsal.rehearse(agent, QUESTION, audiences=["partners"]), seq=1, shown={})
    assert receipts.audience_of(receipts.answer_or_404(turn.answer_id)) == "partners"


def test_a_gaps_draft_is_drawn_from_what_all_its_askers_may_read(
    inside: Workspace, agent: Agent, terms: Source
) -> None:
    for belonging in (PARTNER, Belonging()):
        turn = a_turn(agent, QUESTION, belonging=belonging)
        answer = rehearsal.rehearse(agent, QUESTION, audiences=belonging.now)
        turns.store(turn, answer, seq=1, shown={})
        Message.objects.filter(pk=turn.answer_id).update(feedback=-1)
        gaps.gather(agent.pk)
        suggestion = gaps.suggestion_for(Gap.objects.get())
        if belonging == PARTNER:
            assert ("34" in suggestion["draft"], suggestion["audience"]) == (True, "partners")
    assert "34 percent" not in str(suggestion)


def test_the_radar_compares_within_an_audience(inside: Workspace, agent: Agent, terms: Source) -> None:
    other = documents.add_text(agent, title="Flyer", text=SECRET.replace("34", "10"))
    ingest.ingest(other.documents.get().pk)
    radar.scan()
    kind = FindingKind.CONTRADICTION
    assert not Finding.objects.filter(kind=kind).exists()
    documents.set_audience(other, "partners")
    radar.scan()
    assert Finding.objects.get(kind=kind).other_id


def test_a_draft_for_partners_is_tried_as_a_partner_only(
    inside: Workspace, agent: Agent, terms: Source
) -> None:
    document = documents.update_file(terms, SECRET.replace("34", "35").encode(), draft=True)
    overlay = proposals.overlay_of(document.versions.get(draft=True).pk)
    assert "35" in rehearsal.rehearse(agent, QUESTION, audiences=["partners"], overlay=overlay).text
    assert "35" not in rehearsal.rehearse(agent, QUESTION, overlay=overlay).text


def test_hosts_of_closed_pages_are_no_link_targets_for_others(inside: Workspace, agent: Agent) -> None:
    source = Source.objects.create(agent=agent, kind="url", title="Portal", audience="partners")
    Document.objects.create(source=source, title="Portal", url="https://portal.acme.example/terms")
    assert recall.source_hosts(agent.pk, version="1") == frozenset()
    assert recall.source_hosts(agent.pk, version="1", audiences=["partners"]) == {"portal.acme.example"}


async def test_the_team_tries_as_a_visitor_of_an_audience(
    site: Site, agent: Agent, terms: Source, owner_client: Client, workspace: Workspace
) -> None:
    page = await sync_to_async(owner_client.get)(f"/agents/{agent.pk}/try/?audience=Partners")
    ticket = page.context["ticket"]
    config = await sync_to_async(owner_client.get)(
        f"/agents/preview/{ticket}/widget/config/{agent.public_id}.json"
    )
    assert 'value="partners" selected' in page.content.decode()
    assert config.json()["socket"].endswith("?preview=1&audience=partners")
    async with chatting(site, agent, hello=False, query="?audience=partners") as stranger:
        await stranger.hello()
        assert "34 percent" not in str(await stranger.answer(QUESTION))
