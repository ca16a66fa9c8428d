"""Parsing and unpacking in a process of its own, with limits: a hostile or broken file kills that and nothing else.

What parses is a fork of one small process (`parsing.child`) that this one keeps: to start Python and import the
parsers anew takes longer than most documents take to be read.
"""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from knowledge.blocks import Block, BlockKind, ParsedDocument
from knowledge.parsing.archive import MAX_FILES, MAX_TOTAL, Unpacked
from knowledge.parsing.child import TAKEN
from knowledge.parsing.errors import ParserStopped, by_code
from knowledge.parsing.limits import Limits
from knowledge.parsing.scan import Scan
from knowledge.parsing.selecting import Selectors
from knowledge.parsing.sitemap import Listed

PROJECT = Path(__file__).resolve().parent.parent.parent
STARTS = 3  # of a child that ended before it took a document
SLACK_SECONDS = 5  # beyond the limits, which the child keeps by itself


class Parsers:
    """The child of this process. A fork of this process starts its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._owner = 0

    def job(self) -> socket.socket:
        """A socket to a fork that waits for one document. Raises ParserStopped where none can be had."""
        with self._lock:
            for _ in range(STARTS):
                if self._owner != os.getpid():
                    self._start()
                if (mine := self._ask()) is not None:
                    return mine
                self._end()
        raise ParserStopped

    def close(self) -> None:
        """End the child, and wait until it has ended."""
        with self._lock:
            self._end()

    def _start(self) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "knowledge.parsing.child"],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=PROJECT,
                env={"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
            )
        self._owner = os.getpid()

    def _ask(self) -> socket.socket | None:
        assert self._control is not None  # noqa: S101  narrows the type: it was started
        mine, theirs = socket.socketpair()
        try:
            with theirs:
                socket.send_fds(self._control, [b"j"], [theirs.fileno()])
            if mine.recv(1) == TAKEN:
                return mine
        except OSError:
            pass
        mine.close()
        return None

    def _end(self) -> None:
        if self._owner == os.getpid() and self._control is not None and self._child is not None:
            self._control.close()
            self._child.wait()
        self._owner = 0


_parsers = Parsers()
close = _parsers.close
atexit.register(close)


def parse_apart(
    data: bytes,
    *,
    name: str = "",
    charset: str = "",
    limits: Limits | None = None,
    selectors: Selectors | None = None,
    sheets: Mapping[str, str] | None = None,
    scan: Scan | None = None,
) -> ParsedDocument:
    """As `parsing.parse`, in a limited process. Raises ParseError; ParserStopped when the limits were hit.

    A page of a scan that stops that process is left out, and the others are read.
    """
    chosen = asdict(selectors or Selectors())
    order = {"name": name, "charset": charset, "selectors": chosen, "sheets": dict(sheets or {})}
    scan = scan or Scan()
    while True:
        try:
            with _answer("parse", data, limits=limits, scan=scan, known=scan.known, **order) as (read, _):
                return _parsed(read)
        except ParserStopped:
            if not scan.goes_on_without():
                raise


def _parsed(read: dict[str, Any]) -> ParsedDocument:
    blocks = tuple(Block(BlockKind(kind), *rest) for kind, *rest in read.pop("blocks"))
    read |= {name: tuple(read[name]) for name in ("notes", "links", "sheets", "targets", "left")}
    return ParsedDocument(**read, blocks=blocks)


def unpack_apart(data: bytes, *, largest: int, limits: Limits | None = None) -> Unpacked:
    """As `archive.unpack`, in a limited process. Raises ParseError; ParserStopped when the limits were hit."""
    with _answer("unpack", data, limits=limits, largest=largest) as (told, rest):
        sizes = [size for _, size in told["members"]]
        if len(sizes) > MAX_FILES or min(sizes, default=0) < 0 or sum(sizes) > MAX_TOTAL:
            raise ParserStopped  # what unpacked a hostile file is not trusted
        members = {path: rest.read(size) for path, size in told["members"]}
        if sum(map(len, members.values())) < sum(sizes):
            raise ParserStopped
        return Unpacked(members, told["skipped"])


def list_apart(data: bytes, *, limits: Limits | None = None) -> Listed:
    """As `sitemap.read`, in a limited process. Raises ParseError; ParserStopped when the limits were hit."""
    with _answer("sitemap", data, limits=limits) as (listed, _):
        return Listed(**listed)


@contextmanager
def _answer(
    task: str, data: bytes, *, limits: Limits | None, scan: Scan | None = None, **order: object
) -> Iterator[tuple[dict[str, Any], BinaryIO]]:
    """What a fork of the child says of the data, and the bytes that follow it."""
    limits = limits or Limits()
    with _parsers.job() as job:
        job.settimeout(limits.seconds + SLACK_SECONDS)
        try:
            job.sendall(json.dumps({"task": task, "limits": asdict(limits), **order}).encode() + b"\n")
            job.sendall(data)
            job.shutdown(socket.SHUT_WR)
            with job.makefile("rb") as answer:
                yield _told(answer, scan or Scan()), answer
        except OSError:
            raise ParserStopped from None


def _told(answer: BinaryIO, scan: Scan) -> dict[str, Any]:
    """What it says at last; the scan hears of the pages before."""
    while True:
        try:
            told: dict[str, Any] = json.loads(answer.readline())
        except ValueError:
            raise ParserStopped from None
        match told:
            case {"begins": int(page), "of": int(pages)}:
                scan.begins(page, of=pages)
            case {"ends": int(page), "read": str() | None as read}:
                scan.ends(page, read)
            case _:
                break
    if "error" in told:
        raise by_code(told["error"])(told["detail"])
    return told
