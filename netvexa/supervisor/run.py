"""The life of one run: servers, preparation, services, ready, stop."""

from __future__ import annotations

import datetime
import http.client
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from types import FrameType

from honcho.colour import get_colours
from honcho.printer import Message, Printer

from netvexa.embedded import stack
from netvexa.embedded.errors import StartError
from netvexa.embedded.ports import LOOPBACK
from netvexa.supervisor import summary
from netvexa.supervisor.child import Child, Guard
from netvexa.supervisor.plan import Command, Plan

READY_TIMEOUT = 120.0  # seconds until the web process must have answered
STOP_TIMEOUT = 12.0  # seconds the services get to finish what they do
TICK = 0.2  # seconds between two looks at the children
SYSTEM = "system"


class Supervisor:
    """Runs a plan until it is told to stop."""

    def __init__(self, plan: Plan, *, given: Mapping[str, str] = os.environ) -> None:
        self.plan = plan
        self._given = given
        self._begin = time.monotonic()
        self._stop_signals = 0
        self._printing = threading.Lock()
        names = (SYSTEM, "prepare", *plan.early, *plan.services, *plan.later)
        self._printer = Printer(sys.stdout, width=max(map(len, names)))
        self._colours = dict(zip(names, get_colours(), strict=False))
        self._stack = stack.Stack()
        self._environment: dict[str, str] = {}
        self._children: list[Child] = []
        self._guard = Guard()

    def run(self) -> int:
        """Return the exit code: 0 after a stop that was asked for."""
        self._catch_signals()
        try:
            self._start_servers()
            self._prepare()
            self._serve()
        except StartError as error:
            self.say(SYSTEM, str(error))
            return 1
        finally:
            self._stop()
        return 0

    def say(self, name: str, text: str) -> None:
        """One line of the log."""
        message = Message("line", text, datetime.datetime.now(), name, self._colours.get(name))  # noqa: DTZ005  a terminal shows local time
        with self._printing:
            try:
                self._printer.write(message)
            except OSError:  # nobody reads any more: go on without words, and come to an end
                self._printer.output = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  for the rest of our life
                self._stop_signals += 1

    def _catch_signals(self) -> None:
        def note(number: int, _frame: FrameType | None) -> None:
            self._stop_signals += 1

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, note)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup wants us to stay
            signal.signal(signal.SIGHUP, note)

    def _start_servers(self) -> None:
        self._stack = stack.start(given=self._given, say=lambda text: self.say(SYSTEM, text))
        defaults = {"NETVEXA_ROOT_URL": f"http://localhost:{self.plan.port}", "PYTHONUNBUFFERED": "1"}
        self._environment = {**defaults, **self._given, **self._stack.environment, **self.plan.variables}

    def _prepare(self) -> None:
        """Run the preparation to its end, or to ours."""
        if self._stop_signals:
            return
        for name, command in self.plan.early.items():
            self._start_child(name, command)
        child = self._start_child("prepare", self.plan.prepare)
        while child.exit_code is None and not self._stop_signals:
            time.sleep(TICK)
        if child.exit_code is not None:
            self._children.remove(child)
            child.finish(deadline=0)
            if child.exit_code:
                raise StartError("The preparation failed; the lines above say why.")

    def _serve(self) -> None:
        if self._stop_signals:
            return
        for name, command in self.plan.services.items():
            self._start_child(name, command)
        self._wait_until_ready()
        for name, command in self.plan.later.items():
            self._start_child(name, command)
        while not self._stop_signals:
            self._stack.revive(say=lambda text: self.say(SYSTEM, text))
            for child in self._children:
                child.keep_running()
            time.sleep(TICK)

    def _start_child(self, name: str, command: Command) -> Child:
        child = Child(name, command, environment=self._environment, say=self.say, guard=self._guard)
        self._children.append(child)
        child.start()
        return child

    def _wait_until_ready(self) -> None:
        """A service that cannot even start is an error to show, not one to repeat."""
        deadline = time.monotonic() + READY_TIMEOUT
        while not self._stop_signals:
            for child in self._children:
                if child.exit_code is not None:
                    raise StartError(
                        f"The {child.name} process stopped while starting; the lines above say why."
                    )
            if self._is_healthy():
                self._show()
                return
            if time.monotonic() > deadline:
                raise StartError(f"The web process did not answer within {READY_TIMEOUT:.0f} s.")
            time.sleep(TICK)

    def _is_healthy(self) -> bool:
        connection = http.client.HTTPConnection(LOOPBACK, self.plan.port, timeout=5)
        try:
            connection.request("GET", self.plan.health_path, headers={"Host": f"localhost:{self.plan.port}"})
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _show(self) -> None:
        found = summary.read(self.plan.summary)
        found["defaults"] = [*self._stack.defaults, *found["defaults"]]
        for line in summary.lines(found, seconds=time.monotonic() - self._begin):
            with self._printing:
                print(line, flush=True)

    def _stop(self) -> None:
        """Services first, then the servers they use. A second Ctrl-C ends the services by force."""
        if self._children:
            self.say(SYSTEM, "Stopping.")
        asked = self._stop_signals
        for child in self._children:
            child.ask_to_stop()
        deadline = time.monotonic() + STOP_TIMEOUT
        while any(child.exit_code is None for child in self._children):
            if time.monotonic() > deadline or self._stop_signals > asked:
                break
            time.sleep(TICK)
        for child in self._children:
            child.finish(deadline=0)
        self._stack.stop()
        self._guard.close()
        if self._environment:
            self.say(SYSTEM, "Everything is stopped; the data stays.")
