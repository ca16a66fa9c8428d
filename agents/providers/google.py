"""Google's Gemini API, and servers that speak it."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import BaseMessage

from .chat_model import Read, Totals, WireChat, split_system, text_of
from .langchain import LangchainChat
from .wire import Json, Request, failed_midway

ROLES = {"human": "user", "ai": "model"}


class _Chat(WireChat):
    def request(self, messages: Sequence[BaseMessage], *, max_tokens: int) -> Request:
        system, turns = split_system(messages)
        body: Json = {
            "contents": [{"role": ROLES[turn.type], "parts": [{"text": text_of(turn)}]} for turn in turns],
            "systemInstruction": {"parts": [{"text": system}]},
            "generationConfig": {"maxOutputTokens": max_tokens},
        }
        return Request(
            f"{self.base_url.rstrip('/')}/v1beta/models/{self.model}:streamGenerateContent?alt=sse",
            body,
            {"x-goog-api-key": self.key},
            self.read_timeout_seconds,
        )

    def reader(self) -> _Reader:
        return _Reader()


class _Reader:
    """Each event carries the tokens so far."""

    def __init__(self) -> None:
        self._totals = Totals()

    def read(self, event: Json) -> Read | None:
        if "error" in event:
            raise failed_midway(event["error"])
        candidate = (event.get("candidates") or [{}])[0]
        parts = (candidate.get("content") or {}).get("parts") or []
        read = Read("".join(part.get("text") or "" for part in parts if not part.get("thought")))
        read.finish = candidate.get("finishReason") or ""
        if (event.get("promptFeedback") or {}).get("blockReason"):
            read.finish = "prohibited_content"
        usage = event.get("usageMetadata") or {}
        thought = usage.get("thoughtsTokenCount") or 0  # billed as output
        self._totals.count(
            read,
            taken=usage.get("promptTokenCount") or 0,
            given=(usage.get("candidatesTokenCount") or 0) + thought,
            cached=usage.get("cachedContentTokenCount") or 0,
        )
        return read


class GoogleChat(LangchainChat):
    chat_model = _Chat
