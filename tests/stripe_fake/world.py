"""What the stand-in knows: every object by id, the time of every clock, the events and the faults."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.stripe_fake.wire import API_VERSION, Json, missing, rendered

ACCOUNT = "acct_standin"
SHARED_CLOCK = "clock_shared"


@dataclass
class Faults:
    """How many of the next requests or deliveries go wrong, and how."""

    timeout: int = 0  # the request is done, but nothing is answered in time
    too_many: int = 0  # 429
    broken: int = 0  # 500, nothing is done
    lose: int = 0  # webhooks that never arrive
    duplicate: int = 0  # webhooks that arrive twice
    hold: bool = False  # webhooks wait, to be let go in reverse


@dataclass
class Delivery:
    """One event on its way to one endpoint."""

    endpoint: str
    event: str
    attempts: int = 0
    not_before: float = 0.0


@dataclass
class World:
    """One account of the stand-in. Whoever changes it holds the lock."""

    base: str = ""
    file: Path | None = None
    shared_clock: bool = False
    objects: dict[str, dict[str, Json]] = field(default_factory=dict)  # by collection, then id
    replies: dict[str, Json] = field(default_factory=dict)  # by idempotency key
    faults: Faults = field(default_factory=Faults)
    waiting: list[Delivery] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)  # "POST /v1/customers", in their order
    lock: threading.RLock = field(default_factory=threading.RLock)
    request: Json = field(default_factory=lambda: {"id": None, "idempotency_key": None})
    _count: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        if self.file and self.file.exists():
            self._load(json.loads(self.file.read_text(encoding="utf-8")))
        elif self.shared_clock:
            clock = {"id": SHARED_CLOCK, "object": "test_helpers.test_clock", "_ahead": 0, "livemode": False}
            self.add("clocks", {**clock, "status": "ready", "name": "The time of this installation"})

    def new_id(self, prefix: str) -> str:
        return f"{prefix}_standin{next(self._count):08d}"

    def add(self, collection: str, thing: Json) -> Json:
        self.objects.setdefault(collection, {})[thing["id"]] = thing
        return thing

    def get(self, collection: str, id_: str, *, kind: str = "", param: str = "id") -> Json:
        thing = self.objects.get(collection, {}).get(id_)
        if thing is None:
            raise missing(kind or collection.removesuffix("s"), id_, param)
        return thing

    def all(self, collection: str) -> list[Json]:
        """Newest first."""
        return list(reversed(self.objects.get(collection, {}).values()))

    def where(self, collection: str, **fields: Any) -> list[Json]:
        """Newest first, those whose fields equal the given ones; None is any."""
        given = {name: value for name, value in fields.items() if value is not None}
        return [
            thing
            for thing in self.all(collection)
            if all(thing.get(name) == value for name, value in given.items())
        ]

    def find(self, id_: str) -> Json | None:
        """An object of any collection."""
        return next((rows[id_] for rows in self.objects.values() if id_ in rows), None)

    def now(self, customer: str | None = None) -> int:
        """The time that a customer lives in: its test clock's, or the real one."""
        owner = self.objects.get("customers", {}).get(customer or "", {})
        clock = owner.get("test_clock")
        return self.time_of(self.get("clocks", clock)) if clock else int(time.time())

    def time_of(self, clock: Json) -> int:
        """A test clock stands still; the shared one runs, ahead of the real time."""
        return int(time.time()) + clock["_ahead"] if "_ahead" in clock else int(clock["frozen_time"])

    def emit(self, kind: str, thing: Json, before: Json | None = None) -> Json:
        """Note an event, and send it to every endpoint that listens."""
        data: Json = {"object": deepcopy(rendered(thing))}
        if before is not None:
            data["previous_attributes"] = deepcopy(rendered(before))
        customer = thing.get("customer") if thing["object"] != "customer" else thing["id"]
        event: Json = {
            "id": self.new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now(customer),
            "data": data,
            "livemode": False,
            "pending_webhooks": 0,
            "request": dict(self.request),
            "type": kind,
            "_at": time.time(),
        }
        for endpoint in self.all("webhook_endpoints"):
            if endpoint["status"] == "enabled" and {"*", kind} & set(endpoint["enabled_events"]):
                self.waiting.append(Delivery(endpoint["id"], event["id"]))
                event["pending_webhooks"] += 1
        return self.add("events", event)

    def keep(self) -> None:
        """Write everything to the file, if there is one."""
        if self.file is None:
            return
        state = {"count": next(self._count), "objects": self.objects, "replies": self.replies}
        unfinished = self.file.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(state), encoding="utf-8")
        unfinished.replace(self.file)

    def _load(self, state: Json) -> None:
        self.objects, self.replies = state["objects"], state["replies"]
        self._count = itertools.count(state["count"] + 1)
