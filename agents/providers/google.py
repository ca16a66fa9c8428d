"""Google's Gemini API, and servers that speak it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from contextvars import ContextVar

import httpx
from langchain_google_genai import ChatGoogleGenerativeAI
from pydantic import SecretStr

from .contract import Call, Piece, Prompt
from .langchain import KEPT_CONNECTIONS, MAX_CONNECTIONS, NO_KEY, Client, LangchainChat

_opened: ContextVar[list[httpx.Response]] = ContextVar("google_responses_opened")


async def _remember(response: httpx.Response) -> None:
    _opened.get([]).append(response)


class GoogleChat(LangchainChat):
    max_tokens_argument = "max_output_tokens"

    async def stream(self, prompt: Prompt, *, call: Call) -> AsyncGenerator[Piece, None]:
        """Yield pieces, and close the response at the end whatever happens.

        The vendor's SDK holds a response and its iterator in a cycle: a stream closed early would stay open,
        and be billed, until the garbage collector comes by.
        """
        opened: list[httpx.Response] = []
        _opened.set(opened)
        try:
            async with aclosing(super().stream(prompt, call=call)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            for response in opened:
                await response.aclose()

    def build(self, call: Call) -> Client:
        limits = httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=KEPT_CONNECTIONS)
        model = ChatGoogleGenerativeAI(
            model=call.model,
            base_url=call.credentials.base_url,
            google_api_key=SecretStr(call.credentials.api_key or NO_KEY),
            timeout=call.read_timeout_seconds,
            max_retries=1,  # it counts attempts: 1 is no retry
            # Its own limit is 100 connections, and a full pool is an error.
            client_args={"limits": limits, "event_hooks": {"response": [_remember]}},
        )
        return Client(model, model.aclose)
