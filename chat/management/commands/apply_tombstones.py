"""Erase again, in a database that was restored from a backup, the people who were erased after the backup was made.

Run it before the product is started on the restored database. Running it again does no harm.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand
from django.utils import timezone

from chat.persons import erase_again
from tenants.context import in_tenant, platform
from tenants.models import ProvisioningState, Workspace
from tenants.receipts import Tombstone, tombstones


class Command(BaseCommand):
    """Tombstones stand in the storage of files, which is no part of the database's backup."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        read, erased = 0, 0
        for stone in tombstones():
            read += 1
            erased += _apply(stone)
        self.stdout.write(f"Tombstones: {read}. Rows erased again, or workspaces closed: {erased}.")


def _apply(stone: Tombstone) -> int:
    with platform():
        rows = Workspace.objects.filter(key=stone["workspace"])
        if stone["is_workspace"]:  # the nightly task deletes it once more
            suspended: int = rows.update(state=ProvisioningState.SUSPENDED, deletion_due_at=timezone.now())
            return suspended
        workspace = rows.first()
    if workspace is None or not workspace.is_ready:
        return 0
    with in_tenant(workspace):
        return erase_again([*map(UUID, stone["visitors"])], [*map(UUID, stone["leads"])])
