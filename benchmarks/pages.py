"""Two origins on this machine for measuring what a script does to a page: the scripts' and the page's."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HTML = "text/html; charset=utf-8"
TYPES = {"js": "text/javascript", "json": "application/json", "map": "application/json"}


class Pages:
    """Scripts on 127.0.0.1, compressed and kept for ever; pages on localhost, one for each tag.

    An address that is no file answers `{}`: what a widget's own server would say is not measured.
    """

    def __init__(self, files: dict[str, bytes], *, head: str, tags: dict[str, str]) -> None:
        # Beforehand, so that no reading waits for the compressor.
        zipped = {path: gzip.compress(body, 6) for path, body in files.items()}
        self._servers = [_serve("127.0.0.1", lambda path: _file(zipped, path))]
        self.origin = f"http://127.0.0.1:{self._servers[0].server_port}"
        self._servers.append(
            _serve("localhost", lambda path: (self._page(head, tags.get(path[1:], "")), HTML))
        )
        self.page_origin = f"http://localhost:{self._servers[1].server_port}"

    def _page(self, head: str, tag: str) -> bytes:
        words = "<p>Good things at fair prices.</p>" * 40
        style = "<style>body{font:16px/1.6 system-ui;margin:2em}</style>"
        text = (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A shop</title>{style}{head}'
        )
        return gzip.compress(
            f"{text}{tag.format(origin=self.origin)}</head><body><h1>A shop</h1>{words}".encode()
        )

    def stop(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()


def _file(zipped: dict[str, bytes], path: str) -> tuple[bytes, str]:
    missing = gzip.compress(b"{}")
    return zipped.get(path, missing), TYPES.get(path.rpartition(".")[2], "application/json")


def _serve(address: str, answer: Callable[[str], tuple[bytes, str]]) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body, kind = answer(self.path.partition("?")[0])
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(body)))
            for name in ("Origin", "Headers", "Methods"):
                self.send_header(f"Access-Control-Allow-{name}", "*")
            self.send_header("Timing-Allow-Origin", "*")
            self.send_header("Cache-Control", "public, max-age=31536000, immutable")
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_OPTIONS = do_GET  # noqa: N815  names that http.server looks for

        def log_message(self, *_: object) -> None:
            """The output is for the figures."""

    server = ThreadingHTTPServer((address, 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
