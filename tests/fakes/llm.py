"""A fake of three vendors that speaks their real wire: OpenAI chat completions, Anthropic messages, Gemini.

One ASGI application for all three; what it does is set per model name (`fake.behaves("gpt-x", cut_after=4)`),
and what came in is kept (`fake.requests`), with how each request ended as the server saw it. Shapes follow
the vendors' SDK types and documentation; they are no recordings.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

import uvicorn

Json = dict[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
End = Literal["open", "finished", "aborted", "cut", "truncated", "refused"]

CONTEXT_MESSAGES = {
    "openai": "This model's maximum context length is 8192 tokens, your messages resulted in 9000.",
    "anthropic": "prompt is too long: 210000 tokens > 200000 maximum",
    "google": "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
}


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """What the fake does for a model. Positions count words; None is never. Times are in seconds."""

    words: int = 20
    status: int = 200
    message: str = "fake"
    retry_after: float | str | None = None  # seconds, or whatever stands in the header
    failures: int | None = None  # only this many requests get `status`
    cut_after: int | None = None  # the connection breaks
    truncate_after: int | None = None  # the stream ends politely, but early
    malformed_at: int | None = None
    error_event_at: int | None = None
    error_event: Json | None = None  # instead of one that says that the vendor is overloaded
    stall_at: int | None = None
    first_token_after: float = 0.0
    gap: float = 0.0
    input_tokens: int = 100
    reports_usage: bool = True
    like_others: bool = (
        False  # OpenAI's wire as some compatible servers speak it: totals with each word, own words
    )
    ignores_max_tokens: bool = False
    refuses: bool = False  # the vendor's content filter
    says: str = ""  # instead of word0 word1 ..., a word at a time
    obeys: bool = False  # says what stands behind SAY: in anything it is given, as a gullible model would


@dataclass
class Request:
    """One request as the server saw it."""

    provider: str
    model: str
    body: Json
    headers: dict[str, str]
    max_tokens: int | None
    end: End = "open"
    words_sent: int = 0


@dataclass
class FakeLLM:
    """The fake itself; `url` is where it listens once it runs."""

    url: str = ""
    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    _names: Iterator[int] = field(default_factory=count)

    def behaves(self, model: str = "", **settings: Any) -> str:
        """Set what a model does and return its name; without one, a new name."""
        name = model or f"fake-{next(self._names)}"
        self.behaviours[name] = Behaviour(**settings)
        return name

    def requests_to(self, model: str) -> list[Request]:
        return [request for request in self.requests if request.model == model]

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        body = await _read_body(receive)
        request = _parse(scope, body)
        self.requests.append(request)
        behaviour = self.behaviours.get(request.model, Behaviour())
        earlier = len(self.requests_to(request.model)) - 1
        if behaviour.status != 200 and (behaviour.failures is None or earlier < behaviour.failures):
            await asyncio.sleep(behaviour.first_token_after)
            request.end = "refused"
            await _refuse(request, behaviour, send)
            return
        gone = asyncio.create_task(_disconnected(receive))
        try:
            await _answer(request, behaviour, gone, send)
        finally:
            gone.cancel()


async def _read_body(receive: Receive) -> Json:
    raw = b""
    while True:
        message = await receive()
        raw += message.get("body", b"")
        if not message.get("more_body"):
            return json.loads(raw or b"{}")  # type: ignore[no-any-return]


def _parse(scope: MutableMapping[str, Any], body: Json) -> Request:
    path = scope["path"]
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    if path.endswith("/chat/completions"):
        most = body.get("max_completion_tokens") or body.get("max_tokens")
        return Request("openai", body["model"], body, headers, most)
    if path.endswith("/messages"):
        return Request("anthropic", body["model"], body, headers, body["max_tokens"])
    found = re.search(r"/models/([^:]+):streamGenerateContent$", path)
    assert found, f"the fake has no route {path}"
    most = body.get("generationConfig", {}).get("maxOutputTokens")
    return Request("google", found[1], body, headers, most)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _refuse(request: Request, behaviour: Behaviour, send: Send) -> None:
    headers = [(b"content-type", b"application/json")]
    if behaviour.retry_after is not None:
        headers.append((b"retry-after", str(behaviour.retry_after).encode()))
    await send({"type": "http.response.start", "status": behaviour.status, "headers": headers})
    body = _error(request.provider, behaviour.status, behaviour.message)
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


def _error(provider: str, status: int, message: str) -> Json:
    if provider == "anthropic":
        kinds = {400: "invalid_request_error", 401: "authentication_error", 404: "not_found_error"}
        kinds |= {429: "rate_limit_error", 529: "overloaded_error"}
        return {"type": "error", "error": {"type": kinds.get(status, "api_error"), "message": message}}
    if provider == "google":
        states = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 404: "NOT_FOUND"}
        states |= {429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}
        return {"error": {"code": status, "message": message, "status": states.get(status, "INTERNAL")}}
    kind = (
        "rate_limit_exceeded"
        if status == 429
        else "invalid_request_error"
        if status < 500
        else "server_error"
    )
    code = "context_length_exceeded" if "context length" in message else None
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


async def _answer(request: Request, behaviour: Behaviour, gone: asyncio.Task[None], send: Send) -> None:
    headers = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await _pause(behaviour.first_token_after, gone)
    for is_word, chunk in _chunks(request, behaviour):
        if is_word:
            if request.words_sent == behaviour.cut_after:
                request.end = "cut"
                return  # uvicorn closes the connection in the middle of the body
            if request.words_sent == behaviour.truncate_after:
                request.end = "truncated"
                break
            await _pause(60.0 if request.words_sent == behaviour.stall_at else behaviour.gap, gone)
            chunk = _spoilt(request, behaviour, chunk)
            request.words_sent += 1
        if gone.done():
            request.end = "aborted"
            return
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    if request.end == "open":
        request.end = "finished"
    await send({"type": "http.response.body", "body": b""})


async def _pause(seconds: float, gone: asyncio.Task[None]) -> None:
    """Wait, or less where the client goes away. Also without a wait, let the loop see that it did."""
    if seconds:
        await asyncio.wait({gone}, timeout=seconds)
    else:
        await asyncio.sleep(0)


def _spoilt(request: Request, behaviour: Behaviour, chunk: bytes) -> bytes:
    if request.words_sent == behaviour.malformed_at:
        return chunk[: len(chunk) // 2] + b"\n\n"
    if request.words_sent == behaviour.error_event_at:
        return _sse(
            behaviour.error_event
            or _error(request.provider, 529 if request.provider == "anthropic" else 503, "fake"),
            "error",
        )
    return chunk


def _sse(data: Json | str, event: str = "") -> bytes:
    text = data if isinstance(data, str) else json.dumps(data, separators=(",", ":"))
    return ((f"event: {event}\n" if event else "") + f"data: {text}\n\n").encode()


def _chunks(request: Request, behaviour: Behaviour) -> Iterator[tuple[bool, bytes]]:
    """Yield the stream's events, each with whether it is a word of the answer."""
    all_words = _words(request, behaviour)
    most = None if behaviour.ignores_max_tokens else request.max_tokens
    words = all_words[: most or None]
    capped = len(words) < len(all_words)
    speak = {"openai": _openai, "anthropic": _anthropic, "google": _google}[request.provider]
    return speak(request, behaviour, words, capped)


def _words(request: Request, behaviour: Behaviour) -> list[str]:
    ordered = re.search(r"SAY: (.+?)(?:\\n|\"|$)", json.dumps(request.body)) if behaviour.obeys else None
    if said := ordered[1] if ordered else behaviour.says:
        return re.findall(r"\s*\S+\s*|\s+", said)
    return [f"word{i} " for i in range(behaviour.words)]


def _openai(
    request: Request, behaviour: Behaviour, words: list[str], capped: bool
) -> Iterator[tuple[bool, bytes]]:
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": request.model}

    def chunk(delta: Json, finish: str | None = None, **more: Any) -> bytes:
        return _sse({**base, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more})

    yield False, chunk({"role": "assistant", "content": ""})
    for number, word in enumerate(words, start=1):
        so_far: Json = {"prompt_tokens": behaviour.input_tokens, "completion_tokens": number}
        more: Json = {"usage": so_far} if behaviour.like_others else {}
        yield True, chunk({"content": word}, None, **more)
    ended = "eos" if behaviour.like_others else "stop"
    yield False, chunk({}, "content_filter" if behaviour.refuses else "length" if capped else ended)
    if behaviour.reports_usage and (request.body.get("stream_options") or {}).get("include_usage"):
        usage = {
            "prompt_tokens": behaviour.input_tokens,
            "completion_tokens": len(words),
            "total_tokens": behaviour.input_tokens + len(words),
            "prompt_tokens_details": {"cached_tokens": 10},
        }
        yield False, _sse({**base, "choices": [], "usage": usage})
    yield False, _sse("[DONE]")


def _anthropic(
    request: Request, behaviour: Behaviour, words: list[str], capped: bool
) -> Iterator[tuple[bool, bytes]]:
    reads = {"input_tokens": behaviour.input_tokens - 10, "cache_read_input_tokens": 10}
    message: Json = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [],
        "model": request.model,
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {**reads, "output_tokens": 1} if behaviour.reports_usage else {},
    }

    def event(kind: str, **data: Any) -> bytes:
        return _sse({"type": kind, **data}, kind)

    yield False, event("message_start", message=message)
    yield False, event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    yield False, event("ping")
    for word in words:
        yield True, event("content_block_delta", index=0, delta={"type": "text_delta", "text": word})
    yield False, event("content_block_stop", index=0)
    reason = "refusal" if behaviour.refuses else "max_tokens" if capped else "end_turn"
    usage = {**reads, "output_tokens": len(words)} if behaviour.reports_usage else {}
    yield False, event("message_delta", delta={"stop_reason": reason, "stop_sequence": None}, usage=usage)
    yield False, event("message_stop")


def _google(
    request: Request, behaviour: Behaviour, words: list[str], capped: bool
) -> Iterator[tuple[bool, bytes]]:
    for i, text in enumerate(words or [""]):
        candidate: Json = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
        if i >= len(words) - 1:
            candidate["finishReason"] = "SAFETY" if behaviour.refuses else "MAX_TOKENS" if capped else "STOP"
        event: Json = {"candidates": [candidate], "modelVersion": request.model, "responseId": "r1"}
        if behaviour.reports_usage:
            event["usageMetadata"] = {
                "promptTokenCount": behaviour.input_tokens,
                "candidatesTokenCount": i + 1,
                "totalTokenCount": behaviour.input_tokens + i + 1,
            }
        yield bool(words), _sse(event)


@contextmanager
def running() -> Iterator[FakeLLM]:
    """Serve a fake on a free loopback port, in a thread of its own, until the block ends."""
    fake = FakeLLM()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    fake.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    config = uvicorn.Config(fake, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()
