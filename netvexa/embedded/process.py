"""Starting, watching and stopping one server process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from netvexa.embedded.home import Account

TETHER = Path(__file__).with_name("tether.py")
LOG_LIMIT_BYTES = 10_000_000
# Servers see none of our environment: PGPORT and its like would change what they do.
SERVER_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def tethered(command: Sequence[str], *, account: Account, death_signal: signal.Signals) -> list[str]:
    """The command line that runs `command` as that user, and stops it when this thread ends."""
    numbers = (account.uid, account.gid, os.getpid(), int(death_signal))
    return [sys.executable, "-I", "-S", str(TETHER), *map(str, numbers), "--", *command]


def launch(
    command: Sequence[str], *, account: Account, folder: Path, log: Path, death_signal: signal.Signals
) -> subprocess.Popen[bytes]:
    """Start a server in its folder; what it says is added to the log."""
    with open_log(log) as output:
        return subprocess.Popen(
            tethered(command, account=account, death_signal=death_signal),
            cwd=folder,
            env=SERVER_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )


def open_log(path: Path) -> IO[bytes]:
    """Open for appending; a log past the limit is kept once, as `.log.1`."""
    if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
        path.replace(path.with_name(f"{path.name}.1"))
    return path.open("ab")


def stop(process: subprocess.Popen[bytes], *, steps: Sequence[tuple[signal.Signals, float]]) -> None:
    """Send each signal in turn and wait so many seconds, until the process has ended."""
    for number, seconds in steps:
        if process.poll() is not None:
            return
        process.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=seconds)


def stop_leftover(pid: int, *, program: str, folder: Path, by: signal.Signals) -> None:
    """Stop a server that outlived the process which started it, and only such a one."""
    for number, seconds in ((by, 20.0), (signal.SIGKILL, 5.0)):
        if not is_server(pid, program=program, folder=folder):
            return
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + seconds
        while is_server(pid, program=program, folder=folder) and time.monotonic() < deadline:
            time.sleep(0.05)


def is_server(pid: int, *, program: str, folder: Path) -> bool:
    """Whether that process is this program at work in this folder, and no newcomer with an old number."""
    try:
        if Path("/proc/self").exists():
            working = Path(f"/proc/{pid}/cwd").readlink()
            return Path(f"/proc/{pid}/exe").readlink().name.startswith(program) and working == folder
        command = subprocess.run(
            ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
    except OSError:
        return False
    return program in command.stdout
