"""A website's sync goes through the gate from end to end: a real server, a real worker, the dashboard, a person."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from agents.models import Agent
from chat.models import Trial
from chat.tasks import try_content
from knowledge import documents
from knowledge.models import DocumentStatus, Source, SourceKind, SyncState
from knowledge.scope import Scope
from tenants.context import in_tenant
from tenants.models import Workspace
from tests.improve.test_gate import decide, set_gate
from tests.improve.test_gate_content import text_that_serves, time_passes
from tests.improve.test_test_sets import expect
from tests.knowledge.website import Website, running_website
from tests.plugins.processes import running_worker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def website(settings: Settings, tmp_path: Path) -> Iterator[Website]:
    """A website that this process and a worker may read."""
    settings.FETCH_PRIVATE_HOSTS = ["localhost"]
    cache.clear()
    with running_website() as site, running_worker(tmp_path, NETVEXA_FETCH_PRIVATE_HOSTS="localhost"):
        site.page("/", "We sell lamps.", "/prices", "/returns")
        site.page("/prices", "A lamp costs 49 dollars.")
        site.page("/returns", "Send lamps back within 45 days.")
        yield site


def until(is_so: Callable[[], bool], workspace: Workspace) -> None:
    for _ in range(900):
        with in_tenant(workspace):
            if is_so():
                return
        time.sleep(0.1)
    pytest.fail("The worker did not get there.")


def synced(source: Source, workspace: Workspace, client: Client) -> None:
    """A person asks for two syncs, one after the other, and the worker makes them."""

    def is_done() -> bool:
        source.refresh_from_db()
        return source.sync_state == SyncState.IDLE and source.synced_at != before

    for _ in range(2):
        before = source.synced_at
        client.post(f"/knowledge/{source.pk}/sync/")
        until(is_done, workspace)


def decided(workspace: Workspace, *, known: int) -> Trial:
    """The run that the worker made after `known` others."""
    until(lambda: Trial.objects.exclude(verdict="pending").count() == known + 1, workspace)
    with in_tenant(workspace):
        trial: Trial = Trial.objects.latest("created_at")
        return trial


def test_a_sync_that_breaks_an_answer_is_held_dropped_tried_anew_and_applied(
    agent: Agent, workspace: Workspace, owner_client: Client, website: Website
) -> None:
    with in_tenant(workspace):
        source = documents.add_site(agent, url=website.url(), scope=Scope(), kind=SourceKind.SITE)
    until(lambda: source.documents.filter(status=DocumentStatus.READY).count() == 3, workspace)
    until(lambda: Source.objects.get(pk=source.pk).sync_state == SyncState.IDLE, workspace)
    expect(workspace, agent, "What does a lamp cost?", must=["49 dollars"])
    set_gate(workspace, "block")

    website.page("/", "We sell lamps.", "/prices")
    website.page("/prices", "A lamp costs 59 dollars.")
    del website.pages["/returns"]
    synced(source, workspace, owner_client)
    held = decided(workspace, known=0)  # nobody asked for the run: it began once nothing more came
    assert (held.verdict, held.broken, len(held.change["content"])) == ("held", 1, 3)
    assert ("49 dollars" in text_that_serves(workspace), "45 days" in text_that_serves(workspace)) == (
        True,
        True,
    )
    assert "59 dollars" not in text_that_serves(workspace)
    for page in ("/knowledge/", f"/knowledge/{source.pk}/", f"/knowledge/agents/{agent.pk}/"):
        assert f"/improve/runs/{held.pk}/" in owner_client.get(page).content.decode()
    shown = owner_client.get(f"/improve/runs/{held.pk}/").content.decode()
    assert "59 dollars" in shown
    assert "Page /returns" in shown

    decide(owner_client, held, "drop")
    synced(source, workspace, owner_client)
    with in_tenant(workspace):
        assert not source.documents.filter(status=DocumentStatus.STAGED).exists()
        assert Trial.objects.count() == 1
    assert ("49 dollars" in text_that_serves(workspace), "45 days" in text_that_serves(workspace)) == (
        True,
        True,
    )

    with in_tenant(workspace):
        pinned = [*source.documents.filter(pinned=True).values_list("pk", flat=True)]
    for document_id in pinned:
        owner_client.post(f"/knowledge/documents/{document_id}/release/")
    synced(source, workspace, owner_client)
    time_passes(workspace)
    try_content.delay(str(workspace.pk), str(agent.pk))
    again = decided(workspace, known=1)
    assert (again.verdict, again.broken) == ("held", 1)
    assert "59 dollars" not in text_that_serves(workspace)

    decide(owner_client, again, "apply")
    assert "59 dollars" in text_that_serves(workspace)
    assert "45 days" not in text_that_serves(workspace)
    synced(source, workspace, owner_client)
    with in_tenant(workspace):
        assert not source.documents.filter(status=DocumentStatus.STAGED).exists()
        assert Trial.objects.count() == 2
