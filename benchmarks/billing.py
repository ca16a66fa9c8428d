"""make bench-billing: what a quota's decision takes, whether it is exact, and how soon a webhook is answered.

Quota: four processes decide on one workspace's count at 2,000 a second together, each call timed. Exactness: a
hundred threads in ten processes each reserve one answer at a limit of fifty, ledger and all, first in peace and
then while the count in Redis is lost again and again; admitted above fifty is over_admitted, below is
under_admitted. Webhooks: signed events of the stand-in, each posted to the real view and answered once it is
kept. Last line: one JSON object.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import django

os.environ.setdefault("NETVEXA_ENVIRONMENT", "test")
django.setup()

import numpy as np  # noqa: E402  after setup
import stripe  # noqa: E402
from django.db import connection, connections  # noqa: E402
from django.test import Client, override_settings  # noqa: E402

from benchmarks.knowledge_workspace import workspace  # noqa: E402
from billing import quota  # noqa: E402
from billing.endpoints import connect  # noqa: E402
from billing.gateway import asking  # noqa: E402
from billing.models import UsageBucket, UsageEntry, UsageKind  # noqa: E402
from billing.usage import QuotaExceeded, reserve, this_month  # noqa: E402
from tenants.context import in_tenant, platform  # noqa: E402
from tenants.models import Workspace  # noqa: E402
from tests.stripe_fake import webhooks  # noqa: E402
from tests.stripe_fake.server import running  # noqa: E402
from tests.stripe_fake.world import World  # noqa: E402

PROCESSES, RATE, SECONDS = 4, 2_000, 10
ASKING_PROCESSES, ASKING_THREADS, LIMIT = 10, 10, 50
EVENTS = 200
KEY = "sk_test_standinstandinstandinstandin"
_forking = multiprocessing.get_context("fork")


def apart(work: Callable[..., Any], arguments: list[tuple[Any, ...]]) -> list[Any]:
    """What `work` returns in a process for each of the arguments; none shares a connection."""
    connections.close_all()
    quota.line.cache_clear()
    with _forking.Pool(len(arguments)) as pool:
        return pool.starmap(work, arguments)


def decide(here: Workspace, starts_at: float) -> list[float]:
    """Milliseconds of each decision of one process, at its part of the rate."""
    count, gap = quota.Count(here, UsageKind.ANSWERS, this_month()), PROCESSES / RATE
    count.take(10**9, booked=lambda: 0)  # the connection and the script
    taken = []
    for number in range(RATE * SECONDS // PROCESSES):
        time.sleep(max(0.0, starts_at + number * gap - time.time()))
        before = time.perf_counter()
        ruling = count.take(10**9, booked=lambda: 0)
        taken.append((time.perf_counter() - before) * 1000)
        if ruling.verdict is not quota.Verdict.ADMITTED:
            raise SystemExit("Redis did not decide: this would measure its absence.")
    return taken


def quota_figures(here: Workspace) -> dict[str, float]:
    starts_at = time.time() + 1
    taken = np.concatenate(apart(decide, [(here, starts_at + n / RATE) for n in range(PROCESSES)]))
    rate = len(taken) / (time.time() - starts_at)
    quota.Count(here, UsageKind.ANSWERS, this_month()).forget()
    return {
        "quota_p50_ms": round(float(np.percentile(taken, 50)), 3),
        "quota_p95_ms": round(float(np.percentile(taken, 95)), 3),
        "quota_per_second": round(rate),
    }


def ask(here: Workspace, starts_at: float, losing: bool) -> int:
    """How many of one process' threads were admitted."""

    def one(_number: int) -> bool:
        try:
            with in_tenant(here):
                time.sleep(max(0.0, starts_at - time.time()))
                if losing:
                    quota.Count(here, UsageKind.ANSWERS, this_month()).forget()
                reserve(here, kind=UsageKind.ANSWERS, limit=LIMIT, reference="benchmark")
        except QuotaExceeded:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(ASKING_THREADS) as pool:
        return sum(pool.map(one, range(ASKING_THREADS)))


def admitted(here: Workspace, *, losing: bool) -> int:
    """Of a hundred at once, from an empty bucket. The ledger has to say the same."""
    with platform():
        UsageBucket.objects.filter(workspace=here).delete()
        before = UsageEntry.objects.filter(workspace=here).count()
    quota.Count(here, UsageKind.ANSWERS, this_month()).forget()
    number: int = sum(apart(ask, [(here, time.time() + 2, losing)] * ASKING_PROCESSES))
    with platform():
        lines = UsageEntry.objects.filter(workspace=here).count() - before
    if lines != number:
        raise SystemExit(f"{number} were admitted, and the ledger has {lines} lines.")
    return number


def webhook_times() -> list[float]:
    """Milliseconds of each event, from its post to the answer; the endpoint is made against the stand-in."""
    with running(World()) as world:
        stripe.api_base, stripe.api_key = world.base, KEY
        with override_settings(
            STRIPE_ENABLED=True, STRIPE_TEST_SECRET_KEY=KEY, STRIPE_API_HOST=world.base, ALLOWED_HOSTS=["*"]
        ):
            connect()
            with asking() as client:
                client.v1.customers.create({"email": "owner@acme.example"})
            return [_post(world) for _ in range(EVENTS + 5)][5:]


def _post(world: World) -> float:
    endpoint, client = world.all("webhook_endpoints")[0], Client(headers={"host": "localhost"})
    body = webhooks.body_of(world.emit("customer.updated", world.all("customers")[0]))
    signed = webhooks.signature(endpoint["_secret"], body)
    path = "/" + endpoint["url"].split("/", 3)[3]
    before = time.perf_counter()
    answer = client.post(path, body, "application/json", headers={"stripe-signature": signed})
    if answer.status_code != 200:
        raise SystemExit(f"The webhook was answered with {answer.status_code}: {answer.content[:200]!r}")
    return (time.perf_counter() - before) * 1000


def main() -> None:
    """Print the figures."""
    with workspace() as here:
        figures = quota_figures(here)
        rounds = [admitted(here, losing=losing) for losing in (False, True, True)]
    figures["over_admitted"] = max(0, *(number - LIMIT for number in rounds))
    figures["under_admitted"] = max(0, *(LIMIT - number for number in rounds))
    figures["webhook_p95_ms"] = round(float(np.percentile(webhook_times(), 95)), 1)
    for name, value in figures.items():
        print(f"{name:<20}{value:>10}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
