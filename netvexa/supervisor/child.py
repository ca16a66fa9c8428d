"""One process that the supervisor keeps running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from netvexa.embedded.home import Account
from netvexa.embedded.process import tethered
from netvexa.supervisor.plan import Command

FIRST_DELAY, LONGEST_DELAY = 1.0, 30.0  # seconds before a restart
STEADY_AFTER = 60.0  # seconds of running after which a stop counts as the first again

Say = Callable[[str, str], None]  # name, line


class Guard:
    """Our end of the pipe to the process in guard.py."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("guard.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )

    def tell(self, change: str, group: int) -> None:
        """`+` for a group that began, `-` for one that is over."""
        if self._process.stdin:
            with suppress(BrokenPipeError):
                self._process.stdin.write(f"{change}{group}\n".encode())
                self._process.stdin.flush()

    def close(self) -> None:
        """Everything is over."""
        if self._process.stdin:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.wait()


class Child:
    """A command in a session of its own, so that a Ctrl-C on the terminal reaches only the supervisor."""

    def __init__(
        self, name: str, command: Command, *, environment: Mapping[str, str], say: Say, guard: Guard
    ) -> None:
        self.name = name
        self._command = command
        self._environment = environment
        self._say = say
        self._guard = guard
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._started_at = 0.0
        self._delay = FIRST_DELAY
        self._restart_at: float | None = None

    @property
    def exit_code(self) -> int | None:
        """None while it runs, negative where a signal ended it."""
        return self._process.poll() if self._process else None

    def start(self) -> None:
        """Start it, and forward what it says line by line."""
        account = Account(os.geteuid(), os.getegid())
        self._process = subprocess.Popen(
            tethered(self._command, account=account, death_signal=signal.SIGTERM),
            env=dict(self._environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._guard.tell("+", self._process.pid)
        self._started_at, self._restart_at = time.monotonic(), None
        self._reader = threading.Thread(target=self._forward, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    def keep_running(self) -> None:
        """Call often: plans a restart after a stop, each later than the one before, and carries it out."""
        if self._restart_at is not None:
            if time.monotonic() >= self._restart_at:
                self.start()
        elif self.exit_code is not None:
            self._sweep()
            if time.monotonic() - self._started_at > STEADY_AFTER:
                self._delay = FIRST_DELAY
            self._say(self.name, f"stopped with code {self.exit_code}; starting again in {self._delay:.0f} s")
            self._restart_at = time.monotonic() + self._delay
            self._delay = min(self._delay * 2, LONGEST_DELAY)

    def ask_to_stop(self) -> None:
        """SIGTERM to the process itself: it knows best how to tell its own children."""
        if self._process and self.exit_code is None:
            with suppress(ProcessLookupError):
                self._process.terminate()

    def finish(self, *, deadline: float) -> None:
        """Wait until the deadline (monotonic), then end it and whatever it started, by force."""
        if self._process:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=max(0.0, deadline - time.monotonic()))
            self._sweep()
            self._process.wait()
        if self._reader:
            self._reader.join(timeout=2)

    def _sweep(self) -> None:
        """End what is left of its process group."""
        if self._process:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._guard.tell("-", self._process.pid)

    def _forward(self, output: IO[bytes]) -> None:
        with output:
            for line in output:
                self._say(self.name, line.decode(errors="replace").rstrip())
