"""Run as a program by `test_pooling`: two threads, two workspaces, one pooler; prints what went wrong.

Takes two slugs. Its last line is JSON: reads, how many of them were wrong, and how many errors there were.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import django
from django.db import DatabaseError, connection, transaction

READS = 500
READS_A_VISIT = 10
START = Barrier(2)


def read_as(slug: str) -> Counter[str]:
    from tenants.access import workspace_of_host
    from tenants.context import in_tenant
    from tests.tenancy.canaries import read_canary

    found: Counter[str] = Counter()
    try:
        workspace = workspace_of_host(f"{slug}.localhost")
        START.wait()
        for _ in range(READS // READS_A_VISIT):
            with in_tenant(workspace):
                for _ in range(READS_A_VISIT):
                    found[_outcome(read_canary, slug)] += 1
                found["written wrong"] += write_and_read(slug)
    finally:
        connection.close()
    return found


def _outcome(read: object, slug: str) -> str:
    try:
        return "right" if read() == [slug] else "wrong"  # type: ignore[operator]
    except DatabaseError:
        return "error"


def write_and_read(slug: str) -> int:
    """How many of a transaction's own reads were wrong, a rolled back savepoint in its middle."""
    from agents.models import Agent
    from tests.tenancy.canaries import read_canary

    try:
        with transaction.atomic():
            with transaction.atomic():
                Agent.objects.create(name="passing")
                transaction.set_rollback(True)
            Agent.objects.filter(name=slug).update(greeting=f"Hello from {slug}")
            rows = [agent.greeting for agent in Agent.objects.iterator()]
            return (read_canary() != [slug]) + (rows != [f"Hello from {slug}"])
    except (DatabaseError, RuntimeError):  # also where the workspace's data key is not found
        return 1


def main() -> None:
    django.setup()
    with ThreadPoolExecutor(2) as pool:
        found = sum(pool.map(read_as, sys.argv[1:]), Counter())
    print(
        json.dumps(
            {
                "reads": found["right"] + found["wrong"] + found["error"],
                "wrong": found["wrong"] + found["written wrong"],
                "errors": found["error"],
            }
        )
    )


if __name__ == "__main__":
    main()
