"""Every route with every credential of one workspace, against another's rows: what leaks, and what changes.

A leak is one of: a secret text of the victim's in an answer; a row of the victim's that is another one
afterwards; a status that says more than the registry allows; an answer of the 500s.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.core.cache import cache
from django.db import transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import Client

from tenants.sessions import SessionStore
from tests.isolation.registry import ARGUMENTS, Entry, Kind, entry_of
from tests.isolation.surface import PAGE_METHODS, Route, routes
from tests.isolation.world import World, digest_of

PUBLIC_HOSTS = {"root": "localhost", "api": "api.localhost", "admin": "admin.localhost"}
REFUSED = frozenset({401, 403, 404, 405})
HIDDEN = frozenset({404, 405})


@dataclass(frozen=True)
class Attacker:
    """Credentials of one workspace, at a host."""

    name: str
    client: Client
    at_victims_host: bool = False
    holds: str = "nothing"  # or "session", "key", "visitor"


@dataclass
class Findings:
    """What a walk tried and found."""

    tried: int = 0
    leaks: list[str] = field(default_factory=list)

    def add(self, sentence: str) -> None:
        self.leaks.append(sentence)


def uncovered(found: list[Route] | None = None) -> list[str]:
    """A sentence for each route that the registry does not know."""
    keys = {route.key for route in (routes() if found is None else found) if entry_of(route) is None}
    return [
        f"{key!r} has no line in ROUTES of tests/isolation/registry.py: add one under what it is to a stranger."
        for key in sorted(keys)
    ]


def values_of(route: Route, entry: Entry, world: World) -> dict[str, Any]:
    """What fills the route's pattern so that it names rows of this workspace."""
    given = entry.given(world)
    return {name: given[name] if name in given else ARGUMENTS[name](world) for name in route.arguments}


def names_rows(route: Route, entry: Entry) -> bool:
    """Whether the route's address names something of a workspace's."""
    parts = set(route.arguments) - {
        "provider",
        "slug",
        "name",
        "version",
        "uuid",
        "token",
        "uid",
        "kind",
        "passkey_id",
    }
    return bool(parts) and entry.kind != Kind.OPEN


# Who tries


class Party:
    """Everything the own workspace has, at every host; each is a browser that is kept through the walk."""

    def __init__(self, *, own: World, victim: World) -> None:
        self.own = own
        self.members = {name: list(self._at_public(name, host)) for name, host in PUBLIC_HOSTS.items()}
        hosts = ((own.host, False), (victim.host, True))
        self.members["workspace"] = [one for host, theirs in hosts for one in self._at(host, theirs=theirs)]
        self.members["workspace"].append(
            Attacker(
                "session at the own host, forwarded for the victim's",
                client_at(own.host, forwarded=victim.host),
                holds="session",
            )
        )
        self.members["preparing"] = self.members["workspace"]

    def _at_public(self, name: str, host: str) -> Iterator[Attacker]:
        yield Attacker(f"nobody at {host}", client_at(host))
        yield Attacker(f"a session at {host}", client_at(host), holds="session")
        if name == "api":
            yield Attacker(f"a token at {host}", client_at(host, bearer=token_of(self.own)), holds="key")
            yield Attacker(f"a key at {host}", client_at(host, bearer=self.own.key.secret), holds="key")
            visitor = client_at(host, bearer=self.own.visitor_token)
            yield Attacker(f"a visitor at {host}", visitor, holds="visitor")

    def _at(self, host: str, *, theirs: bool) -> Iterator[Attacker]:
        where = "the victim's host" if theirs else "the own host"
        bearers = {
            "nothing": "",
            "session": "",
            "key": self.own.key.secret,
            "visitor": self.own.visitor_token,
            "session and key": self.own.key.secret,
        }
        yield Attacker(f"token at {where}", client_at(host, bearer=token_of(self.own)), theirs, holds="key")
        for holds, bearer in bearers.items():
            yield Attacker(f"{holds} at {where}", client_at(host, bearer=bearer), theirs, holds=holds)

    def at(self, route: Route) -> list[Attacker]:
        """Who tries this route, each with no cookie but that of a session that stands."""
        found = self.members[route.host]
        for attacker in found:
            self._log_in(attacker)
        return found

    def _log_in(self, attacker: Attacker) -> None:
        cookies = attacker.client.cookies
        session = cookies.get(settings.SESSION_COOKIE_NAME)
        cookies.clear()
        if "session" not in attacker.holds:
            return
        if session is not None and SESSION_KEY in SessionStore(session.value):
            cookies[settings.SESSION_COOKIE_NAME] = session
        else:  # the route that was tried last has ended it
            attacker.client.force_login(self.own.user)


def token_of(world: World) -> str:
    """A short-lived token for the workspace's API, got with its key."""
    answer = client_at(world.host, bearer=world.key.secret).post(
        "/api/v1/auth/token/", content_type="application/json"
    )
    return str(answer.json()["access"])


def client_at(host: str, *, session: World | None = None, bearer: str = "", forwarded: str = "") -> Client:
    headers = {"host": host}
    if bearer:
        headers["authorization"] = f"Bearer {bearer}"
    if forwarded:
        headers |= {"x-forwarded-host": forwarded, "forwarded": f"host={forwarded}"}
    client = Client(headers=headers, raise_request_exception=False)
    if session is not None:
        client.force_login(session.user)
    return client


# What they may be told


def allowed(route: Route, entry: Entry, attacker: Attacker) -> Callable[[int, str], bool]:
    """Whether this status, with this Location, is one that this stranger may get."""
    if entry.kind == Kind.STAFF:
        return lambda status, to: status in REFUSED or (status in (301, 302) and "/log" in to)
    if entry.kind in (Kind.OPEN, Kind.PERSON):
        named = names_rows(route, entry)
        return lambda status, _to: status < 500 and not (named and status == 200)
    knows_the_way = attacker.holds in _OPENS[entry.kind] and not attacker.at_victims_host
    if not knows_the_way:
        return _shut_out(entry, attacker)
    if names_rows(route, entry):
        return lambda status, _to: status in (REFUSED if entry.kind == Kind.VISITOR else HIDDEN)
    return lambda status, _to: status < 500


_OPENS = {
    Kind.PAGE: ("session", "session and key"),
    Kind.API: ("key", "session and key"),
    Kind.VISITOR: ("visitor",),
}


def _shut_out(entry: Entry, attacker: Attacker) -> Callable[[int, str], bool]:
    if entry.kind == Kind.API:
        return lambda status, _to: status == 401
    if entry.kind == Kind.VISITOR:
        return lambda status, _to: status in REFUSED
    if "session" in attacker.holds:
        return lambda status, _to: status in HIDDEN
    return lambda status, to: status == 405 or (status == 302 and "/log-in/" in to)


# The walk


def walk(
    own: World, victim: World, *, only: Callable[[Route], bool] = lambda _route: True, thorough: bool = False
) -> Findings:
    """Try all routes as `own` against `victim`'s rows.

    What opens doors of a route's kind is tried with every method of it; whoever is shut out at the door knocks
    once, reading and posting by turns, or `thorough`ly twice.
    """
    findings, before, party = Findings(), digest_of(victim), Party(own=own, victim=victim)
    for route in routes():
        entry = entry_of(route)
        if entry is None or not only(route):
            continue
        for attacker in party.at(route):
            if entry.is_link and attacker.at_victims_host:
                continue
            if thorough or attacker.holds in _OPENS.get(entry.kind, ()):
                methods = route.methods
            else:
                methods = (PAGE_METHODS[findings.tried % 2],)
            for method in methods:
                _try(findings, route, entry, attacker, method, victim)
        after = digest_of(victim)
        changed = [name for name in after if after[name] != before.get(name)]
        if changed:
            findings.add(f"{route.host} {route.pattern} changed {', '.join(changed)} of the victim's.")
        before = after
    return findings


def _try(
    findings: Findings, route: Route, entry: Entry, attacker: Attacker, method: str, victim: World
) -> None:
    cache.clear()  # nobody is stopped by a rate limit before they are stopped by the door
    answer = _send(attacker.client, route, entry, method, victim)
    findings.tried += 1
    what = f"{method.upper()} {route.host} {route.pattern} with {attacker.name}"
    if not allowed(route, entry, attacker)(answer.status_code, answer.headers.get("Location", "")):
        findings.add(f"{what}: {answer.status_code} {answer.headers.get('Location', '')}")
    said = text_of(answer)
    for name, secret in victim.secrets().items():
        if secret in said:
            findings.add(f"{what}: the {name} of the victim's is in the answer.")


def _send(client: Client, route: Route, entry: Entry, method: str, victim: World) -> Any:
    address = route.path(values_of(route, entry, victim))
    body = entry.body(victim)
    if method == "get":
        return client.get(address)
    if route.is_api:
        return getattr(client, method)(address, body, "application/json")
    return getattr(client, method)(address, body)


def text_of(answer: HttpResponseBase) -> str:
    """Head and body of an answer."""
    if isinstance(answer, StreamingHttpResponse):
        body = async_to_sync(_all_of)(answer) if answer.is_async else b"".join(cast(Iterator[bytes], answer))
    else:
        body = cast(HttpResponse, answer).content
    return f"{answer.headers}\n{body.decode('utf-8', 'replace')}"


async def _all_of(answer: StreamingHttpResponse) -> bytes:
    return b"".join([part async for part in cast(AsyncIterator[bytes], answer.streaming_content)])


# The check of the check


def unreachable(world: World) -> tuple[list[str], int]:
    """Routes that do not even open to the workspace's own people: their arguments prove nothing.

    Also how many of the answers show the canary: a walk that sees none would find no leak either.
    """
    shut, shown = [], 0
    for route in routes():
        entry = entry_of(route)
        if (
            entry is None
            or entry.names_no_row
            or not names_rows(route, entry)
            or route.host not in ("workspace", "api")
        ):
            continue
        bearer = {Kind.API: world.key.secret, Kind.VISITOR: world.visitor_token}.get(entry.kind, "")
        host = PUBLIC_HOSTS.get(route.host, world.host)
        client = client_at(
            host, session=world if entry.kind in (Kind.PAGE, Kind.PERSON) else None, bearer=bearer
        )
        statuses = []
        for method in ("get", "post", "put") if route.is_api else PAGE_METHODS:
            cache.clear()
            with transaction.atomic():
                answer = _send(client, route, entry, method, world)
                statuses.append(answer.status_code)
                shown += world.canary in text_of(answer)
                transaction.set_rollback(True)
        if all(status in REFUSED for status in statuses):
            shut.append(f"{route.host} {route.pattern}: {statuses}")
    return shut, shown
