"""A website that changes: pages by path, served with ETags, with what was asked for on record. And a browser
service that shows pages after their scripts ran.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeVar
from urllib.parse import urlsplit

S = TypeVar("S", bound=ThreadingHTTPServer)
_KINDS = {"txt": "text/plain", "css": "text/css"}


class _Handler(BaseHTTPRequestHandler):
    server: Website
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(missed=self.path in self.server.shy)

    def do_GET(self) -> None:
        self._answer()

    def _answer(self, *, missed: bool = False) -> None:
        site, path = self.server, self.path
        status = 404 if missed else site.status.get(path, 200 if path in site.pages else 404)
        if path in site.moved:
            status = 302 if path in site.for_now else 301
        body = site.pages.get(path, "").encode() if status == 200 else b""
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if body and self.headers.get("if-none-match") == etag:
            status, body = 304, b""
        site.asked.append((path, status))
        self.send_response(status)
        kind = _KINDS.get(path.rpartition(".")[2], "text/html; charset=utf-8")
        self.send_header("content-type", site.kinds.get(path, kind))
        self.send_header("content-length", str(len(body)))
        self.send_header("etag", etag)
        if path in site.moved:
            self.send_header("location", site.moved[path])
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Quiet."""


class Website(ThreadingHTTPServer):
    """`pages` are bodies by path, `status` what to answer instead of 200, `moved` where a path is sent on to (those of
    `for_now` call that temporary), `shy` the paths that are not found when only their head is asked for, `kinds`
    their types beside the usual ones, `asked` (path, status) so far.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages: dict[str, str] = {}
        self.status: dict[str, int] = {}
        self.moved: dict[str, str] = {}
        self.for_now: set[str] = set()
        self.shy: set[str] = set()
        self.kinds: dict[str, str] = {}
        self.asked: list[tuple[str, int]] = []

    def url(self, path: str = "/") -> str:
        return f"http://localhost:{self.server_port}{path}"

    def page(self, path: str, text: str, *links: str, head: str = "") -> None:
        anchors = "".join(f'<p>More: <a href="{link}">about {link}</a> is here.</p>' for link in links)
        self.pages[path] = (
            f"<html><head>{head}</head><body><h1>Page {path}</h1><p>{text}</p>{anchors}</body></html>"
        )

    def sitemap(self, *paths: str) -> None:
        locations = "".join(f"<url><loc>{self.url(path)}</loc></url>" for path in paths)
        self.pages["/sitemap.xml"] = (
            f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{locations}</urlset>'
        )


class _BrowserHandler(BaseHTTPRequestHandler):
    server: Browser
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        url = json.loads(self.rfile.read(int(self.headers["content-length"])))["url"]
        self.server.asked.append(urlsplit(url).path)
        body = self.server.shown.get(urlsplit(url).path, "").encode()
        self.send_response(500 if self.server.is_down else 200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Quiet."""


class Browser(ThreadingHTTPServer):
    """`shown` is the HTML by path once the scripts ran, `asked` the paths so far."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _BrowserHandler)
        self.shown: dict[str, str] = {}
        self.asked: list[str] = []
        self.is_down = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/content"


@contextmanager
def running_website() -> Iterator[Website]:
    with _running(Website()) as site:
        yield site


@contextmanager
def running_browser() -> Iterator[Browser]:
    with _running(Browser()) as browser:
        yield browser


@contextmanager
def _running(server: S) -> Iterator[S]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
