"""`migrate_schemas`, run as the role that owns the tables."""

from __future__ import annotations

from typing import Any

from django_tenants.management.commands.migrate_schemas import Command as TenantsCommand

from tenants.context import owner
from tenants.rls import bootstrap


class Command(TenantsCommand):
    """django-tenants' command; only the owner may change tables."""

    def handle(self, *args: Any, **options: Any) -> None:
        bootstrap()
        with owner():
            super().handle(*args, **options)
