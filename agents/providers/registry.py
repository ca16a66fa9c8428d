"""Which adapter serves which provider. A vendor's client costs seconds: it is imported when first called."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from .contract import ChatProvider

ADAPTERS = {
    "netvexa": "agents.providers.extractive:ExtractiveChat",
    "openai": "agents.providers.openai:OpenAIChat",
    "anthropic": "agents.providers.anthropic:AnthropicChat",
    "google": "agents.providers.google:GoogleChat",
}
_loaded: dict[str, ChatProvider] = {}


def provider(name: str) -> ChatProvider:
    """Return the adapter of a provider, one per process."""
    if name not in _loaded:
        module, _, attribute = ADAPTERS[name].partition(":")
        _loaded[name] = cast(ChatProvider, getattr(import_module(module), attribute)())
    return _loaded[name]


async def shut_down() -> None:
    """Close the running event loop's connections to the vendors."""
    for adapter in list(_loaded.values()):
        await adapter.aclose()
