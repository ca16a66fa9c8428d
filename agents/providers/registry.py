"""Which adapter serves which provider. A vendor's client costs seconds: it is imported when first called."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import cast

from .contract import ChatProvider

ADAPTERS = {
    "netvexa": "agents.providers.extractive:ExtractiveChat",
    "openai": "agents.providers.openai:OpenAIChat",
    "anthropic": "agents.providers.anthropic:AnthropicChat",
    "google": "agents.providers.google:GoogleChat",
}


@cache
def provider(name: str) -> ChatProvider:
    """Return the adapter of a provider, one per process."""
    module, _, attribute = ADAPTERS[name].partition(":")
    return cast(ChatProvider, getattr(import_module(module), attribute)())
