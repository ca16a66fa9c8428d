"""make bench-isolation: what another workspace's credentials open, and what the walls cost.

The matrix of tests/isolation is walked once: every route, every credential. Then a thousand steps in two
workspaces at once, in threads, coroutines and tasks. Then a page and an answer of the API are asked for in
pairs, as the product does it and with neither roles nor Row Level Security (the log-in role bypasses it and only
the schema is set); `overhead_pct` is the larger of the two median differences. Last line: one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import django

django.setup()

from django.core.cache import cache  # noqa: E402  after setup
from django.db import close_old_connections, connections  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402

from agents.models import ModelSettings  # noqa: E402
from tenants.context import in_tenant  # noqa: E402
from tenants.postgresql import base  # noqa: E402
from tests.isolation import matrix  # noqa: E402
from tests.isolation.world import World, make_world, sign_up  # noqa: E402
from tests.tenancy import test_interleavings as interleavings  # noqa: E402
from tests.tenancy.canaries import put_canary  # noqa: E402

STEPS_AT_ONCE = 20
BATCHES = 60
PAGE_PAIRS = 300
PAIRS = 60  # an answer counts against the plan: the smallest has 200


def main() -> None:
    setup_test_environment()  # mails stay here, every host is served
    own, victim = make_world("acme"), make_world("rival")
    findings, uncovered = matrix.walk(own, victim, thorough=True), matrix.uncovered()
    performed, broken = interleave(random.Random(1))
    page = overhead(lambda: get_page(victim), pairs=PAGE_PAIRS)
    with in_tenant(victim.workspace):
        ModelSettings.objects.update(keys={})  # a provider that is out of reach would be most of the time
    chat = overhead(lambda: ask(victim), pairs=PAIRS)
    leaks = findings.leaks + broken
    for sentence in leaks + uncovered:
        print(sentence)
    print(f"tried {findings.tried} requests, {performed} interleaved steps")
    print(f"a page {page:+.1f} %, an answer {chat:+.1f} % against no roles and no Row Level Security")
    figures = {
        "tried": findings.tried,
        "leaks": len(leaks),
        "routes_uncovered": len(uncovered),
        "interleavings": performed,
        "overhead_pct": round(max(page, chat), 2),
        "overhead_page_pct": round(page, 2),
        "overhead_chat_pct": round(chat, 2),
    }
    print(json.dumps(figures))


def interleave(chance: random.Random) -> tuple[int, list[str]]:
    """How many steps were taken, and the leaks that were seen."""
    two = sign_up("one", "owner")[0], sign_up("two", "owner")[0]
    for workspace in two:
        put_canary(workspace)
    performed, leaks = 0, []
    with ThreadPoolExecutor(4) as threads:
        for _ in range(BATCHES):
            steps = [
                (chance.choice(interleavings.WAYS), chance.choice(interleavings.DEEDS), chance.randrange(2))
                for _ in range(STEPS_AT_ONCE)
            ]
            try:
                asyncio.run(interleavings.all_at_once(steps, two, threads))
            except interleavings.LeakError as leak:
                leaks.append(str(leak))
            performed += len(steps)
    return performed, leaks


# The price


def get_page(world: World) -> None:
    client = matrix.client_at(world.host, session=world)
    answer = client.get("/conversations/")
    if answer.status_code != 200 or world.canary not in answer.content.decode():
        raise SystemExit(f"The page is not what is measured: {answer.status_code}")


def ask(world: World) -> None:
    client = matrix.client_at(world.host, bearer=world.key.secret)
    path = f"/api/v1/agents/{world.agent.pk}/messages/"
    answer = client.post(path, {"text": "When are returns taken?"}, "application/json")
    if answer.status_code >= 300:
        raise SystemExit(f"The answer is not what is measured: {answer.status_code} {answer.content[:200]!r}")


def overhead(work: Callable[[], None], *, pairs: int) -> float:
    """Per cent that roles and Row Level Security add to this work: the median difference of two runs side by side, so
    that a machine that grows slower meanwhile counts for both.
    """
    guarded: list[float] = []
    bare: list[float] = []
    for number in range(pairs + 5):
        order = (False, True) if number % 2 else (True, False)
        for walls in order:
            with standing(walls=walls):
                cache.clear()
                begun = time.perf_counter()
                work()
                taken = time.perf_counter() - begun
            if number >= 5:  # the first ones warm up
                (guarded if walls else bare).append(taken)
    added = statistics.median(with_walls - without for with_walls, without in zip(guarded, bare, strict=True))
    return added / statistics.median(bare) * 100


@contextmanager
def standing(*, walls: bool) -> Iterator[None]:
    """The product's own standing, or one with a schema and nothing else."""
    _forget()
    if walls:
        connections["default"].ensure_connection()  # as below: to connect is nobody's overhead
        yield
        return
    usual = base.DatabaseWrapper._send_standing

    def schema_only(self: base.DatabaseWrapper) -> None:
        with self.wrap_database_errors, self.connection.cursor() as own:
            own.execute(
                "SELECT set_config('search_path', %s, false), set_config('role', 'none', false)",
                self._standing()[:1],
            )

    base.DatabaseWrapper._send_standing = schema_only  # type: ignore[method-assign]
    try:
        connections["default"].ensure_connection()
        yield
    finally:
        base.DatabaseWrapper._send_standing = usual  # type: ignore[method-assign]
        _forget()


def _forget() -> None:
    connections["default"].forget_standing()  # type: ignore[attr-defined]
    close_old_connections()


if __name__ == "__main__":
    main()
