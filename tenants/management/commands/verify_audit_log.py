"""Look the audit logs through: whether an entry was changed, inserted or taken away behind the product's back."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants import audit_chain
from tenants.context import platform
from tenants.models import Workspace


class Command(BaseCommand):
    """Ends with an error where a chain does not hold."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--workspace", help="The address of the only one that is meant, such as acme.")

    def handle(self, *args: Any, **options: Any) -> None:
        with platform():
            broken = [self._say(place) for place in _places(options["workspace"])]
        if not broken or any(broken):
            raise CommandError("An audit log does not hold, or there is none to look at.")

    def _say(self, workspace: Workspace | None) -> bool:
        """Whether the chain is broken."""
        verdict, name = audit_chain.verify(workspace), workspace.slug if workspace else "staff"
        said = (
            f"holds, {verdict.entries} entries"
            if verdict.holds
            else f"entry {verdict.wrong}: {verdict.problem}"
        )
        self.stdout.write(f"{name}: {said}")
        return not verdict.holds


def _places(slug: str | None) -> list[Workspace | None]:
    rows = Workspace.objects.order_by("slug")
    return list(rows.filter(slug=slug)) if slug else [None, *rows]
