"""Give a workspace a database role of its own, which no other workspace's work can stand in for."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants.context import platform
from tenants.models import Workspace
from tenants.provisioning import give_own_role, shut_out_shared_role


class Command(BaseCommand):
    """Two steps: give the role; then, once web servers and workers were restarted, `--shut` out the shared one."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="The workspace's address, its first part.")
        parser.add_argument(
            "--shut", action="store_true", help="Take the shared role its rights on the schema."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with platform():
            workspace: Workspace | None = Workspace.objects.filter(slug=options["slug"]).first()
        if workspace is None or not workspace.is_ready:
            raise CommandError(f"There is no workspace {options['slug']} that is ready.")
        if not options["shut"]:
            role = give_own_role(workspace)
            self.stdout.write(
                f"{workspace.slug} works as {role}. Restart web servers and workers, then add --shut."
            )
            return
        if not workspace.own_role:
            raise CommandError(f"{workspace.slug} has no role of its own yet: run this without --shut first.")
        shut_out_shared_role(workspace)
        self.stdout.write(f"Only {workspace.own_role} may work in {workspace.slug} now.")
