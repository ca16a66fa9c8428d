"""Write tenants/sql/tenant_template.sql from a freshly migrated schema; run after each tenant migration."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection

from tenants.context import owner
from tenants.provisioning import TEMPLATE
from tenants.template import statements_of

SCRATCH = "nvx_template_scratch"


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        with owner(), connection.cursor() as cursor:
            cursor.execute(f"DROP SCHEMA IF EXISTS {SCRATCH} CASCADE")
            cursor.execute(f"CREATE SCHEMA {SCRATCH}")
        try:
            call_command("migrate_schemas", schema_name=SCRATCH, verbosity=0)
            with owner():
                statements = statements_of(SCRATCH)
        finally:
            with owner(), connection.cursor() as cursor:
                cursor.execute(f"DROP SCHEMA IF EXISTS {SCRATCH} CASCADE")
        TEMPLATE.parent.mkdir(exist_ok=True)
        head = "-- Made by `manage.py make_tenant_template` from a migrated schema. Do not edit.\n"
        TEMPLATE.write_text(head + ";\n".join(statements) + ";\n", encoding="utf-8")
        self.stdout.write(f"{TEMPLATE.name}: {len(statements)} statements")
