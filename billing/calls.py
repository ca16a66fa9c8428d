"""API calls of each hour, counted in Redis until the ledger takes them over."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

from django.utils import timezone

from billing.quota import line
from tenants.models import Workspace

_HOUR = "%Y-%m-%dT%H"


def note(workspace: Workspace, cost: int) -> None:
    """Count calls of this hour. While Redis is away they are not counted; nothing is charged by them."""
    hour = f"{timezone.now().astimezone(UTC):{_HOUR}}"
    line().ask(lambda: line().redis.hincrby(_key(workspace), hour, cost))


def of_past_hours(workspace: Workspace) -> dict[datetime, int]:
    """Calls of the hours that are over and that the ledger has not taken."""
    answer = line().ask(lambda: line().redis.hgetall(_key(workspace)))
    found = cast("dict[bytes, bytes]", answer or {})
    hours = {
        datetime.strptime(name.decode(), _HOUR).replace(tzinfo=UTC): int(number)
        for name, number in found.items()
    }
    this_hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    return {hour: number for hour, number in sorted(hours.items()) if hour < this_hour}


def forget(workspace: Workspace, hour: datetime) -> None:
    """The ledger has them."""
    line().ask(lambda: line().redis.hdel(_key(workspace), f"{hour:{_HOUR}}"))


def _key(workspace: Workspace) -> str:
    return f"nv:{workspace.key}:calls"
