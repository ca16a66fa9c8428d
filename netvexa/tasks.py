"""The roof's work in the background."""

from __future__ import annotations

from celery import shared_task

from netvexa import departure
from tenants.context import PlatformTask


@shared_task(base=PlatformTask)
def delete_workspaces() -> None:
    """Every night: delete the workspaces whose thirty days of grace are over."""
    departure.delete_due()
