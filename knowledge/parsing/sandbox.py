"""Parsing in a process of its own, with limits: a hostile or broken file kills that process and nothing else.

The child gets the bytes on standard input and answers with JSON (never a pickle: what parsed a hostile file
is not trusted). It sees no environment variables, so no keys, writes no files, and dies with its parent.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from knowledge.blocks import Block, BlockKind, ParsedDocument
from knowledge.parsing import parse
from knowledge.parsing.errors import ParseError, ParserStopped, by_code
from knowledge.parsing.limits import Limits
from knowledge.parsing.selecting import Selectors

PROJECT = Path(__file__).resolve().parent.parent.parent
_PR_SET_PDEATHSIG = 1


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
    job = json.dumps(
        {
            "name": name,
            "charset": charset,
            "limits": asdict(limits),
            "selectors": asdict(selectors or Selectors()),
        }
    )
    try:
        done = subprocess.run(
            [sys.executable, "-m", "knowledge.parsing.sandbox", job],
            input=data,
            capture_output=True,
            timeout=limits.seconds,
            check=False,
            cwd=PROJECT,
            env={"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
        )
    except subprocess.TimeoutExpired:
        raise ParserStopped from None
    if done.returncode != 0:
        raise ParserStopped
    return _read_answer(done.stdout)


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


def _answer(parsed: ParsedDocument) -> dict[str, Any]:
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
        "blocks": rows,
    }


def _confine(limits: Limits) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    for kind, most in (
        (resource.RLIMIT_AS, limits.memory),
        (resource.RLIMIT_CPU, limits.seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    os.nice(5)


def main() -> int:
    job = json.loads(sys.argv[1])
    limits, selectors = Limits(**job["limits"]), Selectors(**job["selectors"])
    _confine(limits)
    try:
        answer = _answer(
            parse(
                sys.stdin.buffer.read(),
                name=job["name"],
                charset=job["charset"],
                limits=limits,
                selectors=selectors,
            )
        )
    except ParseError as error:
        answer = {"error": error.code, "detail": error.detail}
    except MemoryError:
        return 1
    except Exception:  # the edge of this process: whatever a library raised, the document could not be read
        answer = {"error": ParseError.code, "detail": ParseError.default_detail}
    sys.stdout.write(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
