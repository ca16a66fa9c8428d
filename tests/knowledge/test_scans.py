"""A scan is read to its end, each page once, whatever cuts the reading off: with real OCR and killed processes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache.backends.redis import RedisCache
from django.utils import timezone
from pypdfium2 import PdfiumError  # type: ignore[import-untyped]
from redis import Redis

from agents.models import Agent
from knowledge import ingest, scans
from knowledge.documents import add_file, progress_of
from knowledge.models import Document
from knowledge.parsing import parse, pdf
from knowledge.parsing.errors import ParserStopped
from knowledge.parsing.limits import Limits
from knowledge.parsing.sandbox import Parsers, parse_apart
from knowledge.parsing.scan import MOST_LOST, TRIES, Scan
from knowledge.retrieval import search
from knowledge.scans import KeptScan
from knowledge.tasks import ingest_document
from netvexa.celery import app as celery
from tenants.context import current_workspace, in_tenant
from tenants.models import Workspace
from tests.knowledge import files
from tests.plugins.processes import kill, running_worker

PAGES = [
    ["The warehouse opens at seven."],
    ["Resellers get a discount of 34 percent."],
    ["Lamps hold nine years."],
]
SCAN = files.scan(*PAGES)
PATIENCE_SECONDS = 120


class Watched(Scan):
    """Calls `at` when a page begins, and counts what was read."""

    def __init__(self, at: Callable[[int], None]) -> None:
        super().__init__()
        self._at = at
        self.begun: list[int] = []
        self.read: list[int] = []

    def begins(self, page: int, *, of: int) -> None:
        super().begins(page, of=of)
        self.begun.append(page)
        self._at(page)

    def ends(self, page: int, read: str | None) -> None:
        super().ends(page, read)
        if read is not None:
            self.read.append(page)


def kill_readers(parsers: Parsers) -> None:
    """Kill the forks that read documents, not the child that they come from."""
    assert parsers._child is not None
    child = parsers._child.pid
    for fork in Path(f"/proc/{child}/task/{child}/children").read_text().split():
        os.kill(int(fork), signal.SIGKILL)


def test_a_reader_that_was_killed_is_followed_by_one_that_reads_the_rest(parsers: Parsers) -> None:
    scan = Watched(lambda page: kill_readers(parsers) if scan.begun.count(page) < page == 2 else None)
    parsed = parse_apart(SCAN, name="scan.pdf", scan=scan)
    assert [block.text for block in parsed.blocks] == [text for (text,) in PAGES]
    assert (scan.begun, scan.read) == ([1, 2, 2, 3], [1, 2, 3])


def test_a_page_that_kills_its_reader_each_time_is_left_out_and_named(parsers: Parsers) -> None:
    scan = Watched(lambda page: kill_readers(parsers) if page == 2 else None)
    parsed = parse_apart(SCAN, name="scan.pdf", scan=scan)
    assert [block.page for block in parsed.blocks] == [1, 3]
    assert (scan.begun, scan.read) == ([1, *[2] * TRIES, 3], [1, 3])
    assert any("for one page: page 2. Scan" in note for note in parsed.notes)
    assert not any("hold no text" in note for note in parsed.notes)


def test_a_page_has_its_own_limit(parsers: Parsers) -> None:
    scan = Watched(lambda _: None)
    limits = Limits(page_seconds=0)
    parsed = parse_apart(files.scan(PAGES[0], text="The cover."), name="a.pdf", limits=limits, scan=scan)
    assert [block.text for block in parsed.blocks] == ["The cover."]
    assert scan.begun == [2] * TRIES
    assert any("more than 0 s for one page: page 2" in note for note in parsed.notes)


def test_a_file_that_stops_one_reader_after_the_other_is_given_up(parsers: Parsers) -> None:
    scan = Watched(lambda _: kill_readers(parsers))
    with pytest.raises(ParserStopped):
        parse_apart(
            files.scan(*([f"Page {page}"] for page in range(MOST_LOST + 2))), name="scan.pdf", scan=scan
        )
    assert scan.begun == [page for page in range(1, MOST_LOST + 2) for _ in range(TRIES)]


def test_a_page_that_cannot_be_drawn_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = pdf._drawn

    def draw(page: object, *, has_text: bool) -> object:
        if len(scan.known) == 1:
            raise PdfiumError("Failed to load page.")
        return drawn(page, has_text=has_text)

    scan = Scan()
    monkeypatch.setattr(pdf, "_drawn", draw)
    parsed = parse(SCAN, name="scan.pdf", scan=scan)
    assert [block.page for block in parsed.blocks] == [1, 3]
    assert any("for one page: page 2" in note for note in parsed.notes)


# Kept between workers


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What is handed to workers."""
    jobs: list[tuple[str, ...]] = []
    monkeypatch.setattr(ingest_document, "delay", lambda *job: jobs.append(job))
    return jobs


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Pages that are read in this process' name from now on."""
    pages: list[int] = []
    ends = KeptScan.ends

    def note(self: KeptScan, page: int, read: str | None) -> None:
        pages.append(page)
        ends(self, page, read)

    monkeypatch.setattr(KeptScan, "ends", note)
    return pages


@pytest.fixture
def short_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if one page took all the time that there is for one reading."""
    monkeypatch.setattr("knowledge.parsing.sandbox.Limits", partial(Limits, ocr_seconds=0.2))


def kept() -> list[bytes]:
    with Redis.from_url(settings.REDIS_URL) as redis:
        return list(redis.scan_iter(f"*{current_workspace().key}:scan:*"))


def scanned(agent: Agent) -> Document:
    return add_file(agent, name="scan.pdf", content=SCAN).documents.get()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("short_slices")
def test_a_long_scan_is_read_in_slices_that_show_how_far_it_is(
    agent: Agent, workspace: Workspace, sent: list[tuple[str, ...]], read: list[int]
) -> None:
    document = scanned(agent)
    seen = []
    while sent:
        job = sent.pop()
        assert job == (str(workspace.pk), str(document.pk))
        ingest_document(*job)
        document.refresh_from_db()
        now = progress_of(document)
        seen.append((now["status"], now["step"], now["done"], now["total"], document.attempts))
    assert seen[:-1] == [("working", "scan", 1, 3, 0), ("working", "scan", 2, 3, 0)]
    assert (seen[-1][0], read, kept()) == ("ready", [1, 2, 3], [])
    best = search("What discount do resellers get?", agent_id=agent.pk).passages[0]
    assert [one.page for one in best.sentences if one.text == PAGES[1][0]] == [2]
    assert document.versions.get().notes[0].startswith("3 of 3 pages were read")


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_leaves_its_pages_to_the_next(
    agent: Agent, workspace: Workspace, sent: list[tuple[str, ...]], read: list[int], tmp_path: Path
) -> None:
    """On a broker of its own, so that no other test's worker takes the document."""
    document = scanned(agent)
    job = sent.pop()
    broker = os.environ["REDIS_URL"].rstrip("/").removesuffix("/0") + "/9"
    with running_worker(tmp_path, CELERY_BROKER_URL=broker) as worker:
        with celery.connection_for_write(broker) as connection:
            ingest_document.apply_async(job, connection=connection)  # type: ignore[call-arg]
        deadline = time.monotonic() + PATIENCE_SECONDS
        while Document.objects.get(pk=document.pk).done < 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        kill(worker)
    known = sorted(KeptScan(SCAN, show=lambda _: None).known)
    assert known in ([1], [1, 2])
    Document.objects.filter(pk=document.pk).update(lease_until=timezone.now())  # as if its time had run out
    ingest_document(*job)
    document.refresh_from_db()
    assert (document.status, sorted(known + read)) == ("ready", [1, 2, 3])


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("short_slices", "sent")
def test_where_nothing_can_be_kept_what_was_read_serves_and_the_rest_is_named(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = scanned(agent)
    monkeypatch.setattr(scans, "cache", RedisCache("redis://127.0.0.1:1", {}))
    assert ingest.ingest(document.pk) == []
    document.refresh_from_db()
    assert document.status == "ready"
    assert any("pages 2, 3. Split the file" in note for note in document.versions.get().notes)


@pytest.mark.django_db(transaction=True)
def test_pages_are_kept_for_the_workspace_and_the_very_content(
    agent: Agent, other_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def known(data: bytes = SCAN) -> dict[int, str | None]:
        return KeptScan(data, show=lambda _: None).known

    scan = KeptScan(SCAN, show=lambda _: None)
    scan.ends(4, "a page")
    scan.ends(5, None)
    assert known() == {4: "a page", 5: None}
    assert known(SCAN + b" ") == {}
    with in_tenant(other_workspace):
        assert known() == {}
    monkeypatch.setattr("knowledge.parsing.ocr.edition", lambda: "another")
    assert known() == {}
    monkeypatch.undo()
    with Redis.from_url(settings.REDIS_URL) as redis:
        assert all(0 < redis.ttl(name) <= scans.KEPT for name in kept())
    scan.is_stored()
    assert (known(), kept()) == ({}, [])


@pytest.mark.django_db(transaction=True)
def test_no_more_is_kept_than_has_room(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scans, "MOST_KEPT", 10)
    scan = KeptScan(SCAN, show=lambda _: None)
    scan.ends(1, "x" * 10)
    assert scan.has_next
    scan.ends(2, "y")
    assert not scan.has_next
    assert KeptScan(SCAN, show=lambda _: None).known == {1: "x" * 10}
