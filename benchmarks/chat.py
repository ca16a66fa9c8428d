"""make bench-chat: what a chat costs and how long it waits, beside a bare relay under the same server.

Real daphne, worker, beat, PostgreSQL and Redis; answers from 2,000 chunks of knowledge; a fake provider with
200 ms to the first token, 50 tokens a second and 60 tokens. Added time is the time to the first token less that
of the provider called directly at the same level, just before. Processor time is that of web, worker, beat,
Redis and PostgreSQL together. The relay's cost is what another 240 tokens of each answer cost, here and at
the floor: all else is the same in both runs. QUICK=1 measures less. Last line: one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any, cast
from urllib.request import urlopen

import aiohttp
import django
import psutil
import psycopg
from redis import Redis

os.environ.setdefault("NETVEXA_ENVIRONMENT", "test")  # static files from where they stand
django.setup()

from benchmarks import cost, knowledge_workspace, upstream, visitors  # noqa: E402  after setup
from benchmarks.cost import Processes  # noqa: E402
from benchmarks.data import shared  # noqa: E402
from benchmarks.visitors import Address, Asked  # noqa: E402
from netvexa.embedded.ports import free_port  # noqa: E402
from netvexa.supervisor.plan import plan_from  # noqa: E402

QUICK = bool(os.environ.get("QUICK"))
LEVELS = {1: 8, 10: 3, 50: 3, 100: 2, 200: 2}  # chats at once: questions of each
LONG_ANSWER = 300  # tokens
AT_ONCE = 50  # for what is measured at one level only
INSTANT_VISITORS, INSTANT_EACH = 32, 10
SOCKETS = 500 if QUICK else 5_000
SETTLE_SECONDS = 1.0  # after the last `end`, for what is done behind it


@dataclass
class Level:
    """What was measured at one level; times in milliseconds, cost in milliseconds of processor a chat."""

    at_once: int
    asked: list[Asked]
    cost: dict[str, float]
    direct: list[float] = field(default_factory=list)

    @property
    def done(self) -> list[Asked]:
        return [asked for asked in self.asked if not asked.error]

    @property
    def errors(self) -> int:
        return len(self.asked) - len(self.done)

    @property
    def cost_each(self) -> float:
        return sum(self.cost.values()) / max(1, len(self.done))

    def added(self, percent: int) -> float:
        waits = _percentile([asked.first for asked in self.done], percent)
        return waits - (_percentile(self.direct, percent) if self.direct else 0.0)


@dataclass
class Bench:
    """Where things run while it is measured."""

    provider: int  # its port
    address: Address
    processes: Processes
    questions: Iterator[str]

    async def level(self, at_once: int, each: int, *, tokens: int = 60, direct: bool = False) -> Level:
        """Everybody asks at once, `each` questions one after the other."""
        waits = await _direct(self.provider, at_once, each) if direct else []
        opened = await visitors.open_visitors(self.address, at_once)
        before = self.processes.seconds()
        words = upstream.answer_words(tokens)
        asked = await visitors.ask_all(opened, self.questions, each=each, words=words)
        await asyncio.sleep(SETTLE_SECONDS)
        spent = cost.since(before, self.processes.seconds())
        await visitors.close_visitors(opened)
        return Level(at_once, asked, spent, waits)


def main() -> None:
    _allow_many_files()
    data = shared("squad_v2.json.gz")
    questions = cycle([question["q"] for question in data["questions"] if question["a"]])
    with (
        knowledge_workspace.workspace() as made,
        tempfile.TemporaryDirectory() as folder,
        ExitStack() as stack,
    ):
        agent = knowledge_workspace.library(data, chunks=200 if QUICK else 2_000, threshold=0.0)
        knowledge_workspace.open_to_visitors(made)
        provider = free_port()
        stack.enter_context(
            _running("provider", folder, [sys.executable, "-m", "benchmarks.upstream", provider])
        )
        floor = stack.enter_context(_floor(Path(folder), provider, questions))
        door = (f"{made.slug}.localhost", agent.public_id)
        ours = stack.enter_context(_product(Path(folder), provider, door, questions))
        report(asyncio.run(_measure(floor, ours)))


def _allow_many_files() -> None:
    """A socket is a file, here and in the server."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@contextmanager
def _running(name: str, folder: str | Path, command: Sequence[object], **environment: str) -> Iterator[int]:
    """A process with its log in the folder; its id."""
    with (Path(folder) / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [str(part) for part in command], env={**os.environ, **environment}, stdout=log, stderr=log
        )
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait(30)


def _wait_for(url: str) -> None:
    for _ in range(600):
        try:
            with urlopen(url) as answer:  # noqa: S310  our own address
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"{url} does not answer.")


@contextmanager
def _floor(folder: Path, provider: int, questions: Iterator[str]) -> Iterator[Bench]:
    port = free_port()
    command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", port, "benchmarks.floor:application"]
    with _running("floor", folder, command, UPSTREAM=f"http://127.0.0.1:{provider}/v1") as pid:
        _wait_for(f"http://127.0.0.1:{port}/healthz")
        yield Bench(provider, Address("localhost", port, "/ws/floor/"), Processes({"web": pid}), questions)


@contextmanager
def _product(folder: Path, provider: int, door: tuple[str, str], questions: Iterator[str]) -> Iterator[Bench]:
    port = free_port()
    environment = {
        "NETVEXA_ROOT_URL": f"http://localhost:{port}",
        "OPENAI_BASE_URL": f"http://127.0.0.1:{provider}/v1",
        "NETVEXA_CHAT_SOCKETS_PER_ADDRESS": str(SOCKETS),
        "NETVEXA_CHAT_MESSAGES_PER_MINUTE": "100000",
    }
    roots = {"postgres": _postmaster(), "redis": _redis_server()}
    plan = plan_from({"NETVEXA_PORT": str(port)})
    with ExitStack() as stack:
        for name, command in {**plan.services, **plan.later}.items():
            roots[name] = stack.enter_context(_running(name, folder, command, **environment))
        _wait_for(f"http://127.0.0.1:{port}/healthz")
        yield Bench(provider, Address(door[0], port, f"/ws/v1/chat/{door[1]}/"), Processes(roots), questions)


def _postmaster() -> int:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        return int(psutil.Process(connection.info.backend_pid).ppid())


def _redis_server() -> int:
    with Redis.from_url(os.environ["REDIS_URL"]) as client:
        return int(cast("dict[str, Any]", client.info("server"))["process_id"])


def _pace(provider: int, **settings: int) -> None:
    query = "&".join(f"{name}={value}" for name, value in settings.items())
    urlopen(f"http://127.0.0.1:{provider}/_set?{query}").close()


async def _direct(provider: int, at_once: int, each: int) -> list[float]:
    """Milliseconds to the first token of the provider itself."""
    waits: list[float] = []
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{provider}", connector=connector) as session:

        async def ask() -> None:
            for _ in range(each):
                begun, first = time.perf_counter(), 0.0
                async with session.post("/v1/chat/completions", json={"model": "fake"}) as response:
                    async for line in response.content:
                        if not first and b'"content":"the ' in line:
                            first = (time.perf_counter() - begun) * 1000
                waits.append(first)

        await asyncio.gather(*(ask() for _ in range(at_once)))
    return waits


@dataclass
class Measured:
    """Everything that is reported."""

    floor: dict[int, Level]
    ours: dict[int, Level]
    relay: dict[str, float]  # milliseconds of processor for 1,000 tokens
    instant: Level
    kilobytes: dict[str, float]


async def _measure(floor: Bench, ours: Bench) -> Measured:
    _pace(ours.provider, first_ms=200, per_second=50, tokens=60)
    for bench in (floor, ours):
        await bench.level(4, 2)  # warms up
    levels = {1: 3, 50: 2} if QUICK else LEVELS
    floors, found = {}, {}
    for at_once, each in levels.items():
        floors[at_once] = await floor.level(at_once, each, direct=True)
        found[at_once] = await ours.level(at_once, each, direct=True)
    relay = {name: await _relay(bench) for name, bench in (("floor", floor), ("ours", ours))}
    _pace(ours.provider, first_ms=0, per_second=0, tokens=60)
    instant = await ours.level(INSTANT_VISITORS, 2 if QUICK else INSTANT_EACH)
    kilobytes = {name: await _kilobytes(bench) for name, bench in (("floor", floor), ("ours", ours))}
    return Measured(floors, found, relay, instant, kilobytes)


async def _relay(bench: Bench) -> float:
    """Milliseconds of processor for 1,000 tokens more, all else being the same."""
    costs = []
    for tokens in (60, LONG_ANSWER):
        _pace(bench.provider, first_ms=200, per_second=50, tokens=tokens)
        costs.append((await bench.level(AT_ONCE, 1 if QUICK else 2, tokens=tokens)).cost_each)
    return (costs[1] - costs[0]) / (LONG_ANSWER - 60) * 1000


async def _kilobytes(bench: Bench) -> float:
    """Memory of one idle, welcomed socket."""
    await visitors.close_visitors(await visitors.open_visitors(bench.address, 100))
    await asyncio.sleep(SETTLE_SECONDS)
    before = bench.processes.kilobytes("web")
    opened = await visitors.open_visitors(bench.address, SOCKETS)
    await asyncio.sleep(SETTLE_SECONDS)
    grown = bench.processes.kilobytes("web") - before
    await visitors.close_visitors(opened)
    return grown / SOCKETS


def _percentile(values: Sequence[float], percent: int) -> float:
    if len(values) < 2:
        return float("inf")
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def report(measured: Measured) -> None:
    for name, levels in (("floor", measured.floor), ("ours", measured.ours)):
        print(f"{name:5}  at once  chats  errors  added p50  added p95  end p50   CPU a chat  of which (ms)")
        for at_once, level in levels.items():
            whole = _percentile([asked.end for asked in level.done], 50)
            parts = {part: round(spent / max(1, len(level.done)), 1) for part, spent in level.cost.items()}
            print(
                f"{'':5}  {at_once:7}  {len(level.done):5}  {level.errors:6}  {level.added(50):9.1f}"
                f"  {level.added(95):9.1f}  {whole:7.0f}  {level.cost_each:11.1f}  {parts}"
            )
            for error in {asked.error for asked in level.asked if asked.error}:
                print(f"       {error}")
    per_second = len(measured.instant.done) / (sum(measured.instant.cost.values()) / 1000)
    print(f"instant provider: {per_second:.1f} chats a processor second, {measured.instant.errors} errors")
    print(f"processor milliseconds for 1,000 tokens relayed: {_rounded(measured.relay)}")
    print(f"kilobytes of an idle socket: {_rounded(measured.kilobytes)}")
    print(json.dumps(figures(measured)))


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 1) for name, value in values.items()}


def figures(measured: Measured) -> dict[str, float]:
    ours = measured.ours
    asked = [asked for level in (*ours.values(), measured.instant) for asked in level.asked]
    levels: dict[str, float] = {
        f"added_p50_{at}": round(ours[at].added(50), 1) for at in (1, 50, 100) if at in ours
    }
    return {
        "cpu_ms_per_chat_50": round(ours[50].cost_each, 1),
        **levels,
        "relay_over_floor": round(measured.relay["ours"] / measured.relay["floor"], 2),
        "kb_per_socket": round(measured.kilobytes["ours"], 1),
        "lost": sum(one.lost for one in asked),
        "doubled": sum(one.doubled for one in asked),
        "errors_200": ours[max(ours)].errors,
    }


if __name__ == "__main__":
    main()
