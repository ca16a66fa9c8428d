"""Whether the plan has room for more knowledge."""

from __future__ import annotations

from billing import limits, storage
from billing.plans import Limit
from billing.subscriptions import Standing, standing_of
from knowledge.models import Source, counted_pages
from tenants.models import Workspace


def check_limits(workspace: Workspace, *, adding: int) -> None:
    """Raises Closed, or LimitReached where the plan has no room for one more source of this many bytes."""
    standing = standing_of(workspace)
    limits.check(standing, Limit.SOURCES, Source.objects.count())
    _check_room(standing, adding)


def check_room(workspace: Workspace, *, adding: int) -> None:
    """Raises Closed, or LimitReached where the plan has no room for one more page of this many bytes."""
    _check_room(standing_of(workspace), adding)


def _check_room(standing: Standing, adding: int) -> None:
    limits.check(standing, Limit.PAGES, counted_pages())
    limits.check(standing, Limit.STORAGE_BYTES, storage.stored_bytes(), adding=adding)
