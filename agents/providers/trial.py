"""Trying a key: the smallest request there is, over the same wire as an answer."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from agents.tiers import ModelRef

from .contract import Call, Credentials, Outcome, Prompt
from .faults import ProviderError
from .plan import DEFAULT_URLS
from .registry import provider, shut_down

SECONDS = 15.0
_SAID: dict[Outcome, str] = {
    "authentication": "The provider does not accept this key.",
    "rate_limited": "The provider accepts the key, but its quota or credit is used up.",
    "model_gone": "The provider accepts the key, but it has no access to the plan’s model.",
    "timeout": "The provider did not answer in time. Try again in a moment.",
    "network": "The provider could not be reached. Try again in a moment.",
    "server_error": "The provider has a fault at the moment. Try again in a moment.",
}


async def try_out(ref: ModelRef, credentials: Credentials) -> str | None:
    """Ask for one word; what is wrong, as a sentence, or None. For a short-lived event loop, which it closes."""
    call = Call(
        model=ref.model,
        max_tokens=64,
        credentials=Credentials(credentials.api_key, credentials.base_url or DEFAULT_URLS[ref.provider]),
        read_timeout_seconds=SECONDS,
    )
    prompt = Prompt(system="Answer with one word.", question="Say yes.")
    try:
        said_something = await _says_something(ref, prompt, call)
    except ProviderError as fault:
        return _SAID.get(fault.outcome, "The provider refused the request: " + fault.detail[:200])
    except TimeoutError:
        return _SAID["timeout"]
    finally:
        await shut_down()
    return None if said_something else "The provider answered without a word. Try again in a moment."


async def _says_something(ref: ModelRef, prompt: Prompt, call: Call) -> bool:
    async with asyncio.timeout(SECONDS), aclosing(provider(ref.provider).stream(prompt, call=call)) as pieces:
        async for piece in pieces:
            if piece.text or piece.finish:
                return True
    return False
