"""What can go wrong with a model, in our words. Adapters raise ProviderError; the engine decides."""

from __future__ import annotations

from netvexa.lib.errors import Unavailable

from .contract import Attempt, Outcome

# The next model may do better. Everything else is about this request or this key, and would only repeat
# itself elsewhere, or hide a wrong key behind another vendor's bill.
FALL_BACK: frozenset[Outcome] = frozenset(
    {"rate_limited", "server_error", "timeout", "network", "malformed", "truncated", "model_gone", "skipped"}
)
# Worth one more try of the same model where no other is left.
RETRY: frozenset[Outcome] = frozenset({"rate_limited", "server_error", "network", "truncated"})
# Speaks against the model's health, so the circuit breaker counts it.
UNHEALTHY: frozenset[Outcome] = frozenset(
    {"rate_limited", "server_error", "timeout", "network", "malformed", "truncated", "model_gone"}
)
# Somebody has to act, so it is said loudly, once.
LOUD: frozenset[Outcome] = frozenset({"authentication", "model_gone", "invalid_request"})


class ProviderError(Exception):
    """A model's failure. `detail` is for the log and the workspace, never for the visitor."""

    def __init__(self, outcome: Outcome, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(f"{outcome}: {detail}")
        self.outcome: Outcome = outcome
        self.detail = detail
        self.retry_after = retry_after


class NoModelAnswered(Unavailable):
    """Every rung failed before it said a word. A plan that ends in the built-in model never gets here."""

    code = "no_model_answered"
    default_detail = "The assistant cannot answer right now. Please try again in a moment."

    def __init__(self, attempts: tuple[Attempt, ...]) -> None:
        super().__init__()
        self.attempts = attempts
