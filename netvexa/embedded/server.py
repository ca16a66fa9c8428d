"""What the embedded servers have in common: a folder, a kept password and port, a process."""

from __future__ import annotations

import json
import secrets
import signal
import subprocess
import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar, TypedDict

from netvexa.embedded import process
from netvexa.embedded.home import Home
from netvexa.embedded.ports import free_port

READY_TIMEOUT = 60.0  # seconds; recovery after a crash may take some


class State(TypedDict):
    """What is kept between runs, so that addresses stay the same where they can."""

    password: str
    port: int


class Server:
    """One server in one folder of a home."""

    name: ClassVar[str]
    stop_steps: ClassVar[Sequence[tuple[signal.Signals, float]]]  # signal, seconds to wait for its effect

    def __init__(self, home: Home, *, durable: bool = True, folder: str = "") -> None:
        """`folder` tells several servers of one kind in one home apart."""
        self.home = home
        self.durable = durable
        self.folder = home.folder(folder or self.name)
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0  # bytes that earlier servers wrote

    @property
    def pid(self) -> int | None:
        """Number of the running server's main process."""
        return self._process.pid if self._process else None

    @property
    def log(self) -> Path:
        """Where the server writes what it has to say."""
        return self.folder.with_name(f"{self.folder.name}.log")

    def has_died(self) -> bool:
        """Whether it was started, not stopped, and is gone all the same."""
        return self._process is not None and self._process.poll() is not None

    def start(self) -> None:
        """Return when it serves."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stop after everything is written; does nothing where it does not run."""
        if self._process:
            process.stop(self._process, steps=self.stop_steps)
            self._process = None

    @cached_property
    def state(self) -> State:
        """The kept password and port, or new ones."""
        if self._state_file.exists():
            state: State = json.loads(self._state_file.read_text(encoding="utf-8"))
            return {**state, "port": free_port(state["port"])}
        return {"password": secrets.token_urlsafe(24), "port": free_port()}

    def keep_state(self) -> None:
        """Write the state in one step: half a file would lock us out of our own data."""
        unfinished = self._state_file.with_suffix(".unfinished")
        unfinished.touch(mode=0o600)
        unfinished.write_text(json.dumps(self.state), encoding="utf-8")
        unfinished.replace(self._state_file)

    def run(self, command: Sequence[str], *, folder: Path) -> bool:
        """Start the process and wait; whether it is ready. Where not, nothing is left running."""
        self.stop()
        self.keep_state()
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        self._process = process.launch(
            command,
            account=self.home.account,
            folder=folder,
            log=self.log,
            death_signal=self.stop_steps[0][0],
        )
        deadline = time.monotonic() + READY_TIMEOUT
        while self._process.poll() is None and time.monotonic() < deadline:
            if self.is_ready():
                return True
            time.sleep(0.02)
        self.stop()
        return False

    def is_ready(self) -> bool:
        """Whether it serves by now."""
        raise NotImplementedError

    def said(self) -> str:
        """What the present or last process wrote to the log."""
        return self.log.read_bytes()[self._log_start :].decode(errors="replace")

    @property
    def _state_file(self) -> Path:
        return self.folder / "state.json"
