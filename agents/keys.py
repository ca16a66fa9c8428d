"""A workspace's own keys at the providers: sealed at rest, never shown again, tried on request.

Where a workspace has a key of its own, its answers are written by its own keys only, and it pays for them.
"""

from __future__ import annotations

import asyncio
from typing import TypedDict

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from agents.models import ModelSettings
from agents.providers import Credentials, tier_table, try_out
from agents.tiers import VENDORS, ModelRef
from netvexa.lib.errors import Invalid

NAMES = {"openai": "OpenAI", "anthropic": "Anthropic", "google": "Google"}


class StoredKey(TypedDict, total=False):
    """What the (sealed) row keeps of a key: itself, its last characters to know it by, and how the last try went."""

    key: str
    ending: str
    added_at: str
    tested_at: str
    works: bool
    result: str


def check_provider(provider: str) -> str:
    """The provider's name if it is one of ours. Raises Invalid."""
    if provider not in VENDORS:
        raise Invalid(f"Choose one of these providers: {', '.join(NAMES.values())}.")
    return provider


def keep(provider: str, key: str) -> None:
    """Store a key; what was there is replaced. Raises Invalid."""
    key = key.strip()
    if not 8 <= len(key) <= 400 or not key.isascii() or any(map(str.isspace, key)):
        raise Invalid("That does not look like a key: copy it whole from the provider’s console.")
    entry: StoredKey = {
        "key": key,
        "ending": key[-4:],
        "added_at": timezone.now().isoformat(),
    }
    _change(check_provider(provider), entry)


def forget(provider: str) -> None:
    """Take a key away; the platform's models answer again when it was the last."""
    _change(check_provider(provider), None)


def _change(provider: str, entry: StoredKey | None) -> None:
    ModelSettings.objects.get_or_create(pk=1)
    with transaction.atomic():
        row = ModelSettings.objects.select_for_update().get(pk=1)
        keys = {name: stored for name, stored in row.keys.items() if name != provider}
        row.keys = keys if entry is None else {**keys, provider: entry}
        row.save(update_fields=["keys"])


def credentials_of(row: ModelSettings) -> dict[str, Credentials]:
    """The workspace's own ways to its providers; empty where it has none."""
    return {
        provider: Credentials(stored["key"], getattr(settings, f"{provider.upper()}_BASE_URL", "") or "")
        for provider, stored in row.keys.items()
        if "key" in stored
    }


def test(provider: str, *, tier: str) -> StoredKey:
    """Ask the provider for one word with the stored key, and keep how that went. Raises Invalid."""
    row = ModelSettings.current()
    credentials = credentials_of(row).get(check_provider(provider))
    if credentials is None:
        raise Invalid("There is no key to test: enter it first.")
    problem = asyncio.run(try_out(_model_of(provider, tier), credentials))
    stored: StoredKey = row.keys[provider]
    tried: StoredKey = {
        **stored,
        "tested_at": timezone.now().isoformat(),
        "works": problem is None,
        "result": problem or "",
    }
    _change(provider, tried)
    return tried


def _model_of(provider: str, tier: str) -> ModelRef:
    """The tier's model at this provider, or the first of any tier that has one."""
    table = tier_table()
    rows = [table.tier(tier), *table.tiers.values()]
    return next(ref for row in rows for ref in row.models if ref.provider == provider)
