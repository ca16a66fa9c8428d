"""The process that parses and unpacks for another: everything is imported once, and each document is read by a fork of
its own.

It is started by `parsing.sandbox` with a socket as standard input, and gets one more socket through it for every
document. A fork takes the job from that and answers with a line of JSON, which bytes may follow (never a pickle: what
parsed a hostile file is not trusted). Before it stand two lines for each picture of text that it reads: that it begins,
and what it gave. Its limits are its own; it sees no environment variables, so no keys, writes no
files, and dies with its parent.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict
from importlib import import_module
from typing import Any, BinaryIO

from knowledge.blocks import ParsedDocument
from knowledge.language import guess_language
from knowledge.parsing import parse
from knowledge.parsing.archive import unpack
from knowledge.parsing.errors import ParseError
from knowledge.parsing.limits import Limits
from knowledge.parsing.scan import Scan
from knowledge.parsing.selecting import Selectors
from knowledge.parsing.sitemap import read

Answer = tuple[dict[str, Any], Iterable[bytes]]

IDLE_SECONDS = 300  # after so long without a document it ends, and the next one starts another
TAKEN = b"+"
_PR_SET_PDEATHSIG = 1
_COMMON = ("html", "markdown", "text", "pdf")  # formats whose libraries are worth having in memory


def serve(control: socket.socket) -> None:
    """Fork for every socket that comes, until nobody is there to send one."""
    control.settimeout(IDLE_SECONDS)
    while True:
        try:
            said, sockets, _, _ = socket.recv_fds(control, 1, 1)
        except TimeoutError:
            said, sockets = b"", []
        _reap()
        if not said:
            return
        with socket.socket(fileno=sockets[0]) as job:
            if os.fork() == 0:
                control.close()
                _work(job)
            job.sendall(TAKEN)


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _work(job: socket.socket) -> None:
    """Read one document and end; whatever happens, nothing goes back into the loop."""
    status = 1
    try:
        with job.makefile("rb") as given, job.makefile("wb") as answer:
            order = json.loads(given.readline())
            _confine(Limits(**order["limits"]))
            said, rest = _answer(order, given.read(), answer)
            _say(answer, said)
            answer.writelines(rest)
        status = 0
    finally:
        os._exit(status)


def _say(answer: BinaryIO, said: dict[str, Any]) -> None:
    answer.write(json.dumps(said).encode() + b"\n")
    answer.flush()


def _answer(order: dict[str, Any], data: bytes, answer: BinaryIO) -> Answer:
    try:
        return _TASKS[order["task"]](order, data, answer)
    except ParseError as error:
        return {"error": error.code, "detail": error.detail}, ()
    except MemoryError:
        raise
    except Exception:  # the edge of this process: whatever a library raised, the document could not be read
        return {"error": ParseError.code, "detail": ParseError.default_detail}, ()


class _ToldScan(Scan):
    """Tells of each page at once, and is ended by a page that takes too long."""

    def __init__(self, answer: BinaryIO, limits: Limits, known: dict[int, str | None]) -> None:
        super().__init__(known)
        self._answer, self._seconds = answer, limits.page_seconds

    def begins(self, page: int, *, of: int) -> None:
        _say(self._answer, {"begins": page, "of": of})
        signal.setitimer(signal.ITIMER_PROF, self._seconds or 0.001)  # SIGPROF ends the process

    def ends(self, page: int, read: str | None) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        super().ends(page, read)
        _say(self._answer, {"ends": page, "read": read})


def _parse(order: dict[str, Any], data: bytes, answer: BinaryIO) -> Answer:
    limits = Limits(**order["limits"])
    known = {int(page): read for page, read in order["known"].items()}
    parsed = parse(
        data,
        name=order["name"],
        charset=order["charset"],
        limits=limits,
        selectors=Selectors(**order["selectors"]),
        sheets=order["sheets"],
        scan=_ToldScan(answer, limits, known),
    )
    return _as_json(parsed), ()


def _unpack(order: dict[str, Any], data: bytes, _answer: BinaryIO) -> Answer:
    found = unpack(data, largest=order["largest"])
    sizes = [(path, len(content)) for path, content in found.members.items()]
    return {"members": sizes, "skipped": found.skipped}, found.members.values()


def _list(_order: dict[str, Any], data: bytes, _answer: BinaryIO) -> Answer:
    return asdict(read(data)), ()


_TASKS: dict[str, Callable[[dict[str, Any], bytes, BinaryIO], Answer]] = {
    "parse": _parse,
    "unpack": _unpack,
    "sitemap": _list,
}


def _as_json(parsed: ParsedDocument) -> dict[str, Any]:
    rows = [
        (block.kind, block.text, block.level, block.page, block.page_label, block.anchor, block.alone)
        for block in parsed.blocks
    ]
    return {
        "title": parsed.title,
        "language": parsed.language,
        "media_type": parsed.media_type,
        "pages": parsed.pages,
        "notes": parsed.notes,
        "hidden": parsed.hidden,
        "links": parsed.links,
        "canonical": parsed.canonical,
        "sheets": parsed.sheets,
        "targets": parsed.targets,
        "left": parsed.left,
        "blocks": rows,
    }


def _confine(limits: Limits) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.setitimer(signal.ITIMER_REAL, limits.seconds or 0.001)  # SIGALRM ends the process
    for kind, most in (
        (resource.RLIMIT_AS, limits.memory),
        (resource.RLIMIT_CPU, limits.seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    os.nice(5)


if __name__ == "__main__":
    for name in _COMMON:
        import_module(f"knowledge.parsing.{name}")
    guess_language("Its model is loaded.")
    with socket.socket(fileno=sys.stdin.fileno()) as waiting:
        serve(waiting)
