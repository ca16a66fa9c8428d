"""make bench-provision: how long a new workspace takes, as the first ones and when 500 exist.

Each is made as at sign-up: a row, then `tenants.provisioning.provision`. Both figures are medians of
MEASURED workspaces of the same run; their ratio shows whether workspaces slow each other down.
Last line: one JSON object.
"""

from __future__ import annotations

import json
import statistics
import time

import django

django.setup()

from netvexa.lib.ids import short_id  # noqa: E402  after setup
from tenants.context import platform  # noqa: E402
from tenants.models import Workspace, schema_name_of  # noqa: E402
from tenants.provisioning import provision  # noqa: E402

MEASURED = 20
EXISTING = 500


def main() -> None:
    make()  # connects, and reads the template once
    first = [make() for _ in range(MEASURED)]
    while Workspace.objects.count() < EXISTING:
        make()
    later = [make() for _ in range(MEASURED)]
    report(first, later)


def make() -> float:
    """Milliseconds from the row to a workspace that can be entered."""
    key = short_id()
    begun = time.perf_counter()
    with platform():
        row = Workspace.objects.create(key=key, slug=key, name=key, schema_name=schema_name_of(key))
    provision(row)
    elapsed = (time.perf_counter() - begun) * 1000
    if not row.is_ready:
        raise SystemExit(f"Workspace {key} is {row.state}: {row.error}")
    return elapsed


def report(first: list[float], later: list[float]) -> None:
    print(f"{'workspaces there':>18}  {'median ms':>9}  {'slowest ms':>10}")
    for label, times in (("1", first), (str(EXISTING), later)):
        print(f"{label:>18}  {statistics.median(times):9.0f}  {max(times):10.0f}")
    first_ms, at_500_ms = statistics.median(first), statistics.median(later)
    figures = {
        "first_ms": round(first_ms, 1),
        "at_500_ms": round(at_500_ms, 1),
        "ratio": round(at_500_ms / first_ms, 2),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
