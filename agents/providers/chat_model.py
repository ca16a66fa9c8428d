"""Chat models of our own under langchain's interface: one for each vendor's wire, streaming only what we need."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any, Protocol

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models.chat_models import BaseChatModel, agenerate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.messages.ai import InputTokenDetails, UsageMetadata
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import SecretStr

from .wire import Json, Request, event_of, lines, opened

NO_KEY = "no-key"  # servers of one's own often want none, but some header


class Reader(Protocol):
    """Reads one stream; keeps what it must know from one event to the next."""

    def read(self, event: Json) -> Read | None: ...


class Read:
    """What one event said: text, why the answer ended, tokens (input, output, of the input from cache)."""

    __slots__ = ("cached", "finish", "input_tokens", "output_tokens", "text")

    def __init__(
        self,
        text: str = "",
        *,
        finish: str = "",
        input_tokens: int = 0,
        output_tokens: int = 0,
        cached: int = 0,
    ) -> None:
        self.text, self.finish = text, finish
        self.input_tokens, self.output_tokens, self.cached = input_tokens, output_tokens, cached


class Totals:
    """The tokens of one answer, for vendors that tell with each event how many they are so far."""

    def __init__(self) -> None:
        self._input = self._output = self._cached = 0

    def count(self, read: Read, *, taken: int, given: int, cached: int) -> None:
        """Note in `read` what is new of these totals; one that an event leaves out is 0."""
        before = self._input, self._output, self._cached
        self._input, self._output = max(self._input, taken), max(self._output, given)
        self._cached = max(self._cached, cached)
        read.input_tokens, read.output_tokens = self._input - before[0], self._output - before[1]
        read.cached = self._cached - before[2]


class WireChat(BaseChatModel):
    """A vendor's chat model. `max_tokens` is given with each call."""

    model: str
    base_url: str
    api_key: SecretStr
    read_timeout_seconds: float

    @property
    def _llm_type(self) -> str:
        return type(self).__name__

    @abstractmethod
    def request(self, messages: Sequence[BaseMessage], *, max_tokens: int) -> Request:
        """The POST that asks for a stream."""

    @abstractmethod
    def reader(self) -> Reader:
        """A reader for one stream."""

    @property
    def key(self) -> str:
        return self.api_key.get_secret_value() or NO_KEY

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **options: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        async for read in self.read(messages, max_tokens=options["max_tokens"]):
            yield ChatGenerationChunk(message=_chunk(read))

    async def read(
        self, messages: Sequence[BaseMessage], *, max_tokens: int
    ) -> AsyncGenerator[list[Read], None]:
        """What the vendor's events say, those that arrived together in one list.

        For who wants words and numbers only: langchain's objects around each piece cost more than reading it.
        """
        reader = self.reader()
        async with (
            opened(self.request(messages, max_tokens=max_tokens)) as response,
            aclosing(lines(response)) as batches,
        ):
            async for batch in batches:
                read, fault = _read(reader, batch)
                if read:
                    yield read
                if fault is not None:
                    raise fault

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **options: Any,
    ) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages, stop, run_manager, **options))

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **options: Any,
    ) -> ChatResult:
        raise NotImplementedError("Vendors are asked from asynchronous code only: use ainvoke or astream.")


def _read(reader: Reader, batch: Sequence[bytes]) -> tuple[list[Read], Exception | None]:
    """What these lines say, up to the first that makes no sense or is an error."""
    read: list[Read] = []
    try:
        for line in batch:
            event = event_of(line)
            if event is not None and (said := reader.read(event)) is not None:
                read.append(said)
    except Exception as fault:  # the edge to foreign data: what garbage raises is not to be listed
        return read, fault
    return read, None


def _chunk(read: Sequence[Read]) -> AIMessageChunk:
    """What several events said, as one chunk."""
    finish = next((said.finish for said in reversed(read) if said.finish), "")
    return AIMessageChunk(
        content="".join(said.text for said in read),
        response_metadata={"finish_reason": finish} if finish else {},
        usage_metadata=_usage(read),
    )


def _usage(read: Sequence[Read]) -> UsageMetadata | None:
    taken = sum(said.input_tokens for said in read)
    given = sum(said.output_tokens for said in read)
    if not taken and not given:
        return None
    cached = InputTokenDetails(cache_read=sum(said.cached for said in read))
    return UsageMetadata(
        input_tokens=taken, output_tokens=given, total_tokens=taken + given, input_token_details=cached
    )


def text_of(message: BaseMessage) -> str:
    return str(message.text)


def split_system(messages: Sequence[BaseMessage]) -> tuple[str, list[BaseMessage]]:
    """The system prompt, and the turns after it, for vendors that want them apart."""
    system = "\n\n".join(text_of(message) for message in messages if message.type == "system")
    return system, [message for message in messages if message.type != "system"]
