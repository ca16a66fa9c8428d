"""make bench-ingest: how much of the model's own speed does ingestion keep, and is anything lost when a worker dies?

over_bare_model: chunks a second of `ingest`, from stored bytes to searchable, against the embedding model alone on
the same texts, in turns: one call of onnxruntime with as many threads as cores and passes of up to 16 texts of one
length. The table shows besides what the model does alone when it is called as ingestion calls it, a text a thread.
peak_mb: the largest memory of a process that ingests a PDF of 1,000 pages, and of the children that parse for it.
lost, embedded_twice: a real Celery worker is killed (SIGKILL) in the middle and another goes on; lost counts chunks
that are not there in the end, embedded_twice texts that the second worker embedded although the first one had: every
text that was embedded is written to a file at once. An argument is the number of pages (1000). Last line: one JSON
object.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import wait
from contextlib import contextmanager
from pathlib import Path

import django
from fpdf import FPDF

django.setup()

from django.conf import settings  # noqa: E402  after setup
from django.utils import timezone  # noqa: E402

from agents.models import Agent  # noqa: E402
from benchmarks.data import PROJECT, shared  # noqa: E402
from benchmarks.knowledge_workspace import workspace  # noqa: E402
from knowledge import documents, tasks  # noqa: E402
from knowledge.embedding import DEFAULT_PROFILE, Embedded, EmbeddingInput, embed_texts  # noqa: E402
from knowledge.embedding.encoders import OnnxEncoder  # noqa: E402
from knowledge.embedding.weights import ensure_exported  # noqa: E402
from knowledge.ingest import ingest, passages_of  # noqa: E402
from knowledge.models import Chunk, Document  # noqa: E402
from knowledge.parsing import parse, sandbox  # noqa: E402
from netvexa.celery import app as celery  # noqa: E402
from tenants.context import in_tenant  # noqa: E402
from tenants.models import Workspace  # noqa: E402

ROUNDS = 4
PER_ROUND = 50  # paragraphs
KILLED_AT = 90  # texts embedded, the last of them not stored yet
FILLER = "It is delivered within five working days and can be sent back within a month. " * 4


def main() -> None:
    if sys.argv[1:2] == ["child"]:
        _ingest_apart(*sys.argv[2:])
        return
    if sys.argv[1:2] == ["worker"]:
        _work(Path(sys.argv[2]))
        return
    pages = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    paragraphs = [paragraph["text"] for paragraph in shared("squad_v2.json.gz")["paragraphs"]]
    with workspace() as here:
        agent = Agent.objects.create(name="Bench")
        figures = {"over_bare_model": round(_over_bare_model(agent, paragraphs), 3)}
        figures |= _after_a_kill(here, agent, paragraphs[400:])
        figures["peak_mb"] = _peak(here, agent, pages)
    print(json.dumps(figures))


def _over_bare_model(agent: Agent, paragraphs: list[str]) -> float:
    path = ensure_exported(DEFAULT_PROFILE, folder=settings.MODELS_FOLDER)
    encoder = OnnxEncoder(DEFAULT_PROFILE, path, threads=settings.EMBEDDING_THREADS)
    bare, apart, whole = [], [], []
    for number in range(ROUNDS + 1):  # the first round warms up
        text = "\n\n".join(paragraphs[number * PER_ROUND : (number + 1) * PER_ROUND])
        source = documents.add_text(agent, title=f"Round {number}", text=text)
        passages = passages_of(parse(text.encode(), name="text.txt"), DEFAULT_PROFILE)
        readings = [passage.reading for passage in passages]
        bare.append(_seconds(lambda: encoder.embed(readings)) / len(passages))  # noqa: B023  called at once
        apart.append(_seconds(lambda: wait(embed_texts(readings, profile=DEFAULT_PROFILE))) / len(passages))  # noqa: B023
        document = source.documents.get()
        seconds = _seconds(lambda: ingest(document.pk))  # noqa: B023
        whole.append(seconds / document.versions.get().chunk_count)
    print(f"{1 / statistics.median(bare[1:]):8.1f} chunks a second: the model alone, in passes of up to 16")
    print(f"{1 / statistics.median(apart[1:]):8.1f} chunks a second: the model alone, a text a thread")
    print(f"{1 / statistics.median(whole[1:]):8.1f} chunks a second: ingested")
    return statistics.median(b / w for b, w in zip(bare[1:], whole[1:], strict=True))


def _seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def _after_a_kill(here: Workspace, agent: Agent, paragraphs: list[str]) -> dict[str, float]:
    text = "\n\n".join(paragraphs[:250])
    document = documents.add_text(agent, title="Killed", text=text).documents.get()
    mine = Chunk.objects.filter(version__document=document)
    record = Path(settings.MEDIA_ROOT) / "embedded.txt"
    record.write_text("")
    with _worker(here, document, record) as worker:
        while len(_lines(record)) < KILLED_AT:
            time.sleep(0.02)
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
    kept, before = mine.count(), len(_lines(record))
    Document.objects.filter(pk=document.pk).update(lease_until=timezone.now())  # as if its time had run out
    with _worker(here, document, record):
        while Document.objects.unfinished().filter(pk=document.pk).exists():
            time.sleep(0.1)
    wanted = len(passages_of(parse(text.encode(), name="text.txt"), DEFAULT_PROFILE))
    after, embedded = mine.count(), _lines(record)
    print(f"{kept:8} of {wanted} chunks were stored and {before} embedded when the worker was killed")
    print(f"{after:8} were stored in the end, for which {len(embedded)} were embedded")
    return {"lost": wanted - after, "embedded_twice": len(embedded) - len(set(embedded))}


def _lines(record: Path) -> list[str]:
    return record.read_text().splitlines()


def _work(record: Path) -> None:
    """A Celery worker that writes down what it has embedded, outside of any transaction."""
    embed = OnnxEncoder.embed

    def recorded(encoder: OnnxEncoder, texts: Sequence[EmbeddingInput]) -> list[Embedded]:
        made = embed(encoder, texts)
        with record.open("a") as file:
            file.writelines(hashlib.sha256(text.text.encode()).hexdigest() + "\n" for text in texts)
        return made

    OnnxEncoder.embed = recorded  # type: ignore[method-assign, assignment]
    celery.worker_main(["worker", "-c", "1", "--without-gossip"])


@contextmanager
def _worker(here: Workspace, document: Document, record: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A Celery worker in a process group of its own, on a broker of its own, with this document to read."""
    broker = os.environ["REDIS_URL"].rstrip("/").removesuffix("/0") + "/7"
    worker = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.ingest", "worker", str(record)],
        cwd=PROJECT,
        env={**os.environ, "CELERY_BROKER_URL": broker},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    with celery.connection_for_write(broker) as connection:
        job = (str(here.pk), str(document.pk))
        tasks.ingest_document.apply_async(job, connection=connection)  # type: ignore[call-arg]  # the stubs know it of send_task only
    try:
        yield worker
    finally:
        if worker.poll() is None:
            worker.terminate()
            worker.wait(30)


def _peak(here: Workspace, agent: Agent, pages: int) -> float:
    """Megabytes of a fresh process that ingests a long PDF, together with the largest child it had."""
    source = documents.add_file(agent, name="long.pdf", content=_pdf(pages))
    child = subprocess.run(
        [sys.executable, "-m", "benchmarks.ingest", "child", str(here.pk), str(source.documents.get().pk)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    version = source.documents.get().versions.get()
    print(
        f"{pages:8} pages, {version.chunk_count} chunks; {child.stdout.strip().splitlines()[-1]} MB at most"
    )
    read = " ".join(version.chunks.values_list("text", flat=True))
    if lost := [number for number in range(pages) if f"Part {number} costs" not in read]:
        sys.exit(f"The long PDF was not read as a whole: {len(lost)} pages are missing, first {lost[0]}.")
    return float(child.stdout.strip().splitlines()[-1])


def _ingest_apart(workspace_id: str, document_id: str) -> None:
    with in_tenant(Workspace.objects.get(pk=workspace_id)):
        ingest(document_id)
    sandbox.close()  # so that what it used is known
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(round(sum(peaks) / 1024))


def _pdf(pages: int) -> bytes:
    """Pages of different short texts, each with a heading."""
    file = FPDF()
    file.set_font("Helvetica", size=11)
    for number in range(pages):
        file.add_page()
        file.multi_cell(0, text=f"Article {number}\n\nPart {number} costs {number * 7 % 900} euro. " + FILLER)
    return bytes(file.output())


if __name__ == "__main__":
    main()
