"""Visitors who ask at once, each the next question when the last is answered, over real sockets."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

PATIENCE_SECONDS = 60.0
OPENED_AT_ONCE = 40


@dataclass(frozen=True)
class Address:
    """A socket's address; `host` is the name that the server sees, `port` is on loopback."""

    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        return f"ws://{self.host}:{self.port}{self.path}"


@dataclass
class Asked:
    """One question: milliseconds to the first token and to the end, and what was wrong with the frames."""

    first: float = 0.0
    end: float = 0.0
    lost: int = 0
    doubled: int = 0
    error: str = ""


@dataclass
class Visitor:
    """One open socket and the number of the last frame it was shown."""

    socket: ClientConnection
    seq: int = 0
    asked: list[Asked] = field(default_factory=list)

    async def ask(self, question: str, *, words: list[str]) -> Asked:
        """Ask, and read to the end of the answer, which is to be `words`."""
        asked = Asked()
        self.asked.append(asked)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._ask(question, words, asked)
        except (WebSocketException, OSError, TimeoutError) as error:
            asked.error = f"{type(error).__name__}: {error}"
        return asked

    async def _ask(self, question: str, words: list[str], asked: Asked) -> None:
        begun, text = time.perf_counter(), ""
        frame = {"type": "message", "client_id": str(uuid4()), "text": question}
        await self.socket.send(json.dumps(frame))
        while True:
            frame = json.loads(await self.socket.recv())
            self._check_number(frame.get("seq"), asked)
            if frame["type"] == "token":
                asked.first = asked.first or (time.perf_counter() - begun) * 1000
                text += frame["text"]
            elif frame["type"] == "error":
                asked.error = str(frame)
                return
            elif frame["type"] == "end":
                break
        asked.end = (time.perf_counter() - begun) * 1000
        _check_words(text.split(), frame.get("text", text).split(), words, asked)

    def _check_number(self, seq: object, asked: Asked) -> None:
        """Frames are numbered without a gap."""
        if not isinstance(seq, int):
            return
        asked.lost += max(0, seq - self.seq - 1)
        asked.doubled += seq <= self.seq
        self.seq = max(self.seq, seq)


def _check_words(shown: list[str], whole: list[str], expected: list[str], asked: Asked) -> None:
    """The pieces, the whole answer and what the provider said are one and the same text."""
    for said in (shown, whole):
        asked.lost += max(0, len(expected) - len(said))
        asked.doubled += max(0, len(said) - len(expected))
        if len(said) == len(expected) and said != expected:
            asked.error = asked.error or "the answer is not what the provider said"


async def open_visitor(address: Address, *, source: str = "127.0.0.1") -> Visitor:
    """A socket that was welcomed. `source` is the loopback address it comes from."""
    socket = await connect(
        address.url,
        host="127.0.0.1",
        port=address.port,
        local_addr=(source, 0),
        open_timeout=PATIENCE_SECONDS,
        ping_interval=None,
        compression=None,
        proxy=None,
    )
    await socket.send('{"type":"hello"}')
    welcome = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_SECONDS))
    if welcome["type"] != "welcome":
        sys.exit(f"The server does not say welcome: {welcome}")
    return Visitor(socket, seq=welcome["seq"])


async def open_visitors(address: Address, number: int) -> list[Visitor]:
    """Many sockets, from as many loopback addresses as the number of ports of one asks for."""
    visitors: list[Visitor] = []
    while len(visitors) < number:
        opened = range(len(visitors), min(number, len(visitors) + OPENED_AT_ONCE))
        visitors += await asyncio.gather(
            *(open_visitor(address, source=f"127.0.{n // 1000}.{n // 100 % 10 + 1}") for n in opened)
        )
    return visitors


async def close_visitors(visitors: list[Visitor]) -> None:
    for start in range(0, len(visitors), 200):
        await asyncio.gather(*(visitor.socket.close() for visitor in visitors[start : start + 200]))


async def ask_all(
    visitors: list[Visitor], questions: Iterator[str], *, each: int, words: list[str]
) -> list[Asked]:
    """Everybody asks `each` questions, all beginning at once."""
    await asyncio.gather(*(_ask_some(visitor, questions, each, words) for visitor in visitors))
    return [asked for visitor in visitors for asked in visitor.asked]


async def _ask_some(visitor: Visitor, questions: Iterator[str], each: int, words: list[str]) -> None:
    for _ in range(each):
        await visitor.ask(next(questions), words=words)
