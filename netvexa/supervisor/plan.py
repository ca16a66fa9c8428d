"""What there is to run, and on which port."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from netvexa.embedded.errors import StartError
from netvexa.embedded.home import PROJECT
from netvexa.embedded.ports import LOOPBACK, is_free
from netvexa.embedded.stack import var_folder

DEFAULT_PORT = 8000
STAND_IN_OFFSET = 111  # the stand-in for Stripe listens so many ports above the product
STAND_IN_KEY = "sk_test_standinstandinstandinstandin"  # a key's shape; it opens nothing

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
    summary: Path  # where the preparation leaves a `Summary` as JSON
    services: Mapping[str, Command]  # kept running
    later: Mapping[str, Command] = field(default_factory=dict)  # likewise, once the web process answers
    early: Mapping[str, Command] = field(default_factory=dict)  # likewise, from before the preparation
    variables: Mapping[str, str] = field(default_factory=dict)  # for all of them, on top of what is given
    health_path: str = "/healthz"


def plan_from(environment: Mapping[str, str]) -> Plan:
    """The product's own plan. Raises StartError where the port is wrong or taken."""
    port = _port(environment.get("NETVEXA_PORT", ""))
    stand_in = _stand_in_port(environment, port)
    manage = [sys.executable, str(PROJECT / "manage.py")]
    summary = var_folder(environment) / "summary.json"
    celery = [sys.executable, "-W", ROOT_IS_FINE, "-m", "celery", "--quiet", "--app", "netvexa"]
    return Plan(
        port=port,
        prepare=[*manage, "prepare", "--summary", str(summary)],
        summary=summary,
        services={
            "web": [
                *(sys.executable, "-m", "netvexa.web", "--bind", "127.0.0.1", "--port", str(port)),
                *("--no-server-name", "netvexa.asgi:application"),
            ],
            "worker": [*celery, "worker", *WORKER_OPTIONS, "--queues", "celery", "--hostname", "work@%h"],
        },
        # Nobody waits for these, and a start is all imports: two at a time on a small machine.
        later={
            # One process of its own for money: a solo pool has no children, so it takes half the memory.
            "billing": [
                *(*celery, "worker", "--loglevel", "info", "--pool", "solo", "--without-gossip"),
                *("--without-mingle", "--queues", "billing", "--hostname", "billing@%h"),
            ],
            # No pid file: one left behind by a killed beat would keep the next from starting.
            "beat": [*celery, "beat", "--loglevel", "info", "--pidfile="],
        },
        early=_stand_in(stand_in, environment) if stand_in else {},
        variables=_stand_in_variables(stand_in) if stand_in else {},
    )


def _stand_in_port(environment: Mapping[str, str], port: int) -> int | None:
    """Where the stand-in for Stripe will listen, if STRIPE=fake asks for one."""
    given = environment.get("STRIPE", "")
    if not given:
        return None
    if given != "fake":
        raise StartError(
            f"STRIPE takes only the value fake; it is {given!r}. STRIPE_SECRET_KEY is for a key."
        )
    if environment.get("STRIPE_SECRET_KEY"):
        raise StartError("STRIPE=fake and STRIPE_SECRET_KEY exclude each other: leave one of them away.")
    if not (PROJECT / "tests" / "stripe_fake").is_dir():
        raise StartError("STRIPE=fake needs the folder tests/ of the project, which is not here.")
    if not is_free(port + STAND_IN_OFFSET):
        raise StartError(f"Port {port + STAND_IN_OFFSET}, for the stand-in for Stripe, is in use.")
    return port + STAND_IN_OFFSET


def _stand_in(port: int, environment: Mapping[str, str]) -> Mapping[str, Command]:
    file = var_folder(environment) / "stripe_stand_in.json"
    return {"stripe": [sys.executable, "-m", "tests.stripe_fake", str(port), str(file)]}


def _stand_in_variables(port: int) -> Mapping[str, str]:
    return {"STRIPE_SECRET_KEY": STAND_IN_KEY, "STRIPE_API_HOST": f"http://{LOOPBACK}:{port}"}


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
