"""What the vendors' adapters share: messages, the stream, faults in our words.

langchain brings the interface of a chat model, messages, usage and exception types. Its fallbacks, retries
and timeouts are not used: while streaming they miss what our engine covers. Nor are the vendors' clients it
has adapters for: `chat_model` says why.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import ClassVar, Literal

from langchain_core import exceptions as lc
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from pydantic import SecretStr

from .chat_model import Read, WireChat
from .contract import Call, Credentials, Outcome, Piece, Prompt, TokenCount
from .faults import ProviderError
from .messages import as_turns
from .wire import Refusal, close_session

# Nothing a visitor says goes to a tracing service because a variable happens to be set for another program.
os.environ["LANGSMITH_TRACING"] = "false"
os.environ["LANGCHAIN_TRACING_V2"] = "false"

MODELS_KEPT = 500  # workspaces may bring keys of their own, and each is a model of its own
FINISHES: Mapping[str, Literal["stop", "length", "filtered"]] = {
    "stop": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "eos": "stop",  # so say compatible servers
    "eos_token": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "model_context_window_exceeded": "length",
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
    (TimeoutError, "timeout"),
    (OSError, "network"),
)
_Key = tuple[str, Credentials, float]


class LangchainChat:
    """An adapter over a vendor's chat model."""

    chat_model: ClassVar[type[WireChat]]

    def __init__(self) -> None:
        self._models: dict[_Key, WireChat] = {}

    async def stream(self, prompt: Prompt, *, call: Call) -> AsyncGenerator[Piece, None]:
        """Yield pieces; raise ProviderError for whatever goes wrong on the way."""
        try:
            answer = self._model(call).read(_messages(prompt), max_tokens=call.max_tokens)
            async with aclosing(answer) as pieces:
                async for read in pieces:
                    yield _piece(read)
        except Exception as error:  # the edge to foreign data: what garbage raises is not to be listed
            raise classify(error, key=call.credentials.api_key) from error

    async def aclose(self) -> None:
        """Close this event loop's connections. For the end of a process or a short-lived loop."""
        await close_session()

    def _model(self, call: Call) -> WireChat:
        key = (call.model, call.credentials, call.read_timeout_seconds)
        if key not in self._models:
            if len(self._models) >= MODELS_KEPT:
                self._models.clear()
            self._models[key] = self.chat_model(
                model=call.model,
                base_url=call.credentials.base_url,
                api_key=SecretStr(call.credentials.api_key),
                read_timeout_seconds=call.read_timeout_seconds,
            )
        return self._models[key]


def _messages(prompt: Prompt) -> list[BaseMessage]:
    turns: list[BaseMessage] = [
        HumanMessage(turn.text) if turn.role == "visitor" else AIMessage(turn.text)
        for turn in as_turns(prompt)
    ]
    return [SystemMessage(prompt.system), *turns]


def _piece(read: Sequence[Read]) -> Piece:
    reason = next((said.finish for said in reversed(read) if said.finish), "")
    return Piece("".join(said.text for said in read), FINISHES.get(reason.lower()), _tokens(read))


def _tokens(read: Sequence[Read]) -> TokenCount | None:
    taken = sum(said.input_tokens for said in read)
    given = sum(said.output_tokens for said in read)
    return TokenCount(taken, given, sum(said.cached for said in read)) if taken or given else None


def classify(error: Exception, *, key: str) -> ProviderError:
    """Say in our words what a chat model raised; what is not listed is a stream that makes no sense.

    Some servers repeat the key that they refuse: it is taken out.
    """
    known = (outcome for kind, outcome in _KINDS if isinstance(error, kind))
    outcome: Outcome = next(known, "malformed")
    cause = error.__cause__
    retry_after = cause.retry_after if isinstance(cause, Refusal) else None
    detail = f"{type(error).__name__}: {error}"
    detail = detail.replace(key, "[key]") if key else detail
    return ProviderError(outcome, detail[:300], retry_after=retry_after)
