"""What there is to run, and on which port."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from netvexa.embedded.errors import StartError
from netvexa.embedded.home import PROJECT
from netvexa.embedded.ports import is_free

DEFAULT_PORT = 8000

# Celery's warning: a development machine may well be used as root, a container often is.
ROOT_IS_FINE = "ignore:You're running the worker with superuser privileges"
# One worker alone has no neighbours to look for.
WORKER_OPTIONS = ("--loglevel", "info", "--concurrency", "2", "--without-gossip", "--without-mingle")

Command = Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The commands of one run. All of them get the same environment."""

    port: int
    prepare: Command  # once, before everything else: migrations, the demo workspace
    summary: Command  # prints a `Summary` as JSON
    services: Mapping[str, Command]  # kept running
    health_path: str = "/healthz"


def plan_from(environment: Mapping[str, str]) -> Plan:
    """The product's own plan. Raises StartError where the port is wrong or taken."""
    port = _port(environment.get("NETVEXA_PORT", ""))
    manage = [sys.executable, str(PROJECT / "manage.py")]
    celery = [sys.executable, "-W", ROOT_IS_FINE, "-m", "celery", "--quiet", "--app", "netvexa"]
    return Plan(
        port=port,
        prepare=[*manage, "prepare"],
        summary=[*manage, "prepare", "--summary"],
        services={
            "web": [
                *(sys.executable, "-m", "daphne", "--bind", "127.0.0.1", "--port", str(port)),
                *("--no-server-name", "netvexa.asgi:application"),
            ],
            "worker": [*celery, "worker", *WORKER_OPTIONS],
            # No pid file: one left behind by a killed beat would keep the next from starting.
            "beat": [*celery, "beat", "--loglevel", "info", "--pidfile="],
        },
    )


def _port(given: str) -> int:
    if given and not (given.isdecimal() and 1 <= int(given) <= 65535):
        raise StartError(f"NETVEXA_PORT must be a number from 1 to 65535; it is {given!r}.")
    port = int(given or DEFAULT_PORT)
    if not is_free(port):
        raise StartError(
            f"Port {port} is in use by another program: stop that one, or choose another port, "
            f"for instance NETVEXA_PORT={port + 1} make run."
        )
    return port
