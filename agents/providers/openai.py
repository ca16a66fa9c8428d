"""OpenAI, and servers that speak its chat completions."""

from __future__ import annotations

from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from .contract import Call
from .langchain import NO_KEY, Client, LangchainChat, http_client


class OpenAIChat(LangchainChat):
    def build(self, call: Call) -> Client:
        model = ChatOpenAI(
            model=call.model,
            base_url=call.credentials.base_url,
            api_key=SecretStr(call.credentials.api_key or NO_KEY),
            timeout=call.read_timeout_seconds,
            max_retries=0,
            stream_usage=True,
            http_async_client=http_client(call.read_timeout_seconds),
            # Its default wraps every chunk in wait_for, which on Python 3.11 loses cancellations: the stream
            # would run, and bill, to its end after the visitor pressed stop.
            stream_chunk_timeout=None,
        )
        return Client(model, model.root_async_client.close)
