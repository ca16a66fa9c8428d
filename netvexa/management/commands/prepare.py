"""Bring the database, the embedding model, the static files and the demo workspace up to date."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection

from knowledge.embedding import ensure_exported
from netvexa import demo
from netvexa.defaults import defaults
from tenants.context import owner
from tenants.provisioning import open_schemas, workspaces_behind
from tenants.resealing import reseal


class Command(BaseCommand):
    """Safe to run at every start: what is done already is not done again."""

    help = __doc__
    requires_system_checks: list[str] = []  # noqa: RUF012  Django's own declaration; some need the database

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--summary", type=Path, help="Leave in this file, as JSON, where everything is and how to log in."
        )
        parser.add_argument("--no-demo", action="store_true", help="Make no demo workspace.")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("Bringing the database up to date.")
        try:
            with owner():
                connection.ensure_connection()
        except OperationalError as error:
            raise CommandError(f"DATABASE_URL: the database cannot be reached: {_one_line(error)}") from None
        call_command("migrate_schemas", shared=True, verbosity=0)
        open_schemas()
        for workspace in workspaces_behind():
            self.stdout.write(f"Bringing workspace {workspace.slug} up to date.")
            call_command("migrate_schemas", schema_name=workspace.schema_name, verbosity=0)
            reseal(workspace)
        if settings.STRIPE_IS_STAND_IN:
            self.stdout.write("Connecting with the stand-in for Stripe.")
            call_command("connect_stripe", stdout=self.stdout)
        self.stdout.write("Preparing the embedding model.")
        ensure_exported()
        call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=["src", "widget"])
        if not options["no_demo"]:
            self.stdout.write("Preparing the demo workspace.")
            demo.ensure()
        if options["summary"]:
            _leave(options["summary"])


def _leave(file: Path) -> None:
    """It holds a password: only the owner reads it."""
    summary = json.dumps(_summary())
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(summary, encoding="utf-8")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _summary() -> dict[str, Any]:
    workspace_url = settings.ROOT_URL.replace("://", f"://{demo.SLUG}.", 1)
    admin_url = settings.ROOT_URL.replace("://", "://admin.", 1)
    return {
        "addresses": [
            {"name": "Homepage", "url": settings.ROOT_URL},
            {"name": "Demo workspace", "url": workspace_url},
            {"name": "API", "url": f"{workspace_url}/api/v1/docs/"},
            {"name": "Staff admin (its first log-in sets up a second factor)", "url": admin_url},
            *_stand_in(),
        ],
        "login": {"e-mail": demo.EMAIL, "password": demo.password()},
        "defaults": defaults(),
    }


def _stand_in() -> list[dict[str, str]]:
    address = settings.CONFIG.stripe_api_host
    return [{"name": "Stripe's clock", "url": f"{address}/clock"}] if address else []
