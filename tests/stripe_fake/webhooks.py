"""Webhook endpoints, and events on their way to them: signed, and with the faults of a real network."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable

import httpx

from tests.stripe_fake.routes import route
from tests.stripe_fake.wire import API_VERSION, Json, flag, metadata, page, rendered, require
from tests.stripe_fake.world import Delivery, World

Send = Callable[[str, bytes, dict[str, str]], int]  # address, body, headers -> status
ATTEMPTS = 6


@route("POST", "/v1/webhook_endpoints")
def create(world: World, params: Json) -> Json:
    require(params, "url", "enabled_events")
    made = {
        "id": world.new_id("we"),
        "object": "webhook_endpoint",
        "api_version": params.get("api_version", API_VERSION),
        "application": None,
        "created": world.now(),
        "description": params.get("description"),
        "enabled_events": params["enabled_events"],
        "livemode": False,
        "metadata": metadata({}, params),
        "status": "enabled",
        "url": params["url"],
        "_secret": f"whsec_{secrets.token_urlsafe(24)}",
    }
    world.add("webhook_endpoints", made)
    return {**made, "secret": made["_secret"]}  # told this once, as by Stripe


@route("POST", "/v1/webhook_endpoints/{id_}")
def update(world: World, params: Json, id_: str) -> Json:
    endpoint = world.get("webhook_endpoints", id_)
    for name in ("url", "enabled_events", "description"):
        endpoint[name] = params.get(name, endpoint[name])
    endpoint["status"] = "disabled" if flag(params, "disabled") else "enabled"
    return endpoint


@route("GET", "/v1/webhook_endpoints")
def list_endpoints(world: World, params: Json) -> Json:
    return page(world.all("webhook_endpoints"), params, url="/v1/webhook_endpoints")


@route("GET", "/v1/webhook_endpoints/{id_}")
def get(world: World, params: Json, id_: str) -> Json:
    return world.get("webhook_endpoints", id_)


@route("DELETE", "/v1/webhook_endpoints/{id_}")
def delete(world: World, params: Json, id_: str) -> Json:
    world.get("webhook_endpoints", id_)
    del world.objects["webhook_endpoints"][id_]
    return {"id": id_, "object": "webhook_endpoint", "deleted": True}


def signature(secret: str, body: bytes, *, at: int | None = None) -> str:
    """Stripe's header: the time, and the HMAC of time and body."""
    moment = int(time.time()) if at is None else at
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


def body_of(event: Json) -> bytes:
    return json.dumps(rendered(event), indent=2).encode()


def over_http(address: str, body: bytes, headers: dict[str, str]) -> int:
    try:
        return httpx.post(address, content=body, headers=headers, timeout=30).status_code
    except httpx.HTTPError:
        return 0


def deliver(world: World, send: Send = over_http) -> int:
    """Send what waits, with the faults that are set; how many deliveries were made.

    The lock is not held while sending: the receiver asks us back.
    """
    made = 0
    while batch := _next_batch(world):
        for delivery in batch:
            made += _deliver_one(world, delivery, send)
    return made


def _next_batch(world: World) -> list[Delivery]:
    with world.lock:
        if world.faults.hold:
            return []
        now = time.time()
        batch = [row for row in world.waiting if row.not_before <= now]
        world.waiting = [row for row in world.waiting if row.not_before > now]
        return batch


def _deliver_one(world: World, delivery: Delivery, send: Send) -> int:
    with world.lock:
        faults = world.faults
        if faults.lose:
            faults.lose -= 1
            return 0
        twice = bool(faults.duplicate)
        faults.duplicate -= twice
        endpoint = world.objects.get("webhook_endpoints", {}).get(delivery.endpoint)
        event = world.get("events", delivery.event)
        if endpoint is None:
            return 0
        body = body_of(event)
    for _ in range(1 + twice):
        headers = {
            "stripe-signature": signature(endpoint["_secret"], body),
            "content-type": "application/json",
        }
        status = send(endpoint["url"], body, headers)
    if not 200 <= status < 300:
        _later(world, delivery)
    return 1 + twice


def _later(world: World, delivery: Delivery) -> None:
    """Stripe tries again for days, each time later; here for a minute."""
    delivery.attempts += 1
    if delivery.attempts < ATTEMPTS:
        delivery.not_before = time.time() + 2**delivery.attempts
        with world.lock:
            world.waiting.append(delivery)


def release(world: World) -> None:
    """Let go of what was held, the newest first."""
    with world.lock:
        world.faults.hold = False
        world.waiting.reverse()
