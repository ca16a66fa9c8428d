"""Word to the owners that a month's answers are half, nearly or all used; each level once a month and limit."""

from __future__ import annotations

from collections.abc import Iterable

from billing.models import UsageBucket, UsageKind
from billing.notices import Notice, send
from billing.plans import Limit
from billing.subscriptions import standing_of
from billing.usage import LEVELS, level_of, this_month
from tenants.models import Workspace


def tell_of_usage(workspaces: Iterable[Workspace]) -> None:
    """Mail the owners of those of them that reached a level; run as the platform."""
    buckets = UsageBucket.objects.filter(
        kind=UsageKind.ANSWERS, period=this_month(), workspace__in=list(workspaces)
    )
    for bucket in buckets.select_related("workspace"):
        limit = standing_of(bucket.workspace).limits[Limit.ANSWERS]
        level = level_of(bucket.used, limit)
        if level and limit is not None:
            send(bucket.workspace, _notice(bucket, level, limit))


def near_a_level() -> list[Workspace]:
    """The workspaces that used anything this month: the hourly look that makes up for a task that was lost."""
    used = UsageBucket.objects.filter(kind=UsageKind.ANSWERS, period=this_month(), used__gt=0)
    return [bucket.workspace for bucket in used.select_related("workspace")]


def _notice(bucket: UsageBucket, level: int, limit: int) -> Notice:
    return Notice(
        kind="usage",
        reference=f"{bucket.period:%Y-%m} {limit} {level}",
        subject=_subject(bucket.workspace, level),
        paragraphs=(
            f"{bucket.used:,} of the {limit:,} answers that the plan of {bucket.workspace} includes a month are used.",
            _what_comes(level),
        ),
        button="See the usage",
    )


def _subject(workspace: Workspace, level: int) -> str:
    if level == LEVELS[-1]:
        return f"All answers of {workspace} for this month are used"
    return f"{level} % of this month's answers of {workspace} are used"


def _what_comes(level: int) -> str:
    if level == LEVELS[-1]:
        return (
            "Until the month ends, your agents answer no new questions; visitors can still leave their contact"
            " details and write to your team. A larger plan lets the agents go on at once."
        )
    return (
        "Nothing changes for now. When all are used, agents answer no new questions until the next month begins,"
        " unless you choose a larger plan."
    )
