"""Bring the plans to Stripe: a product for each, and its prices. Safe to run again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.catalogue import sync_plans
from netvexa.lib.errors import AppError


class Command(BaseCommand):
    """Run it after every change of a price."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            changes = sync_plans()
        except AppError as error:
            raise CommandError(error.detail) from None
        for line in changes.lines or ["Stripe has everything already."]:
            self.stdout.write(line)
