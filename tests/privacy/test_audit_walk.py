"""Whatever changes something in a workspace stands in its audit log: every page's form and every call of the API.

Each is done once, as the owner or with a key that may do everything, and taken back. A new one that leaves no entry
fails here until it leaves one, or stands in UNTOLD of `deeds` with its reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from drf_spectacular.generators import SchemaGenerator

from tenants.context import in_tenant, platform
from tenants.models import AuditEvent
from tests.isolation.matrix import client_at, values_of
from tests.isolation.registry import Kind, entry_of
from tests.isolation.surface import Route, routes
from tests.isolation.world import World, make_world
from tests.plugins.people import PASSWORD
from tests.privacy.deeds import GIVEN, READY, UNTOLD

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Deed:
    """One way to change something."""

    route: Route
    method: str

    @property
    def name(self) -> str:
        return f"{self.method} {self.route.key}"


def deeds() -> list[Deed]:
    """Every method of a workspace's routes that may change something: of the API those that its schema names."""
    made = SchemaGenerator(urlconf="netvexa.urls.workspace").get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    paths = made["paths"]
    methods = {_plain(path): set(found) for path, found in paths.items()}
    found = []
    for route in routes():
        entry = entry_of(route)
        if route.host != "workspace" or entry is None:
            continue
        if route.is_api:
            offered = methods.get(_plain(f"/{route.pattern}"), set())
            found += [Deed(route, method) for method in sorted(offered & {"post", "put", "patch", "delete"})]
        elif entry.kind in (Kind.PAGE, Kind.PERSON):
            found.append(Deed(route, "post"))
    return found


def _plain(path: str) -> str:
    return re.sub(r"<[^>]*>|{[^}]*}", "*", path)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("billing.throttling.ApiCalls.allow_request", lambda *_: True)
    made = make_world("acme")
    made.user.set_password(PASSWORD)
    made.user.save()
    return made


def entries() -> int:
    with platform():
        return AuditEvent.objects.count()


def do(world: World, deed: Deed) -> tuple[int, int]:
    """Do it and take it back: the status, and how many entries it left."""
    route, entry = deed.route, entry_of(deed.route)
    assert entry is not None
    session, bearer = (None, world.key.secret) if route.is_api else (world, "")
    cache.clear()
    with transaction.atomic():
        with in_tenant(world.workspace):
            changed = READY[deed.name](world) if deed.name in READY else None
        body = GIVEN.get(deed.name, entry.body)
        given = body(world) if callable(body) else body
        client, before = client_at(world.host, session=session, bearer=bearer), entries()
        address = route.path(values_of(route, entry, world) | (changed or {}))
        as_json = route.is_api and not any(isinstance(one, SimpleUploadedFile) for one in given.values())
        answer = getattr(client, deed.method)(address, given, *(("application/json",) if as_json else ()))
        left = entries() - before
        transaction.set_rollback(True)
    return answer.status_code, left


def untold(world: World, found: list[Deed]) -> list[str]:
    """A sentence for each deed that leaves no entry, or that was refused and so proves nothing."""
    wrong = []
    for deed in found:
        if deed.name in UNTOLD:
            continue
        status, left = do(world, deed)
        if status == 405:
            continue  # is only read
        if status >= 400:
            wrong.append(f"{deed.name!r}: {status}; give it what it needs in GIVEN or READY of deeds.py.")
        elif not left:
            wrong.append(f"{deed.name!r}: {status}, and nothing in the audit log; or name it in UNTOLD.")
    return wrong


def test_whatever_changes_something_stands_in_the_audit_log(world: World) -> None:
    found = deeds()
    wrong = untold(world, found)

    assert not wrong, "\n".join(wrong)
    assert len(found) > 100
    assert not (UNTOLD.keys() | GIVEN.keys() | READY.keys()) - {deed.name for deed in found}


def test_one_that_leaves_no_entry_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge.api.SourceViewSet.audited", "")
    (deed,) = (one for one in deeds() if one.name == "delete api sources/<uuid:pk>/")

    (sentence,) = untold(world, [deed])

    assert "nothing in the audit log" in sentence
