"""What the vendors' adapters share: messages, the stream, faults in our words, a client per event loop.

langchain brings the messages, the chat adapters, usage and exception types. Its fallbacks, retries and
timeouts are not used: while streaming they miss what our engine covers.
"""

from __future__ import annotations

import asyncio
import os
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, cast
from weakref import WeakKeyDictionary

import httpx
import httpx2
from langchain_core import exceptions as lc
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage
from langchain_core.messages.ai import UsageMetadata

from .contract import Call, Credentials, Outcome, Piece, Prompt, TokenCount
from .faults import ProviderError
from .messages import as_turns

# Nothing a visitor says goes to a tracing service because a variable happens to be set for another program.
os.environ["LANGSMITH_TRACING"] = "false"
os.environ["LANGCHAIN_TRACING_V2"] = "false"

MAX_CONNECTIONS = 1000
KEPT_CONNECTIONS = 200
NO_KEY = "no-key"  # servers of one's own often want none, the clients insist on some

FINISHES: Mapping[str, Literal["stop", "length", "filtered"]] = {
    "stop": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "completed": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "incomplete": "length",
    "content_filter": "filtered",
    "refusal": "filtered",
    "safety": "filtered",
    "recitation": "filtered",
    "blocklist": "filtered",
    "prohibited_content": "filtered",
    "spii": "filtered",
    "language": "filtered",
}
_KINDS: tuple[tuple[type[Exception], Outcome], ...] = (
    (lc.ContextOverflowError, "context_length"),
    (lc.ModelAuthenticationError, "authentication"),
    (lc.ModelPermissionDeniedError, "authentication"),
    (lc.ModelNotFoundError, "model_gone"),
    (lc.ModelRateLimitError, "rate_limited"),
    (lc.ModelTimeoutError, "timeout"),
    (lc.ModelConnectionError, "network"),
    (lc.ModelAPIError, "server_error"),
    (lc.ModelInvalidRequestError, "invalid_request"),
    (httpx.TimeoutException, "timeout"),
    (httpx2.TimeoutException, "timeout"),
    (httpx.TransportError, "network"),
    (httpx2.TransportError, "network"),
    (TimeoutError, "timeout"),
    (OSError, "network"),
    (ValueError, "malformed"),  # JSON that is none, and shapes that pydantic refuses
)
_STATUSES: Mapping[int, Outcome] = {
    401: "authentication",
    403: "authentication",
    404: "model_gone",
    408: "timeout",
    429: "rate_limited",
}
VENDOR_MODULES = frozenset({"openai", "anthropic", "google", "langchain_google_genai"})
CONTEXT_WORDS = ("context length", "context window", "too long", "input token count", "maximum context")
_Key = tuple[str, Credentials, float]


@dataclass(frozen=True)
class Client:
    """A vendor's chat model, and how to close its connections."""

    model: BaseChatModel
    close: Callable[[], Awaitable[None]]


class LangchainChat(ABC):
    """An adapter over one of langchain's chat models."""

    max_tokens_argument: ClassVar[str] = "max_tokens"

    def __init__(self) -> None:
        # An HTTP client belongs to the event loop it was first used in.
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[_Key, Client]]
        self._clients = WeakKeyDictionary()

    @abstractmethod
    def build(self, call: Call) -> Client:
        """Return the vendor's chat model: retries off, timeout set, room for many connections."""

    async def stream(self, prompt: Prompt, *, call: Call) -> AsyncGenerator[Piece, None]:
        """Yield pieces; raise ProviderError for whatever goes wrong on the way."""
        try:
            model = self._client(call).model
            allowed = min(call.max_tokens, (model.profile or {}).get("max_output_tokens") or call.max_tokens)
            limit: dict[str, Any] = {self.max_tokens_argument: allowed}
            async with aclosing(_closable(model.astream(_messages(prompt), **limit))) as chunks:
                async for chunk in chunks:
                    yield _piece(chunk)
        except Exception as error:  # the edge to foreign code: what it raises on garbage is not to be listed
            raise classify(error) from error

    async def aclose(self) -> None:
        """Close this event loop's clients. For the end of a process or a short-lived loop."""
        for client in self._clients.pop(asyncio.get_running_loop(), {}).values():
            await client.close()

    def _client(self, call: Call) -> Client:
        clients = self._clients.setdefault(asyncio.get_running_loop(), {})
        key = (call.model, call.credentials, call.read_timeout_seconds)
        if key not in clients:
            clients[key] = self.build(call)
        return clients[key]


def http_client(read_timeout_seconds: float | None) -> httpx2.AsyncClient:
    """Return a client of its own for the vendors whose SDK takes one."""
    limits = httpx2.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=KEPT_CONNECTIONS)
    return httpx2.AsyncClient(limits=limits, timeout=read_timeout_seconds)


def _closable(chunks: AsyncIterator[AIMessageChunk]) -> AsyncGenerator[AIMessageChunk, None]:
    """langchain says iterator where it returns a generator; only a generator can be closed."""
    return cast(AsyncGenerator[AIMessageChunk, None], chunks)


def _messages(prompt: Prompt) -> list[BaseMessage]:
    turns: list[BaseMessage] = [
        HumanMessage(turn.text) if turn.role == "visitor" else AIMessage(turn.text)
        for turn in as_turns(prompt)
    ]
    return [SystemMessage(prompt.system), *turns]


def _piece(chunk: AIMessageChunk) -> Piece:
    meta = chunk.response_metadata
    reason = meta.get("finish_reason") or meta.get("stop_reason") or meta.get("status") or ""
    return Piece(str(chunk.text), FINISHES.get(str(reason).lower()), _tokens(chunk.usage_metadata))


def _tokens(usage: UsageMetadata | None) -> TokenCount | None:
    if not usage:
        return None
    cached = usage.get("input_token_details", {}).get("cache_read", 0)
    return TokenCount(usage["input_tokens"], usage["output_tokens"], cached)


def classify(error: Exception) -> ProviderError:
    """Say in our words what a vendor's client raised."""
    outcome = _outcome(error)
    detail = f"{type(error).__name__}: {error}"[:300]
    return ProviderError(outcome, detail, retry_after=_retry_after(error))


def _outcome(error: Exception) -> Outcome:
    words = str(error).lower()
    if any(known in words for known in CONTEXT_WORDS):
        return "context_length"
    if "api key not valid" in words or "api_key_invalid" in words:  # Google says 400 for it
        return "authentication"
    for kind, outcome in _KINDS:
        if isinstance(error, kind):
            return outcome
    status = getattr(error, "status_code", None) or getattr(error, "code", None)
    if isinstance(status, int) and 400 <= status < 500:
        return _STATUSES.get(status, "invalid_request")
    if type(error).__module__.partition(".")[0] in VENDOR_MODULES:  # an error event in mid-stream
        return "rate_limited" if "rate_limit" in words or "resource_exhausted" in words else "server_error"
    return "malformed"


def _retry_after(error: BaseException | None) -> float | None:
    """Read a Retry-After header in seconds off an error or what caused it."""
    while error is not None:
        headers = getattr(getattr(error, "response", None), "headers", None) or {}
        try:
            return float(headers["retry-after"])
        except (KeyError, ValueError):
            error = error.__cause__
    return None
