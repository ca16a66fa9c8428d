"""Write tenants/sql/tenant_template.sql from a freshly migrated schema; run after each migration."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from tenants.provisioning import TEMPLATE
from tenants.template import migrated_schema, text_of


class Command(BaseCommand):
    """A test tells when this was forgotten."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        with migrated_schema() as schema:
            text = text_of(schema)
        TEMPLATE.write_text(text, encoding="utf-8")
        self.stdout.write(f"{TEMPLATE.name} is up to date.")
