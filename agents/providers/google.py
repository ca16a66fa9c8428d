"""Google's Gemini API, and servers that speak it."""

from __future__ import annotations

import httpx
from langchain_google_genai import ChatGoogleGenerativeAI
from pydantic import SecretStr

from .contract import Call
from .langchain import KEPT_CONNECTIONS, MAX_CONNECTIONS, NO_KEY, Client, LangchainChat


class GoogleChat(LangchainChat):
    max_tokens_argument = "max_output_tokens"

    def build(self, call: Call) -> Client:
        limits = httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=KEPT_CONNECTIONS)
        model = ChatGoogleGenerativeAI(
            model=call.model,
            base_url=call.credentials.base_url,
            google_api_key=SecretStr(call.credentials.api_key or NO_KEY),
            timeout=call.read_timeout_seconds,
            max_retries=1,  # it counts attempts: 1 is no retry
            client_args={"limits": limits},  # its own limit is 100, and a full pool is an error
        )
        return Client(model, model.aclose)
