"""The stand-in's HTTP server: authorization, idempotency and faults around the routes."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

# Importing the modules registers their routes.
from tests.stripe_fake import browser, meters, routes, webhooks  # noqa: F401
from tests.stripe_fake.wire import API_VERSION, ApiError, Json, decode, expanded, rendered
from tests.stripe_fake.world import World

SILENCE = 20.0  # seconds that a request which times out is left without an answer


class Silence(Exception):
    """Nothing is answered."""


def respond(
    world: World, method: str, path: str, params: Json, headers: dict[str, str]
) -> tuple[int, Json, Json]:
    """Status, headers and body of a request to the API. Raises Silence for a request that times out."""
    with world.lock:
        world.requests.append(f"{method} {path}")
        id_ = world.new_id("req")
        extra = {"Request-Id": id_, "Stripe-Version": headers.get("stripe-version", API_VERSION)}
        try:
            status, body, replayed = _once(world, method, path, params, headers, id_)
        except ApiError as error:
            status, body, replayed = error.status, error.body, False
        if replayed:
            extra["Idempotent-Replayed"] = "true"
        if status == 429:
            extra["Retry-After"] = "0"
        world.keep()
        if world.faults.timeout and method == "POST":
            world.faults.timeout -= 1
            raise Silence
        return status, extra, body


def _once(
    world: World, method: str, path: str, params: Json, headers: dict[str, str], id_: str
) -> tuple[int, Json, bool]:
    """The same POST with the same key is done once."""
    _check_key(headers)
    _go_wrong(world)
    key = headers.get("idempotency-key", "") if method == "POST" else ""
    digest = hashlib.sha256(json.dumps([path, params], sort_keys=True).encode()).hexdigest()
    if known := world.replies.get(key):
        if known["digest"] != digest:
            message = "Keys for idempotent requests can only be used with the same parameters."
            raise ApiError(400, message, kind="idempotency_error")
        return known["status"], known["body"], True
    world.request = {"id": id_, "idempotency_key": key or None}
    status, body = _perform(world, method, path, params)
    if key:
        world.replies[key] = {"digest": digest, "status": status, "body": body}
    return status, body, False


def _check_key(headers: dict[str, str]) -> None:
    if not headers.get("authorization", "").startswith("Bearer sk_test_"):
        raise ApiError(401, "Invalid API Key provided.", code="api_key_invalid")


def _go_wrong(world: World) -> None:
    if world.faults.too_many:
        world.faults.too_many -= 1
        raise ApiError(429, "Too many requests.", kind="invalid_request_error", code="rate_limit")
    if world.faults.broken:
        world.faults.broken -= 1
        raise ApiError(500, "Sorry, something went wrong.", kind="api_error")


def _perform(world: World, method: str, path: str, params: Json) -> tuple[int, Json]:
    expand = params.pop("expand", [])
    try:
        made = routes.answer(world, method, path, params)
    except ApiError as error:
        return error.status, error.body
    return 200, rendered(expanded(made, expand, world.find))


class Handler(BaseHTTPRequestHandler):
    """One request: the API below /v1/, pages elsewhere."""

    protocol_version = "HTTP/1.1"
    world: World

    def do_GET(self) -> None:
        self._serve("GET", "")

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        self._serve("POST", self.rfile.read(length).decode())

    def do_DELETE(self) -> None:
        self.do_POST_as("DELETE")

    def do_POST_as(self, method: str) -> None:
        length = int(self.headers.get("content-length") or 0)
        self._serve(method, self.rfile.read(length).decode())

    def _serve(self, method: str, body: str) -> None:
        parts = urlsplit(self.path)
        params = {**decode(parts.query), **decode(body)}
        if parts.path.startswith("/v1/"):
            self._api(method, parts.path, params)
        else:
            self._page(method, parts.path, params)

    def _api(self, method: str, path: str, params: Json) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            status, extra, answer = respond(self.world, method, path, params, headers)
        except Silence:
            time.sleep(SILENCE)
            self.close_connection = True
            return
        self._send(status, json.dumps(answer).encode(), {"Content-Type": "application/json", **extra})

    def _page(self, method: str, path: str, params: Json) -> None:
        with self.world.lock:
            try:
                page = browser.answer(self.world, method, path, params)
            except ApiError as error:
                self._send(error.status, str(error).encode(), {"Content-Type": "text/plain"})
                return
            self.world.keep()
        headers = {"Content-Type": page.content_type}
        self._send(303 if page.location else 200, page.body, {**headers, **_location(page.location)})

    def _send(self, status: int, body: bytes, headers: Json) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class' name
        """The log of the product is enough."""


def _location(address: str) -> Json:
    return {"Location": address} if address else {}


@contextmanager
def running(world: World, *, port: int = 0) -> Iterator[World]:
    """Serve the world on loopback; `world.base` is where."""
    handler = type("OwnHandler", (Handler,), {"world": world})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    world.base = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield world
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def delivering(world: World) -> Iterator[None]:
    """Send webhooks as they arise, over HTTP."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.2):
            webhooks.deliver(world)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
