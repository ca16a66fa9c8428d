"""The gate for what leaves: pages that a sync takes away, and files that are not in an archive any more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from agents.models import Agent
from chat.models import Trial
from chat.tasks import run_trial, try_content
from knowledge import documents, ingest
from knowledge.models import Document, Source
from knowledge.tasks import ingest_document, sync_source
from tenants.context import in_tenant
from tenants.models import Workspace
from tests.improve.test_gate import decide, set_gate
from tests.improve.test_gate_content import tested_now, text_that_serves
from tests.improve.test_test_sets import expect
from tests.knowledge import files
from tests.knowledge.test_sync import crawled, synced
from tests.knowledge.website import Website, running_website
from tests.plugins.integrators import Integrator

pytestmark = pytest.mark.django_db(transaction=True)
PRICE = "A lamp costs 49 dollars."
COUNTED = b"We sell 12 kinds of bulbs."


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    for task in (run_trial, ingest_document, sync_source):
        monkeypatch.setattr(task, "enqueue", lambda *_job: None)
    monkeypatch.setattr(try_content, "apply_async", lambda *_job, **_when: None)


@pytest.fixture
def website(settings: Settings) -> Iterator[Website]:
    settings.FETCH_PRIVATE_HOSTS = ["localhost"]
    cache.clear()
    with running_website() as site:
        site.page("/", "We sell lamps.", "/prices", "/returns")
        site.page("/prices", PRICE)
        site.page("/returns", "Send lamps back within 45 days.")
        yield site


@pytest.fixture
def source(agent: Agent, workspace: Workspace, website: Website) -> Source:
    """The website as it was read before there were tests, one of which rests on its prices."""
    with in_tenant(workspace):
        source = crawled(agent, website)
    expect(workspace, agent, "What does a lamp cost?", must=["49 dollars"])
    set_gate(workspace, "block")
    return source


def run_of_all(workspace: Workspace) -> Trial | None:
    """The run of all that waits."""
    with in_tenant(workspace):
        agent = Agent.objects.get()
    return tested_now(agent, workspace)


def sync_twice(source: Source, workspace: Workspace) -> None:
    with in_tenant(workspace):
        synced(source)
        synced(source)


def page(source: Source, workspace: Workspace, website: Website, path: str = "/prices") -> Document:
    with in_tenant(workspace):
        found: Document = source.documents.get(key=website.url(path))
        return found


def took_away(source: Source, workspace: Workspace, website: Website) -> Trial:
    """The run about a website whose page of prices is gone, and whose page of returns has new words."""
    del website.pages["/prices"]
    website.page("/returns", "Send lamps back within 60 days.")
    sync_twice(source, workspace)
    trial = run_of_all(workspace)
    assert trial is not None
    return trial


def test_a_page_that_is_gone_serves_until_its_removal_was_tested_with_all_else_of_the_sync(
    source: Source, workspace: Workspace, website: Website, owner_client: Client, api: Integrator
) -> None:
    trial = took_away(source, workspace, website)
    gone = page(source, workspace, website)
    assert (gone.status, gone.error_code) == ("staged", "page_gone")
    assert (trial.verdict, trial.broken, len(trial.change["content"])) == ("held", 1, 2)
    assert "49 dollars" in trial.results[0]["before"]["text"]
    assert PRICE in text_that_serves(workspace)
    assert "45 days" in text_that_serves(workspace)
    assert (
        "It serves until its removal is tested."
        in owner_client.get(f"/knowledge/{source.pk}/").content.decode()
    )
    assert "Page /prices" in owner_client.get(f"/improve/runs/{trial.pk}/").content.decode()
    shown = api.get(f"documents/{gone.pk}/").json()
    assert (shown["status"], shown["error_code"], shown["serving"]) == ("staged", "page_gone", True)
    decide(owner_client, trial, "apply")
    assert PRICE not in text_that_serves(workspace)
    assert "60 days" in text_that_serves(workspace)
    assert page(source, workspace, website).status == "gone"


def test_a_removal_that_is_held_is_not_tried_again_by_each_sync_nor_makes_syncs_come_sooner(
    source: Source, workspace: Workspace, website: Website
) -> None:
    trial = took_away(source, workspace, website)
    with in_tenant(workspace):
        synced(source)
        assert source.next_sync_at is not None
        assert source.synced_at is not None
        assert (source.next_sync_at - source.synced_at).total_seconds() > 3600
    assert run_of_all(workspace) is None
    with in_tenant(workspace):
        trial.refresh_from_db()
    assert trial.verdict == "held"


def test_what_was_dropped_stays_as_it_was_until_somebody_lets_it_follow_its_site(
    source: Source, workspace: Workspace, website: Website, owner_client: Client
) -> None:
    decide(owner_client, took_away(source, workspace, website), "drop")
    kept = page(source, workspace, website)
    assert (kept.status, kept.pinned, kept.error) == ("ready", True, "")
    sync_twice(source, workspace)
    assert run_of_all(workspace) is None
    assert PRICE in text_that_serves(workspace)
    owner_client.post(f"/knowledge/documents/{kept.pk}/release/")
    sync_twice(source, workspace)
    again = run_of_all(workspace)
    assert again is not None
    assert (again.verdict, again.change["content"]) == ("held", [str(kept.pk)])


def test_a_page_that_comes_back_while_its_removal_waits_stays(
    source: Source, workspace: Workspace, website: Website
) -> None:
    body = website.pages["/prices"]
    took_away(source, workspace, website)
    website.pages["/prices"] = body
    with in_tenant(workspace):
        synced(source)
    back = page(source, workspace, website)
    assert (back.status, back.error_code, bool(back.live_id)) == ("ready", "", True)


@pytest.mark.parametrize("way", ["redirect", "canonical"])
def test_a_page_that_gives_way_to_another_waits_too_and_stays_when_it_stands_for_itself_again(
    source: Source, workspace: Workspace, website: Website, way: str
) -> None:
    body = website.pages["/prices"]
    if way == "redirect":
        website.moved["/prices"] = "/returns"
    else:
        meant = website.url("/returns")
        website.page(
            "/prices", "Send lamps back within 45 days.", head=f'<link rel="canonical" href="{meant}">'
        )
    with in_tenant(workspace):
        synced(source)
    copy = page(source, workspace, website)
    assert (copy.status, copy.error_code) == ("staged", "page_copy")
    trial = run_of_all(workspace)
    assert trial is not None
    assert (trial.verdict, trial.change["content"]) == ("held", [str(copy.pk)])
    with in_tenant(workspace):
        synced(source)
    assert run_of_all(workspace) is None  # the same is not tried twice
    assert PRICE in text_that_serves(workspace)
    website.moved.clear()
    website.pages["/prices"] = body
    with in_tenant(workspace):
        synced(source)
    back = page(source, workspace, website)
    assert (back.url, back.error_code) == (website.url("/prices"), "")
    if way == "canonical":  # its words changed and changed back, which is new content
        passed = run_of_all(workspace)
        assert passed is not None
        assert passed.verdict == "applied"
        back = page(source, workspace, website)
    assert back.status == "ready"
    assert PRICE in text_that_serves(workspace)


def test_robots_txt_takes_nothing_away_that_serves(
    source: Source, workspace: Workspace, website: Website
) -> None:
    website.pages["/robots.txt"] = "User-agent: *\nDisallow: /prices"
    cache.clear()
    sync_twice(source, workspace)
    kept = page(source, workspace, website)
    assert (kept.status, kept.warning_code) == ("ready", "robots_disallowed")
    assert run_of_all(workspace) is None


def test_a_warning_gate_lets_a_page_go_and_tells_the_team(
    source: Source,
    workspace: Workspace,
    website: Website,
    owner_client: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[tuple[str, ...]] = []
    monkeypatch.setattr("tenants.mail.deliver_mail.delay", lambda *given: sent.append(given))
    set_gate(workspace, "warn")
    trial = took_away(source, workspace, website)
    assert (trial.verdict, trial.broken) == ("applied", 1)
    assert page(source, workspace, website).status == "gone"
    assert PRICE not in text_that_serves(workspace)
    [(_, _, text, _html)] = sent
    assert f"- Page or file: Page /prices ({website.url()}), taken away" in text
    assert "(taken away)" in owner_client.get(f"/knowledge/{source.pk}/").content.decode()


def test_without_tests_a_page_goes_at_once(agent: Agent, workspace: Workspace, website: Website) -> None:
    with in_tenant(workspace):
        source = crawled(agent, website)
    del website.pages["/prices"]
    sync_twice(source, workspace)
    assert page(source, workspace, website).status == "gone"


def read_all(source: Source) -> None:
    for pk in [*source.documents.values_list("pk", flat=True)]:
        for found in ingest.ingest(pk):
            ingest.ingest(found)


def test_files_that_are_not_in_an_archive_any_more_wait_with_what_came_in_it(
    agent: Agent, workspace: Workspace, owner_client: Client
) -> None:
    first = {"price.txt": PRICE.encode(), "bulbs.txt": COUNTED}
    with in_tenant(workspace):
        source = documents.add_file(agent, name="help.zip", content=files.archive(first))
        read_all(source)
    expect(workspace, agent, "What does a lamp cost?", must=["49 dollars"])
    set_gate(workspace, "block")
    with in_tenant(workspace):
        documents.update_file(source, files.archive({"bulbs.txt": COUNTED.replace(b"12", b"15")}))
        read_all(source)
    trial = tested_now(agent, workspace)
    assert trial is not None
    assert (trial.verdict, trial.broken, len(trial.change["content"])) == ("held", 1, 2)
    assert PRICE in text_that_serves(workspace)
    assert "12 kinds" in text_that_serves(workspace)
    with in_tenant(workspace):
        documents.update_file(source, files.archive({**first, "new.txt": b"Candles are new."}))
        read_all(source)
        assert source.documents.get(key="price.txt").status == "ready"
        documents.update_file(source, files.archive({"bulbs.txt": COUNTED}))
        read_all(source)
    again = tested_now(agent, workspace)
    assert again is not None
    decide(owner_client, again, "apply")
    with in_tenant(workspace):
        assert source.documents.get(key="price.txt").status == "gone"
    assert PRICE not in text_that_serves(workspace)


@pytest.mark.parametrize("decision", ["apply", "drop"])
def test_a_file_that_an_archive_replaces_serves_until_that_was_tested(
    agent: Agent, workspace: Workspace, owner_client: Client, decision: str
) -> None:
    with in_tenant(workspace):
        source = documents.add_file(agent, name="price.txt", content=PRICE.encode())
        read_all(source)
    expect(workspace, agent, "What does a lamp cost?", must=["49 dollars"])
    set_gate(workspace, "block")
    with in_tenant(workspace):
        documents.update_file(source, files.archive({"bulbs.txt": COUNTED}), name="help.zip")
        read_all(source)
    assert PRICE in text_that_serves(workspace)
    trial = tested_now(agent, workspace)
    assert trial is not None
    assert trial.verdict == "held"
    decide(owner_client, trial, decision)
    assert (PRICE in text_that_serves(workspace)) == (decision == "drop")
    assert (COUNTED.decode() in text_that_serves(workspace)) == (decision == "apply")
