"""The nightly probe: it finds what crosses between workspaces, and its canary is nobody's answer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from chat import tasks
from chat.models import Lead
from chat.probe import neighbour_of, probe
from knowledge import canary, retrieval
from knowledge.models import Chunk
from tenants.context import in_tenant, platform
from tenants.models import ApiKey, AuditEvent, KnownDevice, Role, TokenGrant
from tenants.tasks import clear_sessions
from tests.isolation.world import World, make_world
from tests.plugins.people import add_member, client_of

pytestmark = pytest.mark.django_db(transaction=True)


def page_of(world: World) -> str:
    return str(client_of(world.workspace, world.user).get("/isolation/").content.decode())


def test_a_night_without_a_leak_is_shown_to_the_workspace() -> None:
    own, other = make_world("acme"), make_world("rival")
    assert "Not checked yet" in page_of(own)

    for one, neighbour in ((own, other), (other, own)):
        tasks.probe_workspace.apply(args=(str(one.workspace.pk), str(neighbour.workspace.pk)), throw=True)

    assert "Checked, no leak" in page_of(own)
    assert "Checked, no leak" in page_of(other)
    with platform():
        nights = list(AuditEvent.objects.filter(action="isolation.probed"))
        assert not ApiKey.objects.filter(name="Nightly isolation probe").exists()
    assert len(nights) == 2
    for night in nights:
        assert night.after == {
            "asked": {"search": 4, "kept answers": 1, "conversations": 1, "exports": 3, "API": 8},
            "faults": [],
        }


def test_what_crosses_is_found_wherever_it_comes_out(caplog: pytest.LogCaptureFixture) -> None:
    own, other = make_world("acme"), make_world("rival")
    neighbour = neighbour_of(other.workspace)
    with in_tenant(own.workspace):
        canary.plant()
        Lead.objects.create(conversation_id=own.ids["conversation"], name=neighbour.word)
        Chunk.objects.filter(agent_id=own.agent.pk).update(text=f"Psst: {neighbour.word}.", spans=[])

    faults = probe(own.workspace, neighbour).faults

    for place in ("search", "exports", "API"):
        assert f"A fact of another workspace came out of the {place}." in faults
    assert "Needs attention" in page_of(own)
    assert f"A fact of workspace {other.workspace.key} came out" in caplog.text


def test_a_search_that_finds_nothing_at_all_proves_nothing() -> None:
    own = make_world("acme")
    with in_tenant(own.workspace):
        word = canary.plant()
        Chunk.objects.filter(version=None).update(text=f"{word[:-3]}zzz")  # still there, but no canary's word

    faults = probe(own.workspace, None).faults

    assert faults == ["The search does not find this workspace’s own word, so that nothing is proven."]


def test_the_canary_is_in_no_answer_and_in_no_list() -> None:
    own = make_world("acme")
    with in_tenant(own.workspace):
        before = retrieval.search(canary.QUESTION, agent_id=own.agent.pk)
        word = canary.plant()
        after = retrieval.search(f"{canary.QUESTION} {word}", agent_id=own.agent.pk)

    assert word not in str(after.passages)
    assert [one.chunk_id for one in after.passages] == [one.chunk_id for one in before.passages]
    browser = client_of(own.workspace, own.user)
    for address in ("/knowledge/", f"/knowledge/{own.ids['source']}/", "/conversations/", "/leads/"):
        assert word not in browser.get(address).content.decode()


def test_only_who_runs_the_workspace_sees_the_result() -> None:
    own = make_world("acme")
    viewer = add_member(own.workspace, "vera@acme.example", Role.VIEWER)

    assert client_of(own.workspace, viewer).get("/isolation/").status_code == 403
    assert client_of(own.workspace).get("/isolation/").status_code == 302


def test_tokens_that_are_over_and_devices_long_unseen_are_forgotten() -> None:
    own, now = make_world("acme"), timezone.now()
    with platform():
        for days in (-1, 1):
            TokenGrant.objects.create(
                workspace=own.workspace,
                key=own.key.row,
                refresh_jti=str(days),
                expires_at=now + timedelta(days),
            )
    for days in (1, 500):
        KnownDevice.objects.create(user=own.user, mark_hash=str(days), seen_at=now - timedelta(days))

    clear_sessions.apply(throw=True)

    with platform():
        assert list(TokenGrant.objects.values_list("refresh_jti", flat=True)) == ["1"]
    assert list(KnownDevice.objects.values_list("mark_hash", flat=True)) == ["1"]
