"""What every page tells the browser, whichever host it stands on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from tests.isolation.matrix import PUBLIC_HOSTS, text_of, values_of
from tests.isolation.registry import entry_of
from tests.isolation.surface import Route, routes
from tests.isolation.world import World, make_world

pytestmark = pytest.mark.django_db
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Content-Type-Options": "nosniff",
}
_INLINE = re.compile(rb"<[^>]+\s(?:on[a-z]+|style)\s*=", re.IGNORECASE)
_BARE_SCRIPT = re.compile(
    rb"<script(?![^>]*\s(?:nonce|src)=)(?![^>]*application/(?:ld\+)?json)", re.IGNORECASE
)


def pages(world: World) -> Iterator[tuple[str, Any]]:
    """Every page of every host, as the workspace's owner sees it."""
    for route in routes():
        entry = entry_of(route)
        if entry is None or route.host == "preparing":
            continue
        client = Client(headers={"host": PUBLIC_HOSTS.get(route.host, world.host)})
        if signed_in(route):
            client.force_login(world.user)
        cache.clear()
        address = route.path(values_of(route, entry, world))
        answer = client.get(address)
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            yield f"{route.host} {route.pattern}", answer


def signed_in(route: Route) -> bool:
    return "log-out" not in route.pattern and route.host == "workspace"


def test_every_page_of_every_host_is_strict() -> None:
    wrong, seen = [], 0
    for name, answer in pages(make_world("acme")):
        seen += 1
        wrong += [f"{name}: {sentence}" for sentence in faults(answer)]

    assert wrong == []
    assert seen > 60


def faults(answer: Any) -> list[str]:
    """What this page's headers or markup leave open."""
    policy = answer.headers.get("Content-Security-Policy", "")
    found = [name for name, value in HEADERS.items() if answer.headers.get(name) != value]
    if "default-src 'none'" not in policy or "unsafe-" in policy or "base-uri 'none'" not in policy:
        found.append(f"the policy {policy!r}")
    if "camera=()" not in answer.headers.get("Permissions-Policy", ""):
        found.append("Permissions-Policy")
    if answer.headers.get("X-Frame-Options") not in ("DENY", "SAMEORIGIN"):
        found.append("X-Frame-Options")
    body = text_of(answer).partition("\n")[2].encode()
    for fault in (_INLINE, _BARE_SCRIPT):
        found += [f"inline: {match[0][:60]!r}" for match in fault.finditer(body)]
    return found


def broken(*_: object, **__: object) -> None:
    raise ZeroDivisionError


def test_errors_are_as_strict_as_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world("acme")
    browser = Client(headers={"host": world.host}, raise_request_exception=False)
    browser.force_login(world.user)
    monkeypatch.setattr("chat.lead_views.render", broken)
    careful = Client(headers={"host": world.host}, enforce_csrf_checks=True)
    errors = {
        404: browser.get("/nowhere/"),
        405: browser.get("/members/leave/"),
        500: browser.get("/leads/"),
        403: careful.post("/log-in/", {"email": "a@b.example", "password": "c"}),
    }

    assert {status: answer.status_code for status, answer in errors.items()} == {one: one for one in errors}
    assert {status: faults(answer) for status, answer in errors.items()} == {one: [] for one in errors}


@pytest.mark.parametrize(("host", "path"), [("nobody.localhost", "/"), ("localhost", "/static/css/app.css")])
def test_files_and_unknown_hosts_carry_the_policies(host: str, path: str) -> None:
    with closing(Client(headers={"host": host}).get(path)) as answer:
        assert answer.status_code == (404 if path == "/" else 200)

    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "camera=()" in answer["Permissions-Policy"]


def test_the_check_sees_what_is_inline() -> None:
    assert _INLINE.search(b'<a href="#" onclick="x()">')
    assert _BARE_SCRIPT.search(b"<script>x()</script>")
    assert not _BARE_SCRIPT.search(b'<script nonce="a">x()</script>')


@pytest.mark.parametrize(
    "host", ["evil.example", "nobody.localhost", "localhost.evil.example", "a@localhost"]
)
def test_an_unknown_host_is_not_found_and_says_nothing(host: str) -> None:
    answer = Client(headers={"host": host}).get("/log-in/")

    assert answer.status_code == 404
    assert host not in answer.content.decode()
