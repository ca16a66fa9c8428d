"""Whether a workspace may have one more of something that its plan limits.

The caller counts what there is and passes the number in: billing never looks it up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing.plans import Limit
from netvexa.lib.errors import AppError
from tenants.addresses import named_workspace_address
from tenants.context import current_workspace

if TYPE_CHECKING:
    from billing.subscriptions import Standing

_NOUNS: dict[Limit, str] = {
    Limit.AGENTS: "agents",
    Limit.SOURCES: "sources",
    Limit.PAGES: "pages",
    Limit.STORAGE_BYTES: "bytes of storage",
    Limit.ANSWERS: "answers a month",
    Limit.SEATS: "seats",
    Limit.API_CALLS: "API calls an hour",
}


class LimitReached(AppError):
    """The plan includes no more of this. Carries which limit, how high it is and how much is used."""

    code = "limit_reached"
    status = 403
    default_detail = "Your plan includes no more of this."

    def __init__(self, detail: str, *, limit: Limit, used: int, maximum: int) -> None:
        super().__init__(detail)
        self.limit, self.used, self.maximum = limit, used, maximum

    @property
    def extra(self) -> dict[str, Any]:
        numbers = {"limit": self.limit.value, "used": self.used, "maximum": self.maximum}
        return {**numbers, "upgrade_url": upgrade_url()}


class NotInPlan(AppError):
    """The plan does not include this at all. Carries what it is, and where a larger plan is chosen."""

    code = "not_in_plan"
    status = 403

    def __init__(self, feature: str, words: str) -> None:
        super().__init__(f"{words} is not part of your plan. A larger plan includes it.")
        self.feature = feature

    @property
    def extra(self) -> dict[str, Any]:
        return {"limit": self.feature, "used": 0, "maximum": 0, "upgrade_url": upgrade_url()}


class Closed(AppError):
    """What is there stays and can be read; nothing is added or answered until somebody pays."""

    code = "closed"
    status = 402

    @property
    def extra(self) -> dict[str, Any]:
        return {"upgrade_url": upgrade_url()}


class TrialOver(Closed):
    """The trial has ended and no plan was chosen."""

    code = "trial_over"
    default_detail = "The trial of this workspace is over. Choose a plan to go on; nothing was deleted."


class PaymentOverdue(Closed):
    """The plan has not been paid, and the days of grace are over."""

    code = "payment_overdue"
    default_detail = (
        "This workspace is read only, since its plan is not paid. Nothing was deleted;"
        " everything goes on as soon as an owner pays the open invoice."
    )


def upgrade_url() -> str:
    """Where the current workspace's owners choose a larger plan, or pay."""
    return named_workspace_address(current_workspace(), "workspace:plan")


def check_open(standing: Standing) -> None:
    """Raise TrialOver or PaymentOverdue if nothing may be added or answered."""
    if standing.trial_is_over:
        raise TrialOver
    if standing.read_only:
        raise PaymentOverdue


def check(standing: Standing, limit: Limit, used: int, *, adding: int = 1) -> None:
    """Refuse `adding` more where `used` stand already. Raises Closed or LimitReached."""
    check_open(standing)
    check_number(standing, limit, used, adding=adding)


def check_number(standing: Standing, limit: Limit, used: int, *, adding: int = 1) -> None:
    """The same for work that was begun before the plan ended. Raises LimitReached."""
    maximum = standing.limits[limit]
    if maximum is not None and used + adding > maximum:
        raise LimitReached(
            f"The {standing.plan.name} plan includes {maximum:,} {_NOUNS[limit]}, and {used:,} are used."
            " A larger plan includes more.",
            limit=limit,
            used=used,
            maximum=maximum,
        )
