"""The only place that talks to language models.

    plan = plan_for("starter")
    async with aclosing(stream(prompt, plan=plan)) as events:
        async for event in events: ...        # Delta, Delta, ..., Finished

Importing this costs nothing: a vendor's client is loaded when it is first called, or by `warm_up`.
"""

from .breaker import Breaker, LocalBreaker, RedisBreaker
from .contract import (
    Attempt,
    Call,
    ChatProvider,
    Credentials,
    Delta,
    Finished,
    FinishReason,
    Limits,
    ModelPlan,
    Outcome,
    Passage,
    Piece,
    Prompt,
    Rung,
    RungName,
    Sentence,
    TokenCount,
    Turn,
    Usage,
)
from .engine import Tally, stream
from .faults import NoModelAnswered
from .pace import pace, pause
from .plan import background_plan, credentials_from_settings, plan_for, tier_table, warm_up
from .registry import shut_down
from .trial import try_out

__all__ = [
    "Attempt",
    "Breaker",
    "Call",
    "ChatProvider",
    "Credentials",
    "Delta",
    "FinishReason",
    "Finished",
    "Limits",
    "LocalBreaker",
    "ModelPlan",
    "NoModelAnswered",
    "Outcome",
    "Passage",
    "Piece",
    "Prompt",
    "RedisBreaker",
    "Rung",
    "RungName",
    "Sentence",
    "Tally",
    "TokenCount",
    "Turn",
    "Usage",
    "background_plan",
    "credentials_from_settings",
    "pace",
    "pause",
    "plan_for",
    "shut_down",
    "stream",
    "tier_table",
    "try_out",
    "warm_up",
]
