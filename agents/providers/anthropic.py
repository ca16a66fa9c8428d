"""Anthropic, and servers that speak its messages API."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import BaseMessage

from .chat_model import Read, WireChat, split_system, text_of
from .langchain import LangchainChat
from .wire import Json, Request, failed_midway

ROLES = {"human": "user", "ai": "assistant"}
API_VERSION = "2023-06-01"


class _Chat(WireChat):
    def request(self, messages: Sequence[BaseMessage], *, max_tokens: int) -> Request:
        system, turns = split_system(messages)
        body: Json = {
            "model": self.model,
            "max_tokens": max_tokens,
            "system": system,
            "messages": [{"role": ROLES[turn.type], "content": text_of(turn)} for turn in turns],
            "stream": True,
        }
        return Request(
            f"{self.base_url.rstrip('/')}/v1/messages",
            body,
            {"x-api-key": self.key, "anthropic-version": API_VERSION},
            self.read_timeout_seconds,
        )

    def reader(self) -> _Reader:
        return _Reader()


class _Reader:
    """The input's tokens come with the first event, the output's with the last, as a running total."""

    def __init__(self) -> None:
        self._input_known = False

    def read(self, event: Json) -> Read | None:
        match event.get("type"):
            case "content_block_delta":
                return Read(event["delta"].get("text") or "")
            case "message_start":
                return self._started(event["message"].get("usage") or {})
            case "message_delta":
                return self._ended(event["delta"], event.get("usage") or {})
            case "error":
                raise failed_midway(event.get("error"))
        return None

    def _started(self, usage: Json) -> Read:
        cached = usage.get("cache_read_input_tokens") or 0
        fresh = (usage.get("input_tokens") or 0) + (usage.get("cache_creation_input_tokens") or 0)
        self._input_known = fresh + cached > 0
        return Read(input_tokens=fresh + cached, cached=cached)

    def _ended(self, delta: Json, usage: Json) -> Read:
        read = Read() if self._input_known else self._started(usage)
        read.finish = delta.get("stop_reason") or ""
        read.output_tokens = usage.get("output_tokens") or 0
        return read


class AnthropicChat(LangchainChat):
    chat_model = _Chat
