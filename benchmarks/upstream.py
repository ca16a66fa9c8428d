"""A fake model provider that costs next to nothing: OpenAI's chat completions over raw sockets.

Run as `python -m benchmarks.upstream PORT`. `GET /_set?first_ms=200&per_second=50&tokens=60` changes its pace;
`per_second=0` writes the whole answer at once. The answer's words are the same every time (`answer_words`).
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

WORDS = (
    *("the", "agent", "reads", "your", "document", "and", "answers", "with", "the", "part", "that", "fits"),
    *("best", "so", "a", "customer", "need", "not", "wait", "for", "a", "person", "to", "look", "it", "up"),
)
HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n"
)


@dataclass
class Pace:
    """How the provider answers: milliseconds to the first token, tokens a second, tokens in all."""

    first_ms: int = 200
    per_second: int = 50
    tokens: int = 60


PACE = Pace()


def answer_words(tokens: int) -> list[str]:
    """The words of an answer, each sent as one token with a space behind it."""
    return [WORDS[number % len(WORDS)] for number in range(tokens)]


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _event(*choices: object, **more: object) -> bytes:
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "fake"}
    text = json.dumps({**base, "choices": choices, **more}, separators=(",", ":"))
    return _chunk(f"data: {text}\n\n".encode())


def _delta(delta: dict[str, str], finish: str | None = None) -> bytes:
    return _event({"index": 0, "delta": delta, "finish_reason": finish})


ROLE = _delta({"role": "assistant", "content": ""})
TOKENS = [_delta({"content": f"{word} "}) for word in WORDS]


def _tail(tokens: int) -> bytes:
    usage = {"prompt_tokens": 900, "completion_tokens": tokens, "total_tokens": 900 + tokens}
    return _delta({}, "stop") + _event(usage=usage) + _chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"


class Provider(asyncio.Protocol):
    """One connection: a request, its answer, the next request."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.read = b""
        self.transport: asyncio.Transport
        self.timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, _error: Exception | None) -> None:
        if self.timer is not None:
            self.timer.cancel()

    def data_received(self, data: bytes) -> None:
        self.read += data
        head, found, rest = self.read.partition(b"\r\n\r\n")
        if not found or len(rest) < _length(head):
            return
        self.read = rest[_length(head) :]
        target = head.split(b" ", 2)[1].decode()
        if target.startswith("/_set"):
            _set_pace(target)
            self.transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        else:
            self._answer()

    def _answer(self) -> None:
        self.transport.write(HEAD + ROLE)
        self.tokens, self.sent = PACE.tokens, 0
        self.begun = self.loop.time() + PACE.first_ms / 1000
        if PACE.per_second:
            self.timer = self.loop.call_at(self.begun, self._next)
        else:
            self.timer = self.loop.call_at(self.begun, self._all)

    def _next(self) -> None:
        self.transport.write(TOKENS[self.sent % len(TOKENS)])
        self.sent += 1
        if self.sent < self.tokens:
            self.timer = self.loop.call_at(self.begun + self.sent / PACE.per_second, self._next)
        else:
            self.transport.write(_tail(self.tokens))

    def _all(self) -> None:
        tokens = b"".join(TOKENS[number % len(TOKENS)] for number in range(self.tokens))
        self.transport.write(tokens + _tail(self.tokens))


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _set_pace(target: str) -> None:
    for name, value in parse_qsl(urlsplit(target).query):
        setattr(PACE, name, int(value))


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Provider, "127.0.0.1", port, backlog=4096)
    gc.freeze()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
