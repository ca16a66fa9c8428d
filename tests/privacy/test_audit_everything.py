"""Whatever changes something in a workspace stands in its audit log: every page's form and every call of the API.

Each is done once, as the owner or with a key that may do everything, and taken back. A new one that leaves no entry
fails here until it leaves one, or stands in UNTOLD with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import resolve

from knowledge.models import Source
from tenants.context import in_tenant
from tenants.models import AuditEvent
from tests.isolation.matrix import client_at, values_of
from tests.isolation.registry import Kind, entry_of
from tests.isolation.surface import Route, routes
from tests.isolation.world import World, make_world
from tests.plugins.people import PASSWORD

pytestmark = pytest.mark.django_db
Body = dict[str, Any] | Callable[[World], dict[str, Any]]
CSV = b"question,answer\nDo you deliver?,Yes.\n"

# Method and route → why it leaves no entry of its own.
UNTOLD: dict[str, str] = {
    "post api agents/<uuid:pk>/messages/": "a conversation, which is its own record",
    "post api conversations/<uuid:pk>/messages/": "the same",
    "post api messages/<uuid:pk>/replay/": "is stored nowhere",
    "post api sources/preview/": "adds nothing",
    "post api auth/refresh/": "goes on with a token whose issue was noted",
    "post workspace knowledge/preview/": "adds nothing",
    "post workspace conversations/<uuid:conversation_id>/receipts/<uuid:message_id>/replay/": "is stored nowhere",
    "post workspace welcome/install/<uuid:agent_id>/send/": "a mail with the public snippet",
    "post workspace privacy/person/": "shows what is kept; handing it out and erasing it are noted",
    "post workspace plan/portal/": "leads to Stripe, whose changes are noted as they arrive",
    "post workspace account/": "one's own name and picture, which are shown to everybody anyway",
    "post workspace confirm/": "sends the mail again that confirms an address",
    "post workspace audit-log/verify/": "reads the log",
}

# What a form or a call needs; the rest are buttons.
GIVEN: dict[str, Body] = {
    "post api agents/": {"name": "Ada"},
    "patch api agents/<uuid:pk>/": {"tone": "formal"},
    "post api sources/": lambda world: {
        "agent": str(world.agent.pk),
        "kind": "text",
        "title": "A",
        "text": "Some words that are read.",
    },
    "patch api sources/<uuid:pk>/": {"interval_hours": 0},
    "put api sources/<uuid:pk>/content/": {"text": "Other words that are read."},
    "post api documents/": lambda world: {
        "agent": str(world.agent.pk),
        "external_id": "1",
        "title": "A",
        "content": "Some words.",
    },
    "post api conversations/<uuid:pk>/reply/": {"text": "Hello"},
    "post api curated-answers/": lambda world: {
        "agent": str(world.agent.pk),
        "questions": ["Do you deliver?"],
        "answer": "Yes.",
    },
    "patch api curated-answers/<uuid:pk>/": {"answer": "No."},
    "post api curated-answers/import/": lambda world: {"agent": str(world.agent.pk), "file": _csv()},
    "patch api gaps/<uuid:pk>/": {"state": "dismissed"},
    "post api test-questions/": lambda world: {
        "agent": str(world.agent.pk),
        "question": "Do you deliver?",
        "must": ["yes"],
    },
    "patch api test-questions/<uuid:pk>/": {"must": ["no"]},
    "post api test-runs/": lambda world: {"agent": str(world.agent.pk)},
    "post api people/export/": lambda world: {"person": world.ids["person"]},
    "post api people/erase/": lambda world: {"person": world.ids["person"]},
    "post api auth/revoke/": lambda world: {
        "refresh": client_at(world.host, bearer=world.key.secret)
        .post("/api/v1/auth/token/")
        .json()["refresh"]
    },
    "post workspace agents/new/": {"name": "Ada", "tone": "friendly", "greeting": "Hi"},
    "post workspace welcome/agent/": {"name": "Ada", "tone": "friendly", "greeting": "Hi"},
    "post workspace improve/runs/<uuid:trial_id>/": {"action": "drop"},
    "post workspace members/invite/": {"email": "guest@acme.example", "role": "viewer"},
    "post workspace settings/": {"name": "Acme", "time_zone": "Europe/Vienna"},
    "post workspace settings/delete/": {"name": "Acme", "password": PASSWORD},
    "post workspace api-keys/new/": {"name": "CI", "scopes": ["read:agents"]},
    "post workspace api-keys/<uuid:key_id>/rotate/": {"overlap": "0"},
    "post workspace costs/keys/add/": {"provider": "openai", "key": "sk-" + "a" * 40},
    "post workspace conversations/<uuid:conversation_id>/reply/": {"text": "Hello"},
    "post workspace improve/agents/<uuid:agent_id>/answers/new/": {
        "questions": "Do you deliver?",
        "answer": "Yes.",
    },
    "post workspace improve/answers/<uuid:curated_id>/": {"questions": "Do you deliver?", "answer": "Yes."},
    "post workspace improve/agents/<uuid:agent_id>/answers/import/": lambda _world: {"file": _csv()},
    "post workspace improve/agents/<uuid:agent_id>/tests/import/": lambda _world: {"file": _csv()},
    "post workspace improve/agents/<uuid:agent_id>/tests/new/": {
        "question": "Do you deliver?",
        "must": "yes",
    },
    "post workspace improve/tests/<uuid:expectation_id>/": {"question": "Do you deliver?", "must": "yes"},
    "post workspace improve/gaps/<uuid:gap_id>/": {"state": "dismissed"},
    "post workspace knowledge/agents/<uuid:agent_id>/add/": {
        "kind": "text",
        "title": "A",
        "text": "Some words.",
    },
    "post workspace welcome/knowledge/": {"kind": "text", "title": "A", "text": "Some words."},
    "post workspace knowledge/<uuid:source_id>/text/": {"title": "A", "text": "Other words."},
    "post workspace knowledge/<uuid:source_id>/replace/": {"text": "Other words."},
    "post workspace knowledge/agents/<uuid:agent_id>/languages/": {"knowledge_languages": "en"},
    "post workspace privacy/retention/": {"conversations": "30"},
    "post workspace costs/budgets/": {"monthly_budget_micro_usd": "5"},
}


def _watched(world: World) -> None:
    Source.objects.filter(pk=world.ids["source"]).update(kind="site", url="https://acme.example/")


def _as_it_is(_world: World) -> None:
    """Most rows are right as they are."""


# What must be so before; in the workspace.
READY: dict[str, Callable[[World], None]] = {
    "post api sources/<uuid:pk>/sync/": _watched,
    "patch api sources/<uuid:pk>/": _watched,
    "post workspace knowledge/<uuid:source_id>/sync/": _watched,
    "post workspace knowledge/<uuid:source_id>/interval/": _watched,
}


def _csv() -> SimpleUploadedFile:
    return SimpleUploadedFile("a.csv", CSV, "text/csv")


@dataclass(frozen=True)
class Deed:
    """One way to change something."""

    route: Route
    method: str

    @property
    def name(self) -> str:
        return f"{self.method} {self.route.key}"


def deeds() -> list[Deed]:
    """Every method of a workspace's routes that may change something."""
    found = []
    for route in routes():
        entry = entry_of(route)
        if (
            route.host == "workspace"
            and entry is not None
            and (route.is_api or entry.kind in (Kind.PAGE, Kind.API, Kind.PERSON))
        ):
            methods = ("post", "put", "patch", "delete") if route.is_api else ("post",)
            found += [Deed(route, method) for method in methods if offers(route, method)]
    return found


def offers(route: Route, method: str) -> bool:
    """Whether a view of the API has this method; pages say so themselves when they are asked."""
    pattern = re.sub(r"<[^>]*>", "018f0000-0000-7000-8000-000000000001", route.pattern)
    view: Any = resolve(f"/{pattern}", "netvexa.urls.workspace").func if route.is_api else None
    if view is None:
        return True
    return method in view.actions if getattr(view, "actions", None) else hasattr(view.cls, method)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("billing.throttling.ApiCalls.allow_request", lambda *_: True)
    return make_world("acme")


def entries(world: World) -> int:
    with in_tenant(world.workspace):
        return AuditEvent.objects.count()


def do(world: World, deed: Deed) -> tuple[int, int]:
    """Do it and take it back: the status, and how many entries it left."""
    route, entry = deed.route, entry_of(deed.route)
    assert entry is not None
    body = GIVEN.get(deed.name, entry.body)
    given = body(world) if callable(body) else body
    client = (
        client_at(world.host, bearer=world.key.secret)
        if route.is_api
        else client_at(world.host, session=world)
    )
    sent = ("application/json",) if route.is_api and not any(map(_is_file, given.values())) else ()
    cache.clear()
    with transaction.atomic():
        with in_tenant(world.workspace):
            READY.get(deed.name, _as_it_is)(world)
        before = entries(world)
        address = route.path(values_of(route, entry, world))
        answer = getattr(client, deed.method)(address, given, *sent)
        left = entries(world) - before
        transaction.set_rollback(True)
    return answer.status_code, left


def _is_file(value: object) -> bool:
    return isinstance(value, SimpleUploadedFile)


def untold(world: World, found: list[Deed]) -> list[str]:
    """A sentence for each deed that leaves no entry, or that was refused and so proves nothing."""
    wrong = []
    for deed in found:
        if deed.name in UNTOLD:
            continue
        status, left = do(world, deed)
        if status == 405:
            continue  # a page that is only read
        if status >= 400:
            wrong.append(f"{deed.name!r}: {status}; give it what it needs in GIVEN.")
        elif not left:
            wrong.append(f"{deed.name!r}: {status}, and nothing in the audit log; or name it in UNTOLD.")
    return wrong


def test_whatever_changes_something_stands_in_the_audit_log(world: World) -> None:
    wrong = untold(world, deeds())

    assert not wrong, "\n".join(wrong)


def test_one_that_leaves_no_entry_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge.api.SourceViewSet.audited", "")
    (deed,) = (one for one in deeds() if one.name == "delete api sources/<uuid:pk>/")

    (sentence,) = untold(world, [deed])

    assert "nothing in the audit log" in sentence
