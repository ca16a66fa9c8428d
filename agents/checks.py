"""What Django's system check says about this app's configuration."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, register

from .providers import tier_table
from .tiers import TierTableError


@register()
def check_tier_table(**_: Any) -> list[CheckMessage]:
    """The tier table of MODEL_PRESET can be read, and every model in it has a price."""
    try:
        tier_table()
    except TierTableError as error:
        return [Error(str(error), id="agents.E001")]
    return []
