"""An agent, its knowledge, and a web server that misbehaves."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from knowledge.parsing.sandbox import Parsers
from tests.knowledge import files

if TYPE_CHECKING:  # models may be imported once the servers run, which is after this file is read
    from agents.models import Agent
    from knowledge.models import Document
    from tenants.models import Workspace

WaitFor = Callable[["Document"], "Document"]


@pytest.fixture
def agent(inside: Workspace) -> Agent:
    from agents.models import Agent

    return Agent.objects.create(name="Nora")


@pytest.fixture
def wait_for() -> WaitFor:
    """Wait until the worker is done with a document."""

    def wait(document: Document) -> Document:
        for _ in range(600):
            document.refresh_from_db()
            if document.status in {"ready", "failed"}:
                return document
            time.sleep(0.1)
        pytest.fail(f"{document.status} in step {document.step} after 60 s")

    return wait


@pytest.fixture
def parsers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Parsers]:
    """A child that reads the documents of this test alone."""
    parsers = Parsers()
    monkeypatch.setattr("knowledge.parsing.sandbox._parsers", parsers)
    yield parsers
    parsers.close()


class _Handler(BaseHTTPRequestHandler):
    server: WebServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        getattr(self, f"_{self.path.strip('/').split('/')[0]}", self._missing)()

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_arguments: object) -> None:
        """Quiet."""

    def _answer(self, body: bytes, kind: str, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def _page(self) -> None:
        self._answer(files.HTML.encode(), "text/html; charset=utf-8")

    def _image(self) -> None:
        self._answer(b"GIF89a", "image/gif")

    def _missing(self) -> None:
        self._answer(b"", "text/html", 404)

    def _broken(self) -> None:
        self._answer(b"", "text/html", 500)

    def _moved(self) -> None:
        self._answer(b"", "text/html", 302, location="/page")

    def _away(self) -> None:
        self._answer(b"", "text/html", 302, location=f"http://127.0.0.1:{self.server.server_port}/page")

    def _round(self) -> None:
        self._answer(b"", "text/html", 302, location="/round")

    def _endless(self) -> None:
        """A gigabyte, unless the reader hangs up."""
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.server.sent = 0
        try:
            for _ in range(1024):
                self.wfile.write(b"x" * 1024 * 1024)
                self.server.sent += 1
        except OSError:
            self.close_connection = True

    def _bomb(self) -> None:
        """Sixty megabytes of nothing, in sixty kilobytes."""
        self._answer(gzip.compress(bytes(60 * 1024 * 1024), 1), "text/html", content_encoding="gzip")

    def _half(self) -> None:
        """Packed, without its end."""
        self._answer(gzip.compress(files.HTML.encode())[:-20], "text/html", content_encoding="gzip")

    def _stored(self) -> None:
        """As a store of files serves what came without a type."""
        self._answer(files.pdf(pages=1), "binary/octet-stream")

    def _slow(self) -> None:
        """One byte of the headers now and then."""
        try:
            for _ in range(100):
                self.wfile.write(b"H")
                self.wfile.flush()
                time.sleep(0.2)
        except OSError:
            self.close_connection = True


class WebServer(ThreadingHTTPServer):
    daemon_threads = True
    sent = 0

    def url(self, path: str, host: str = "localhost") -> str:
        return f"http://{host}:{self.server_port}/{path}"


@pytest.fixture
def web() -> Iterator[WebServer]:
    server = WebServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()
