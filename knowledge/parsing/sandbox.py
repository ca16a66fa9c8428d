"""Parsing in a process of its own, with limits: a hostile or broken file kills that process and nothing else.

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
from dataclasses import asdict
from pathlib import Path
from typing import Any

from knowledge.blocks import Block, BlockKind, ParsedDocument
from knowledge.parsing.child import TAKEN
from knowledge.parsing.errors import ParserStopped, by_code
from knowledge.parsing.limits import Limits
from knowledge.parsing.selecting import Selectors

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
) -> ParsedDocument:
    """As `parsing.parse`, in a limited process. Raises ParseError; ParserStopped when the limits were hit."""
    limits = limits or Limits()
    order = {
        "name": name,
        "charset": charset,
        "limits": asdict(limits),
        "selectors": asdict(selectors or Selectors()),
    }
    with _parsers.job() as job:
        job.settimeout(limits.seconds + SLACK_SECONDS)
        try:
            job.sendall(json.dumps(order).encode() + b"\n")
            job.sendall(data)
            job.shutdown(socket.SHUT_WR)
            with job.makefile("rb") as answer:
                return _read_answer(answer.read())
        except OSError:
            raise ParserStopped from None


def _read_answer(answer: bytes) -> ParsedDocument:
    try:
        read: dict[str, Any] = json.loads(answer)
    except ValueError:
        raise ParserStopped from None
    if "error" in read:
        raise by_code(read["error"])(read["detail"])
    blocks = tuple(Block(BlockKind(kind), *rest) for kind, *rest in read.pop("blocks"))
    return ParsedDocument(
        **{**read, "blocks": blocks, "notes": tuple(read["notes"]), "links": tuple(read["links"])}
    )
