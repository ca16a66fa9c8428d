"""Connect this installation with Stripe: webhook endpoint and plans. Safe to run again."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from billing.endpoints import connect
from netvexa.lib.errors import AppError


class Command(BaseCommand):
    """Run it once with the key set, and again when the address of the installation changes."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            endpoint = connect()
        except AppError as error:
            raise CommandError(error.detail) from None
        self.stdout.write(f"Stripe sends events to {endpoint.url}")
        call_command("sync_plans", stdout=self.stdout)
