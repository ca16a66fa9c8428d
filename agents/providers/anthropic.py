"""Anthropic, and servers that speak its messages API."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import BaseMessage

from .chat_model import Read, Totals, WireChat, split_system, text_of
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
    """The input's tokens come with the first event, the output's with the last, both as totals so far."""

    def __init__(self) -> None:
        self._totals = Totals()

    def read(self, event: Json) -> Read | None:
        match event.get("type"):
            case "content_block_delta":
                return Read(event["delta"].get("text") or "")
            case "message_start":
                return self._counted(Read(), event["message"].get("usage") or {})
            case "message_delta":
                read = Read(finish=event["delta"].get("stop_reason") or "")
                return self._counted(read, event.get("usage") or {})
            case "error":
                raise failed_midway(event.get("error"))
        return None

    def _counted(self, read: Read, usage: Json) -> Read:
        cached = usage.get("cache_read_input_tokens") or 0
        fresh = (usage.get("input_tokens") or 0) + (usage.get("cache_creation_input_tokens") or 0)
        self._totals.count(read, taken=fresh + cached, given=usage.get("output_tokens") or 0, cached=cached)
        return read


class AnthropicChat(LangchainChat):
    chat_model = _Chat
