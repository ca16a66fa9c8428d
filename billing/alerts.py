"""Word to the owners that a month's answers are half, nearly or all used; each level once a month and limit."""

from __future__ import annotations

from collections.abc import Iterable

from billing.models import UsageBucket, UsageKind
from billing.notices import Notice, send
from billing.plans import OVERAGE_CENTS, Limit
from billing.subscriptions import standing_of
from billing.usage import LEVELS, level_of, this_month
from tenants.models import Workspace


def tell_of_usage(workspaces: Iterable[Workspace]) -> None:
    """Mail the owners of those of them that reached a level; run as the platform."""
    buckets = UsageBucket.objects.filter(
        kind=UsageKind.ANSWERS, period=this_month(), workspace__in=list(workspaces)
    )
    for bucket in buckets.select_related("workspace"):
        standing = standing_of(bucket.workspace)
        limit, extra = standing.limits[Limit.ANSWERS], standing.extra_answers
        level = level_of(bucket.used - bucket.over, limit)
        if level and limit is not None:
            send(bucket.workspace, _notice(bucket, level, limit, extra))
        if extra and bucket.over >= extra:
            send(bucket.workspace, _cap_notice(bucket, extra))


def near_a_level() -> list[Workspace]:
    """The workspaces that used anything this month: the hourly look that makes up for a task that was lost."""
    used = UsageBucket.objects.filter(kind=UsageKind.ANSWERS, period=this_month(), used__gt=0)
    return [bucket.workspace for bucket in used.select_related("workspace")]


def _notice(bucket: UsageBucket, level: int, limit: int, extra: int) -> Notice:
    return Notice(
        kind="usage",
        reference=f"{bucket.period:%Y-%m} {limit} {level}",
        subject=_subject(bucket.workspace, level),
        paragraphs=(
            (
                f"{bucket.used - bucket.over:,} of the {limit:,} answers that the plan of {bucket.workspace} includes a"
                " month are used."
            ),
            _what_comes(level, extra),
        ),
        button="See the usage",
    )


def _cap_notice(bucket: UsageBucket, extra: int) -> Notice:
    workspace, usd = bucket.workspace, extra * OVERAGE_CENTS / 100
    return Notice(
        kind="overage_cap",
        reference=f"{bucket.period:%Y-%m} {extra}",
        subject=f"{workspace} has reached your limit for answers beyond the plan",
        paragraphs=(
            f"The {extra:,} answers beyond the plan that you allowed for this month (about ${usd:,.0f}) are used.",
            (
                "Until the month ends, your agents answer no new questions; visitors can still leave their contact"
                " details and write to your team. You can allow more, or choose a larger plan."
            ),
        ),
        button="Allow more",
    )


def _subject(workspace: Workspace, level: int) -> str:
    if level == LEVELS[-1]:
        return f"All answers of {workspace} for this month are used"
    return f"{level} % of this month's answers of {workspace} are used"


def _what_comes(level: int, extra: int) -> str:
    if extra:
        return (
            f"Your agents go on beyond the plan, as you allowed: each further answer costs ${OVERAGE_CENTS / 100:.2f},"
            f" and there are at most {extra:,} of them this month."
        )
    if level == LEVELS[-1]:
        return (
            "Until the month ends, your agents answer no new questions; visitors can still leave their contact"
            " details and write to your team. A larger plan lets the agents go on at once."
        )
    return (
        "Nothing changes for now. When all are used, agents answer no new questions until the next month begins,"
        " unless you choose a larger plan or allow answers beyond the plan on the billing page."
    )
