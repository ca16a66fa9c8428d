"""Documents are read by forks of one child, which is replaced when it is gone."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from knowledge.parsing.errors import ParserStopped
from knowledge.parsing.limits import Limits
from knowledge.parsing.sandbox import Parsers, parse_apart


@pytest.fixture
def parsers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Parsers]:
    parsers = Parsers()
    monkeypatch.setattr("knowledge.parsing.sandbox._parsers", parsers)
    yield parsers
    parsers.close()


def read(text: str) -> str:
    return parse_apart(text.encode(), name="a.txt").blocks[0].text


def pid_of(parsers: Parsers) -> int:
    assert parsers._child is not None
    return parsers._child.pid


def test_one_child_reads_all_documents_also_at_the_same_time(parsers: Parsers) -> None:
    texts = [f"Parcel {number} weighs {number} kilos." for number in range(40)]
    read("first")
    child = pid_of(parsers)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, texts)) == texts

    assert pid_of(parsers) == child


def test_a_child_that_was_killed_is_replaced_for_the_next_document(parsers: Parsers) -> None:
    read("first")
    os.kill(pid_of(parsers), signal.SIGKILL)

    assert read("second") == "second"


def test_a_document_that_stops_its_reader_stops_no_other(parsers: Parsers) -> None:
    read("first")
    child = pid_of(parsers)

    with pytest.raises(ParserStopped):
        parse_apart(b"word " * 20_000_000, limits=Limits(memory=300 * 1024 * 1024))

    assert read("second") == "second"
    assert pid_of(parsers) == child


def test_the_child_knows_no_secret_and_ends_with_its_parents_socket(
    parsers: Parsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETVEXA_SECRET_KEY", "canary-of-the-environment")
    read("first")
    child = pid_of(parsers)

    assert b"canary" not in Path(f"/proc/{child}/environ").read_bytes()
    parsers.close()

    assert not Path(f"/proc/{child}").exists()


def test_a_fork_of_this_process_has_a_child_of_its_own(parsers: Parsers) -> None:
    read("first")
    if (pid := os.fork()) == 0:
        status = 1
        try:
            status = int(read("in the fork") != "in the fork" or parsers._owner != os.getpid())
            parsers.close()
        finally:
            os._exit(status)

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert read("second") == "second"
