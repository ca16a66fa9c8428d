"""What the product needs and the environment does not name: started, and described as variables."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from netvexa.embedded.errors import StartError
from netvexa.embedded.home import PROJECT, home_for
from netvexa.embedded.ports import answers
from netvexa.embedded.postgres import Postgres
from netvexa.embedded.redis import Redis

CONNECT_TIMEOUT = 5.0  # seconds
DEFAULT_PORTS = {
    "postgres": 5432,
    "postgresql": 5432,
    "redis": 6379,
    "rediss": 6379,
    "amqp": 5672,
    "amqps": 5671,
}
SCHEMES = {
    "DATABASE_URL": ("postgres", "postgresql"),
    "REDIS_URL": ("redis", "rediss", "unix"),
    "CELERY_BROKER_URL": ("redis", "rediss", "amqp", "amqps"),
}


@dataclass
class Stack:
    """The servers this process started, and the variables its children need."""

    environment: dict[str, str] = field(default_factory=dict)
    postgres: Postgres | None = None
    redis: Redis | None = None
    _lock: IO[str] | None = None

    @property
    def defaults(self) -> list[str]:
        """A sentence for each part that runs embedded."""
        sentences = []
        if self.postgres:
            sentences.append(f"PostgreSQL is embedded, in {self.postgres.folder}; DATABASE_URL replaces it.")
        if self.redis:
            sentences.append(f"Redis is embedded, in {self.redis.folder}; REDIS_URL replaces it.")
        return sentences

    def revive(self, *, say: Callable[[str], None]) -> None:
        """Start a server again that ended by itself; its address stays where the port is still free."""
        for server in (self.postgres, self.redis):
            if server and server.has_died():
                say(f"Embedded {server.name} ended by itself; starting it again (log: {server.log}).")
                server.start()

    def stop(self) -> None:
        """Stop what was started here, the last started first."""
        for server in (self.redis, self.postgres):
            if server:
                server.stop()
        if self._lock:
            self._lock.close()


def var_folder(given: Mapping[str, str] = os.environ) -> Path:
    """Where this project keeps its data: NETVEXA_VAR, or var/ in the project."""
    return Path(given.get("NETVEXA_VAR") or PROJECT / "var").resolve()


def start(
    *, given: Mapping[str, str] = os.environ, durable: bool = True, say: Callable[[str], None] = print
) -> Stack:
    """Start what `given` does not name. Raises StartError with nothing left running."""
    for name, schemes in SCHEMES.items():
        _check_given(given, name, schemes)
    var = var_folder(given)
    var.mkdir(parents=True, exist_ok=True)
    stack = Stack(environment={"NETVEXA_VAR": str(var)}, _lock=take_lock(var))
    try:
        _start_missing(stack, var, given=given, durable=durable, say=say)
    except BaseException:
        stack.stop()
        raise
    return stack


def take_lock(var: Path) -> IO[str]:
    """Hold the folder for this process alone; the system lets go of it however the process ends."""
    lock = (var / "servers.lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        holder = lock.read().strip() or "unknown"
        lock.close()
        raise StartError(
            f"NETVEXA is already running with the data in {var} (process {holder}): stop it first, "
            "or set NETVEXA_VAR to another folder."
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def _start_missing(
    stack: Stack, var: Path, *, given: Mapping[str, str], durable: bool, say: Callable[[str], None]
) -> None:
    if not given.get("DATABASE_URL"):
        say("Starting the embedded PostgreSQL 18.")
        stack.postgres = Postgres(home_for(var), durable=durable)
        stack.postgres.start()
        stack.environment["DATABASE_URL"] = stack.postgres.url
    if not given.get("REDIS_URL"):
        say("Starting the embedded Redis 8.")
        stack.redis = Redis(home_for(var), durable=durable)
        stack.redis.start()
        stack.environment["REDIS_URL"] = stack.redis.url
    if not given.get("CELERY_BROKER_URL"):
        stack.environment["CELERY_BROKER_URL"] = stack.environment.get("REDIS_URL") or given["REDIS_URL"]


def _check_given(given: Mapping[str, str], name: str, schemes: tuple[str, ...]) -> None:
    """A server named by the environment must be named right and be there."""
    url = given.get(name, "")
    if not url:
        return
    parts = urlsplit(url)
    if parts.scheme not in schemes:
        raise StartError(f"{name} must start with {' or '.join(f'{scheme}://' for scheme in schemes)}.")
    try:
        port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError:
        raise StartError(f"{name} has a port that is no number from 1 to 65535.") from None
    if parts.hostname and not answers(port, host=parts.hostname, timeout=CONNECT_TIMEOUT):
        raise StartError(f"{name} names {parts.hostname}:{port}, where nothing answers.")
