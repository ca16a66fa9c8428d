"""Documents are read by forks of one child, which is replaced when it is gone."""

from __future__ import annotations

import gzip
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from knowledge.parsing.archive import Unpacked
from knowledge.parsing.errors import DocumentTooLarge, ParserStopped
from knowledge.parsing.limits import Limits
from knowledge.parsing.sandbox import Parsers, list_apart, parse_apart, unpack_apart
from knowledge.parsing.sitemap import Listed, NoAddresses
from tests.knowledge import files


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


def test_archives_and_sitemaps_are_opened_in_the_child_alone(
    parsers: Parsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_named: object) -> None:
        raise AssertionError("It was opened in this process.")

    read("first")
    packed = files.archive(
        {"a.txt": b"We open at nine.", "b.png": b"\x89PNG\r\n\x1a\n", "leer.md": b"x" * 40}
    )
    for opener in ("zipfile.ZipFile", "zlib.decompressobj", "defusedxml.ElementTree.fromstring"):
        monkeypatch.setattr(opener, fail)

    assert unpack_apart(packed, largest=30) == Unpacked({"a.txt": b"We open at nine."}, ["b.png", "leer.md"])
    assert list_apart(LISTED) == Listed(is_index=False, addresses=["https://a.example/"])
    assert list_apart(gzip.compress(LISTED)).addresses == ["https://a.example/"]


LISTED = b"<urlset><url><loc>https://a.example/</loc></url></urlset>"


def test_a_bomb_in_an_archive_or_a_sitemap_stops_its_own_reader_only(parsers: Parsers) -> None:
    read("first")
    child = pid_of(parsers)
    little = Limits(memory=300 * 1024 * 1024)
    thin = b"".join(
        os.urandom(60).hex().encode() + b" " * 12_000 for _ in range(1300)
    )  # packs to a hundredth

    with pytest.raises(ParserStopped):
        list_apart(b"http://a.example/ " * 3_000_000, limits=little)
    with pytest.raises(ParserStopped):
        unpack_apart(files.archive({f"{n}.txt": thin for n in range(12)}), largest=len(thin), limits=little)
    with pytest.raises(NoAddresses, match="50 MB"):
        list_apart(gzip.compress(bytes(60_000_000)))
    with pytest.raises(DocumentTooLarge):
        unpack_apart(files.archive({f"{n}.txt": b"x" for n in range(501)}), largest=1000)

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
