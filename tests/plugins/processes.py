"""The product's own processes, for tests that go through sockets: a web server and a Celery worker.

Both run against this test process' database and Redis; use them with `django_db(transaction=True)`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from netvexa.embedded.ports import free_port

PROJECT = Path(__file__).resolve().parent.parent.parent


@dataclass
class Site:
    """A running web server of the product."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def url(self, slug: str = "", path: str = "/") -> str:
        """Address of a path on a workspace's host, or on the root host."""
        return f"http://{slug + '.' if slug else ''}localhost:{self.port}{path}"

    def socket_url(self, slug: str, public_id: str) -> str:
        return f"ws://{slug}.localhost:{self.port}/ws/v1/chat/{public_id}/"


@contextmanager
def running_site(folder: Path, **environment: str) -> Iterator[Site]:
    """A daphne of its own, for tests that kill it or need it configured otherwise."""
    port = free_port()
    given = {**os.environ, "NETVEXA_ROOT_URL": f"http://localhost:{port}", **environment}
    command = [
        sys.executable,
        "-m",
        "netvexa.web",
        "-b",
        "127.0.0.1",
        "-p",
        str(port),
        "netvexa.asgi:application",
    ]
    log = folder / f"web-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=PROJECT, env=given, stdout=output, stderr=output)
    try:
        _wait(f"http://127.0.0.1:{port}/healthz", process, log)
        yield Site(port, process, log)
    finally:
        process.terminate()
        process.wait(20)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        try:
            if httpx.get(url, timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            pass
        if process.poll() is not None:
            break
        time.sleep(0.1)
    pytest.fail(f"The web server did not start:\n{log.read_text()[-4000:]}")


@contextmanager
def running_worker(folder: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Celery worker of its own, for tests that kill it."""
    command = [sys.executable, "-m", "celery", "-A", "netvexa", "worker", "-c", "1", "-l", "INFO"]
    log = folder / f"worker-{time.monotonic_ns()}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--without-gossip", "--without-mingle"],
            cwd=PROJECT,
            env={**os.environ, **environment},
            stdout=output,
            stderr=output,
        )
    try:
        _wait_for_line(log, b" ready.", process)
        yield process
    finally:
        process.terminate()
        process.wait(30)


def kill(worker: subprocess.Popen[bytes]) -> None:
    """Kill it with all of its children, as a machine does that is switched off."""
    for process in (*psutil.Process(worker.pid).children(recursive=True), worker):
        process.kill()
    worker.wait()


def _wait_for_line(log: Path, text: bytes, process: subprocess.Popen[bytes]) -> None:
    for _ in range(900):
        if text in log.read_bytes():
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    pytest.fail(f"The worker did not start:\n{log.read_text()[-4000:]}")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A web server shared by the tests of this process."""
    with running_site(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[None]:
    """A Celery worker that ends with the test: one left running would take the tasks of later tests."""
    with running_worker(tmp_path):
        yield
