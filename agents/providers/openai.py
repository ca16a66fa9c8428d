"""OpenAI, and servers that speak its chat completions."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from langchain_core.messages import BaseMessage

from .chat_model import Read, Totals, WireChat, text_of
from .langchain import LangchainChat
from .wire import Json, Request, failed_midway

ROLES = {"system": "system", "human": "user", "ai": "assistant"}


class _Chat(WireChat):
    def request(self, messages: Sequence[BaseMessage], *, max_tokens: int) -> Request:
        turns = [{"role": ROLES[message.type], "content": text_of(message)} for message in messages]
        body: Json = {
            "model": self.model,
            "messages": turns,
            "stream": True,
            "stream_options": {"include_usage": True},
            self._limit_name: max_tokens,
        }
        return Request(
            f"{self.base_url.rstrip('/')}/chat/completions",
            body,
            {"Authorization": f"Bearer {self.key}"},
            self.read_timeout_seconds,
        )

    @property
    def _limit_name(self) -> str:
        """OpenAI's newer models refuse the old name; many compatible servers know no other."""
        host = urlsplit(self.base_url).hostname or ""
        return "max_completion_tokens" if host.endswith("openai.com") else "max_tokens"

    def reader(self) -> _Reader:
        return _Reader()


class _Reader:
    """OpenAI tells the tokens once, at the end; some compatible servers with each event, as totals so far."""

    def __init__(self) -> None:
        self._totals = Totals()

    def read(self, event: Json) -> Read | None:
        if "error" in event:
            raise failed_midway(event["error"])
        usage = event.get("usage") or {}
        choices = event.get("choices")
        if not choices and not usage:
            return None
        choice = choices[0] if choices else {}
        read = Read(
            (choice.get("delta") or {}).get("content") or "", finish=choice.get("finish_reason") or ""
        )
        if usage:
            self._totals.count(
                read,
                taken=usage.get("prompt_tokens") or 0,
                given=usage.get("completion_tokens") or 0,
                cached=(usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0,
            )
        return read


class OpenAIChat(LangchainChat):
    chat_model = _Chat
