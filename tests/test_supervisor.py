"""One process starts everything, keeps it running, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from netvexa.embedded.home import PROJECT, passing_var
from netvexa.embedded.ports import answers, free_port, is_free
from netvexa.supervisor.plan import STAND_IN_OFFSET, plan_from

PATIENCE = 40.0  # seconds

# A small product: a web process that answers /healthz, and a worker with a child of its own.
WEB = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *arguments): pass
print("pid", os.getpid(), flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
WORKER = """
import os, subprocess, sys, time
child = subprocess.Popen(["sleep", "600"])
print("pid", os.getpid(), "child", child.pid, flush=True)
print("sees", os.environ["DATABASE_URL"], os.environ["REDIS_URL"], flush=True)
time.sleep(600)
"""
RUN = """
import sys
from pathlib import Path
from netvexa.embedded.errors import StartError
from netvexa.supervisor.plan import Plan
from netvexa.supervisor.run import Supervisor
python, port, folder, prepare = sys.executable, int(sys.argv[1]), sys.argv[2], sys.argv[3]
summary = '{"addresses": [{"name": "Demo", "url": "http://demo.localhost"}],' \
    ' "login": {"e-mail": "a@b.c"}, "defaults": ["Answers are extracted."]}'
Path(folder, "summary.json").write_text(summary)
plan = Plan(
    port=port,
    prepare=[python, "-c", prepare],
    summary=Path(folder, "summary.json"),
    services={"web": [python, f"{folder}/web.py", str(port)], "worker": [python, f"{folder}/worker.py"]},
    later={"clock": [python, f"{folder}/worker.py"]},
)
sys.exit(Supervisor(plan).run())
"""


@dataclass
class Run:
    """A supervisor at work in a process of its own."""

    process: subprocess.Popen[str]
    log: Path
    port: int
    var: Path

    def text(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def wait_for(self, pattern: str) -> re.Match[str]:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if found := re.search(pattern, self.text()):
                return found
            time.sleep(0.05)
        raise AssertionError(f"{pattern!r} was never said:\n{self.text()}")

    def pids(self) -> set[int]:
        """Everything that runs in the supervisor's sessions, by what the log and the system say."""
        text = self.text()
        named = {int(pid) for pid in re.findall(r"(?:pid|child) (\d+)", text)}
        return named | _children(self.process.pid)

    def ports(self) -> list[int]:
        return [self.port, *(int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)/", self.text()))]


Start = Callable[..., Run]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start the small product; `prepare` is the Python code of its preparation."""
    runs: list[Run] = []
    with passing_var() as var:

        def start_run(prepare: str = "", **environment: str) -> Run:
            for name, source in (("web", WEB), ("worker", WORKER)):
                (tmp_path / f"{name}.py").write_text(textwrap.dedent(source), encoding="utf-8")
            port = free_port()
            command = [sys.executable, "-c", RUN, str(port), str(tmp_path), prepare]
            log = tmp_path / f"{len(runs)}.log"
            with log.open("w", encoding="utf-8") as output:
                process = subprocess.Popen(
                    command,
                    cwd=PROJECT,
                    env={**_bare_environment(), "NETVEXA_VAR": str(var), **environment},
                    stdout=output,
                    stderr=output,
                    text=True,
                    start_new_session=True,
                    preexec_fn=_hear_hang_ups,
                )
            runs.append(Run(process, log, port, var))
            return runs[-1]

        yield start_run
        for run in runs:
            run.process.terminate()
            run.process.wait(PATIENCE)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything_it_started(start: Start, how: signal.Signals) -> None:
    run = start()
    run.wait_for("NETVEXA is ready")
    pids, ports = run.pids(), run.ports()
    assert len(pids) >= 5
    assert all(map(answers, ports))
    run.process.send_signal(how)
    assert run.process.wait(PATIENCE) == 0
    _assert_gone(pids)
    assert not any(map(answers, ports))


def test_a_stop_leaves_what_it_did_not_start(start: Start) -> None:
    bystander = subprocess.Popen(["sleep", "600"])
    run = start()
    run.wait_for("NETVEXA is ready")
    run.process.terminate()
    run.process.wait(PATIENCE)
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
def test_nothing_outlives_a_supervisor_that_was_killed(start: Start) -> None:
    run = start()
    run.wait_for("NETVEXA is ready")
    pids = run.pids()
    run.process.kill()
    run.process.wait(PATIENCE)
    _assert_gone(pids)


def test_a_second_run_keeps_the_data_and_is_ready_again(start: Start) -> None:
    first = start()
    first.wait_for("NETVEXA is ready")
    addresses = first.wait_for(r"sees (.*)")[1]
    first.process.terminate()
    first.process.wait(PATIENCE)
    second = start()
    second.wait_for("NETVEXA is ready")
    assert second.wait_for(r"sees (.*)")[1] == addresses


def test_it_says_where_to_go_how_to_log_in_and_what_runs_on_a_default(start: Start) -> None:
    run = start()
    run.wait_for("Ctrl-C stops everything")
    for sentence in (
        "Demo  http://demo.localhost",
        "e-mail: a@b.c",
        "Answers are extracted.",
        "Redis is embedded",
    ):
        assert sentence in run.text()


def test_what_nobody_waits_for_is_started_once_the_web_process_answers(start: Start) -> None:
    run = start()
    run.wait_for(r"clock +\| pid \d+")
    assert re.search(r"NETVEXA is ready(.|\n)*clock +\| pid", run.text())


def test_a_crashed_service_is_started_again(start: Start) -> None:
    run = start()
    pid = int(run.wait_for(r"worker +\| pid (\d+)")[1])
    run.wait_for("NETVEXA is ready")
    os.kill(pid, signal.SIGKILL)
    run.wait_for(r"stopped with code -9; starting again in 1 s")
    run.wait_for(rf"pid {pid}(.|\n)*pid (?!{pid})\d+")


def test_a_crashed_server_is_started_again(start: Start) -> None:
    run = start()
    run.wait_for("NETVEXA is ready")
    redis_pid = int((run.var / "servers" / "redis" / "redis.pid").read_text(encoding="utf-8"))
    os.kill(redis_pid, signal.SIGKILL)
    run.wait_for("Embedded redis ended by itself; starting it again")
    deadline = time.monotonic() + PATIENCE
    while not all(map(answers, run.ports())) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert all(map(answers, run.ports()))


def test_a_failed_preparation_stops_it_with_an_error(start: Start) -> None:
    run = start(prepare="raise SystemExit('DATABASE_POOLING: is wrong')")
    assert run.process.wait(PATIENCE) == 1
    assert "DATABASE_POOLING: is wrong" in run.text()
    assert "The preparation failed" in run.text()


def test_it_can_be_stopped_while_it_prepares(start: Start) -> None:
    run = start(prepare="import os, time; print('pid', os.getpid(), flush=True); time.sleep(600)")
    run.wait_for(r"prepare \| pid")
    pids = run.pids()
    run.process.send_signal(signal.SIGINT)
    assert run.process.wait(PATIENCE) == 0
    _assert_gone(pids)


def test_a_busy_port_is_named_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = _supervisor(NETVEXA_PORT=str(port))
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert f"Port {port} is in use" in result.stderr
    assert f"NETVEXA_PORT={port + 1} make run" in result.stderr


@pytest.mark.parametrize("given", ["http", "0", "65536", "-1"])
def test_a_port_that_cannot_be_one_is_named(given: str) -> None:
    result = _supervisor(NETVEXA_PORT=given)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"NETVEXA_PORT must be a number from 1 to 65535; it is {given!r}.\n"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"STRIPE": "real"}, "STRIPE takes only the value fake"),
        ({"STRIPE": "fake", "STRIPE_SECRET_KEY": "sk_test_x"}, "exclude each other"),
    ],
)
def test_a_stand_in_that_cannot_be_is_refused(given: dict[str, str], sentence: str) -> None:
    result = _supervisor(NETVEXA_PORT=str(free_port()), **given)
    assert result.returncode == 1
    assert sentence in result.stderr


def test_asked_for_the_stand_in_for_stripe_starts_first_and_everything_knows_it() -> None:
    port = next(port for port in iter(free_port, 0) if is_free(port + STAND_IN_OFFSET))
    plan = plan_from({"NETVEXA_PORT": str(port), "STRIPE": "fake"})
    assert "tests.stripe_fake" in plan.early["stripe"]
    assert plan.variables["STRIPE_API_HOST"] in f"http://127.0.0.1:{plan.early['stripe'][3]}"
    assert plan_from({"NETVEXA_PORT": str(port)}).early == {}


def _hear_hang_ups() -> None:
    """Whoever runs the tests under nohup passes on that they are ignored."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _supervisor(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "netvexa.supervisor"],
        cwd=PROJECT,
        env={**_bare_environment(), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def _bare_environment() -> dict[str, str]:
    replaced = ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "NETVEXA_VAR", "NETVEXA_PORT")
    return {name: value for name, value in os.environ.items() if name not in replaced}


def _assert_gone(pids: set[int]) -> None:
    deadline = time.monotonic() + PATIENCE
    while _running(pids) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _running(pids)


def _running(pids: set[int]) -> set[int]:
    return pids & {pid for pid, (_, state) in _processes().items() if not state.startswith("Z")}


def _children(parent: int) -> set[int]:
    return {pid for pid, (its_parent, _) in _processes().items() if its_parent == parent}


def _processes() -> dict[int, tuple[int, str]]:
    """Parent and state of every process. From /proc where there is one: a bare machine may lack ps."""
    if not Path("/proc/self/stat").exists():
        listed = subprocess.run(
            ["ps", "-axo", "pid=,ppid=,stat="], capture_output=True, text=True, check=True
        )
        rows = [line.split() for line in listed.stdout.splitlines()]
        return {int(pid): (int(parent), state) for pid, parent, state in rows}
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            found[int(folder.name)] = (int(parent), state)
    return found
