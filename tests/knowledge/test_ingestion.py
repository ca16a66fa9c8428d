"""Documents come in through a real worker; what goes wrong is said, and nothing is lost or done twice."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from django.conf import settings
from django.core.cache.backends.redis import RedisCache
from django.core.files.storage import default_storage
from django.utils import timezone
from pytest_django import Settings
from redis import Redis

from agents.models import Agent
from knowledge import index, ingest, vectors
from knowledge.documents import (
    StillBeingRead,
    add_file,
    add_text,
    add_url,
    delete_source,
    progress_of,
    retry,
    update_file,
)
from knowledge.embedding import DEFAULT_PROFILE, Embedded, EmbeddingInput, embed_texts, encoder_for
from knowledge.embedding.encoders import OnnxEncoder
from knowledge.models import Chunk, Document, DocumentStatus, Source, Term, Version
from knowledge.parsing.errors import DocumentTooLarge, EmptyDocument, MislabelledDocument, ParseError
from knowledge.retrieval import search
from knowledge.tasks import ingest_document, resume_ingestion
from netvexa.celery import app as celery
from netvexa.lib.errors import AppError
from tenants.context import current_workspace, in_tenant
from tenants.models import Workspace
from tests.knowledge import files
from tests.knowledge.conftest import WaitFor, WebServer
from tests.plugins.processes import kill, running_worker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def sent(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What is handed to workers. Only a test that asks for one lets it go to the worker."""
    jobs: list[tuple[str, ...]] = []
    if "worker" not in request.fixturenames:
        monkeypatch.setattr(ingest_document, "delay", lambda *job: jobs.append(job))
    return jobs


def read_now(source: Source) -> Document:
    """Ingest in this process."""
    document = source.documents.get()
    ingest.ingest(document.pk)
    document.refresh_from_db()
    return document


@pytest.mark.usefixtures("worker")
def test_a_worker_reads_an_upload_and_the_passage_is_found_with_its_page(
    agent: Agent, wait_for: WaitFor
) -> None:
    source = add_file(agent, name="handbook.pdf", content=files.pdf())
    document = wait_for(source.documents.get())
    assert (document.status, document.title, document.error) == ("ready", files.TITLE, "")
    best = search("How long do refunds of order type 2 take?", agent_id=agent.pk).passages[0]
    assert (best.title, best.page, best.heading_path[-1]) == (files.TITLE, 2, "Chapter 2")
    assert best.sentences[0].text == "Refunds of order type 2 take 6 working days."


def test_progress_shows_steps_counts_and_the_end(agent: Agent) -> None:
    document = add_text(agent, title="Hours", text="We open at nine.").documents.get()
    assert progress_of(document)["status"] == "waiting"
    ingest.ingest(document.pk)
    document.refresh_from_db()
    assert progress_of(document) == {
        "status": "ready", "step": "", "done": 1, "total": 1, "error_code": "", "error": "", "serving": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("a.txt", b"", EmptyDocument),
        ("manual.pdf", b"no pdf at all", MislabelledDocument),
        ("big.txt", b"x" * (1024 * 1024 + 1), DocumentTooLarge),
    ],
)
def test_a_file_that_cannot_work_is_refused_at_once_and_leaves_nothing(
    agent: Agent, settings: Settings, name: str, content: bytes, error: type[ParseError]
) -> None:
    settings.MAX_UPLOAD_BYTES = 1024 * 1024
    with pytest.raises(error):
        add_file(agent, name=name, content=content)
    assert not Source.objects.exists()


def test_an_encrypted_file_is_a_status_with_a_sentence_and_can_be_retried(agent: Agent) -> None:
    source = add_file(agent, name="locked.pdf", content=files.pdf(password="secret"))
    document = read_now(source)
    assert (document.status, document.error_code) == (DocumentStatus.FAILED, "document_encrypted")
    assert "Remove the password" in document.error
    update_file(source, files.pdf(), name="open.pdf")
    assert read_now(source).status == DocumentStatus.READY


def test_a_failed_document_can_be_retried_and_one_that_is_read_cannot(agent: Agent) -> None:
    document = read_now(add_file(agent, name="locked.pdf", content=files.pdf(password="secret")))
    retry(document)
    with pytest.raises(StillBeingRead):
        retry(document)


def test_a_page_is_fetched_and_cited_with_the_section_it_stands_in(
    agent: Agent, web: WebServer, settings: Settings
) -> None:
    settings.FETCH_PRIVATE_HOSTS = ["localhost"]
    document = read_now(add_url(agent, url=web.url("page")))
    assert (document.status, document.title) == ("ready", "Returns")
    best = search("Who pays for the return label?", agent_id=agent.pk).passages[0]
    assert best.url == web.url("page") + "#costs"


def test_a_page_that_leads_to_loopback_fails_with_a_sentence(agent: Agent, web: WebServer) -> None:
    document = read_now(add_url(agent, url=web.url("page")))
    assert (document.status, document.error_code) == ("failed", "fetch_refused")
    assert "not lead to a public web page" in document.error


def test_a_server_that_is_down_is_tried_again_later_and_then_given_up(
    agent: Agent, web: WebServer, settings: Settings
) -> None:
    settings.FETCH_PRIVATE_HOSTS = ["localhost"]
    source = add_url(agent, url=web.url("broken"))
    seen = []
    for _ in range(ingest.MAX_ATTEMPTS):
        document = read_now(source)
        seen.append(document.status)
        Document.objects.filter(pk=document.pk).update(lease_until=None)
    assert seen == ["waiting", "waiting", "failed"]
    assert "answered with an error (500)" in document.error


def test_the_old_content_serves_until_the_new_is_whole(agent: Agent) -> None:
    source = add_text(agent, title="Hours", text="We open at nine.")
    document = read_now(source)
    before = document.live
    update_file(source, b"We open at ten.")
    assert search("When do you open?", agent_id=agent.pk).passages[0].text == "We open at nine."
    document = read_now(source)
    assert document.live != before
    assert [p.text for p in search("When do you open?", agent_id=agent.pk).passages] == ["We open at ten."]
    assert before is not None
    assert Version.objects.get(pk=before.pk).valid_to is not None


def test_a_failed_update_never_takes_the_last_good_content_away(agent: Agent) -> None:
    source = add_file(agent, name="a.pdf", content=files.pdf())
    read_now(source)
    update_file(source, files.pdf(password="secret"))
    document = read_now(source)
    assert document.status == DocumentStatus.FAILED
    assert search("refunds of order type 1", agent_id=agent.pk).passages


def test_the_same_bytes_again_change_nothing(agent: Agent) -> None:
    source = add_text(agent, title="Hours", text="We open at nine.")
    read_now(source)
    update_file(source, b"We open at nine.")
    assert source.documents.get().versions.count() == 1


def test_the_same_content_is_embedded_once_a_workspace(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    embedded: list[int] = []
    encoder = encoder_for(DEFAULT_PROFILE.id)
    original = encoder.embed

    def embed(inputs: Sequence[EmbeddingInput]) -> list[Embedded]:
        embedded.append(len(inputs))
        return original(inputs)

    monkeypatch.setattr(encoder, "embed", embed)
    read_now(add_file(agent, name="a.pdf", content=files.pdf()))
    read_now(add_file(Agent.objects.create(name="Other"), name="b.pdf", content=files.pdf()))
    assert sum(embedded) == Chunk.objects.values("content_hash").distinct().count()
    assert Chunk.objects.count() == 2 * sum(embedded)


def test_a_passage_has_the_same_vectors_whatever_comes_with_it() -> None:
    texts = [EmbeddingInput(text, ((0, 7),)) for text in ("Refunds take five days.", "Zebras " * 60)]
    together = [vectors.result() for vectors in embed_texts(texts, profile=DEFAULT_PROFILE)]
    (alone,) = encoder_for(DEFAULT_PROFILE.id).embed(texts[:1])
    assert np.array_equal(together[0].vector, alone.vector)
    assert np.array_equal(together[0].words, alone.words)
    assert not np.array_equal(together[0].vector, together[1].vector)


def test_terms_are_counted_in_and_out_with_the_chunks(agent: Agent) -> None:
    source = add_text(agent, title="Hours", text="Zebras open at nine.")
    read_now(source)
    assert index.frequencies(["zebra"]) == {"zebra": 1, index.EVERY_CHUNK: 1}
    update_file(source, b"The lions open the gate at ten.")
    read_now(source)
    assert index.frequencies(["zebra", "lion"]) == {"zebra": 0, "lion": 1, index.EVERY_CHUNK: 1}
    delete_source(source)
    assert not Term.objects.filter(chunks__gt=0).exists()


def test_deleting_a_source_takes_its_chunks_and_files_away(agent: Agent) -> None:
    source = add_file(agent, name="a.pdf", content=files.pdf())
    stored = str(read_now(source).versions.get().file.name)
    assert default_storage.exists(stored)
    delete_source(source)
    assert not Chunk.objects.exists()
    assert not default_storage.exists(stored)


def test_uploads_are_stored_under_the_workspace_and_not_under_their_own_name(
    workspace: Workspace, agent: Agent
) -> None:
    source = add_file(agent, name="../../etc/passwd.txt", content=b"hello there")
    stored = str(source.documents.get().versions.get().file.name)
    assert stored.startswith(f"workspaces/{workspace.key}/knowledge/")
    assert "passwd" not in stored


def test_one_document_is_taken_by_one_worker_only(agent: Agent) -> None:
    document = add_text(agent, title="Hours", text="We open at nine.").documents.get()
    Document.objects.filter(pk=document.pk).update(
        status=DocumentStatus.WORKING, lease_until=timezone.now() + ingest.LEASE
    )
    ingest.ingest(document.pk)
    document.refresh_from_db()
    assert (document.status, document.attempts) == (DocumentStatus.WORKING, 0)


def test_a_document_that_kills_its_worker_again_and_again_is_given_up(agent: Agent) -> None:
    document = add_text(agent, title="Hours", text="We open at nine.").documents.get()
    Document.objects.filter(pk=document.pk).update(attempts=ingest.MAX_ATTEMPTS)
    ingest.ingest(document.pk)
    document.refresh_from_db()
    assert (document.status, document.error_code) == ("failed", "ingestion_interrupted")


def test_a_run_that_was_interrupted_goes_on_and_embeds_nothing_twice(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = add_text(agent, title="Long", text=a_long_text(parts=150)).documents.get()
    seen: list[str] = []
    original = OnnxEncoder.embed
    fails = True

    def embed(self: OnnxEncoder, inputs: Sequence[EmbeddingInput]) -> list[Embedded]:
        if fails and len(seen) >= 128:
            raise Outage
        seen.extend(item.text for item in inputs)
        return original(self, inputs)

    monkeypatch.setattr(OnnxEncoder, "embed", embed)
    ingest.ingest(document.pk)
    document.refresh_from_db()
    first = Chunk.objects.count()
    assert (document.status, document.error_code, first) == ("waiting", "outage", 128)
    fails = False
    Document.objects.filter(pk=document.pk).update(lease_until=None)
    ingest.ingest(document.pk)
    document.refresh_from_db()
    assert document.status == DocumentStatus.READY
    assert len(seen) == len(set(seen)) == Chunk.objects.count() > first


class Outage(AppError):
    code = "outage"
    permanent = False


def test_what_was_embedded_and_not_stored_is_not_embedded_again(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = add_text(agent, title="Long", text=a_long_text(parts=60)).documents.get()
    seen = texts_embedded(monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(Chunk.objects, "bulk_create", Mock(side_effect=Outage))
        ingest.ingest(document.pk)
    wait_until(lambda: len(seen) == 2 * ingest.BATCH)  # the batch that failed, and the one that came after it
    assert not Chunk.objects.exists()
    wait_until(lambda: len(kept_vectors()) == 2 * ingest.BATCH)
    Document.objects.filter(pk=document.pk).update(lease_until=None)
    assert read_now(document.source).status == DocumentStatus.READY
    assert len(seen) == len(set(seen)) == Chunk.objects.count()
    assert kept_vectors() == []


def test_without_redis_a_document_is_read_as_ever(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    source = add_text(agent, title="Long", text=a_long_text(parts=10))
    monkeypatch.setattr(vectors, "cache", RedisCache("redis://127.0.0.1:1", {}))
    assert read_now(source).status == DocumentStatus.READY
    assert Chunk.objects.count() == 10


def a_long_text(*, parts: int) -> str:
    return "\n\n".join(
        f"# Part {n}\n\nPart {n} is about number {n}. " + f"Word{n} " * 60 for n in range(parts)
    )


def texts_embedded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is embedded from now on, in a list that grows."""
    seen: list[str] = []
    original = OnnxEncoder.embed

    def embed(self: OnnxEncoder, inputs: Sequence[EmbeddingInput]) -> list[Embedded]:
        made = original(self, inputs)
        seen.extend(item.text for item in inputs)
        return made

    monkeypatch.setattr(OnnxEncoder, "embed", embed)
    return seen


def kept_vectors() -> list[bytes]:
    with Redis.from_url(settings.REDIS_URL) as redis:
        return list(redis.scan_iter(f"*{current_workspace().key}:vectors:*"))


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_worker_that_is_killed_loses_nothing(workspace: Workspace, agent: Agent, tmp_path: Path) -> None:
    """On a broker of its own, so that no other test's worker takes the document."""
    text = "\n\n".join(
        f"# Part {n}\n\nPart {n} is about number {n}. " + "It has words. " * 12 for n in range(500)
    )
    document = add_text(agent, title="Long", text=text).documents.get()
    broker = os.environ["REDIS_URL"].rstrip("/").removesuffix("/0") + "/7"
    job = (str(workspace.pk), str(document.pk))
    with running_worker(tmp_path, CELERY_BROKER_URL=broker) as worker:
        with celery.connection_for_write(broker) as connection:
            ingest_document.apply_async(job, connection=connection)  # type: ignore[call-arg]
        while Chunk.objects.count() < 64:
            time.sleep(0.02)
        kill(worker)
    kept = set(Chunk.objects.values_list("pk", flat=True))
    Document.objects.filter(pk=document.pk).update(lease_until=timezone.now())  # as if its time had run out
    assert read_now(document.source).status == DocumentStatus.READY
    after = set(Chunk.objects.values_list("pk", flat=True))
    assert kept < after
    assert len(after) == document.versions.get().chunk_count


def test_what_a_dead_worker_left_and_what_waits_is_handed_over_again(
    agent: Agent, sent: list[tuple[str, ...]]
) -> None:
    waiting, dead, busy, done = (add_text(agent, title=name, text=name).documents.get() for name in "abcd")
    now = timezone.now()
    working = Document.objects.filter(pk__in=[dead.pk, busy.pk])
    working.update(status=DocumentStatus.WORKING, lease_until=now - ingest.LEASE)
    Document.objects.filter(pk=busy.pk).update(lease_until=now + ingest.LEASE)
    Document.objects.filter(pk=done.pk).update(status=DocumentStatus.READY)
    sent.clear()
    resume_ingestion()
    assert {document_id for _, document_id in sent} == {str(waiting.pk), str(dead.pk)}


def test_a_stranger_s_workspace_finds_nothing_of_ours(agent: Agent, other_workspace: Workspace) -> None:
    read_now(add_text(agent, title="Secret", text="The vault code is 4711."))
    with in_tenant(other_workspace):
        assert not search("vault code", agent_id=agent.pk).passages


def test_an_agent_finds_nothing_of_another_agent(agent: Agent) -> None:
    read_now(add_text(agent, title="Secret", text="The vault code is 4711."))
    other = Agent.objects.create(name="Other")
    assert not search("vault code", agent_id=other.pk).passages
