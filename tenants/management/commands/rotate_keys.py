"""Change the keys that personal data and secrets are sealed with.

`master`: wrap every workspace's data key by the first of NETVEXA_MASTER_KEYS (or the key of NETVEXA_MASTER_KEY_KMS);
afterwards the old master key can be taken out of the environment. `data`: make a new data key for each workspace, or
one, and seal its rows anew; the old key is dropped by the nightly task once nothing needs it. `rows`: only seal what
is not sealed by the newest key. All of them can be stopped and run again.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants import resealing
from tenants.context import platform
from tenants.models import ProvisioningState, Workspace
from tenants.sealed_authenticators import reseal_authenticators
from tenants.sealed_secrets import reseal_secrets


class Command(BaseCommand):
    """Runs while the product is in use."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["master", "data", "rows"])
        parser.add_argument("--workspace", help="The address of the only one that is meant, such as acme.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["what"] == "master":
            self.stdout.write(f"Data keys wrapped anew: {resealing.rewrap_all()}.")
            with platform():
                self.stdout.write(f"Authenticators sealed anew: {reseal_authenticators()}.")
                self.stdout.write(f"Secrets of other services sealed anew: {reseal_secrets()}.")
            return
        for workspace in self._workspaces(options["workspace"]):
            if options["what"] == "data":
                resealing.begin_new_key(workspace)
            self.stdout.write(f"{workspace.slug}: values sealed anew: {resealing.reseal(workspace)}.")

    def _workspaces(self, slug: str | None) -> list[Workspace]:
        with platform():
            ready = Workspace.objects.filter(state=ProvisioningState.READY).order_by("slug")
            found = list(ready.filter(slug=slug) if slug else ready)
        if slug and not found:
            raise CommandError(f"There is no workspace with the address {slug} that is ready.")
        return found
