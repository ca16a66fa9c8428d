"""Anthropic, and servers that speak its messages API."""

from __future__ import annotations

from functools import cached_property

import anthropic
from langchain_anthropic import ChatAnthropic
from pydantic import SecretStr

from .contract import Call
from .langchain import NO_KEY, Client, LangchainChat, http_client


class _Chat(ChatAnthropic):
    """langchain shares one HTTP client among all event loops of a process; ours has its own."""

    @cached_property
    def _async_client(self) -> anthropic.AsyncClient:
        return anthropic.AsyncClient(
            **self._client_params, http_client=http_client(self.default_request_timeout)
        )


class AnthropicChat(LangchainChat):
    def build(self, call: Call) -> Client:
        model = _Chat(
            model_name=call.model,
            base_url=call.credentials.base_url,
            api_key=SecretStr(call.credentials.api_key or NO_KEY),
            max_tokens_to_sample=call.max_tokens,
            timeout=call.read_timeout_seconds,
            max_retries=0,
            stop=None,
        )
        return Client(model, model._async_client.close)
