"""Make somebody staff, who may enter the admin; the person is made if there is no such account."""

from __future__ import annotations

import os
import secrets
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.utils import timezone

from tenants import second_factor
from tenants.context import platform
from tenants.models import User


class Command(BaseCommand):
    """The password comes from NETVEXA_STAFF_PASSWORD, or is made up and printed once."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", required=True)
        parser.add_argument(
            "--remove-second-factor",
            action="store_true",
            help="For somebody who lost it: the next log-in sets up another.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        email = options["email"].strip().lower()
        try:
            validate_email(email)
        except ValidationError as error:
            raise CommandError(f"{email} is no e-mail address.") from error
        with platform():
            self._make(email)
            if options["remove_second_factor"]:
                second_factor.remove(User.objects.get(email=email))
        self.stdout.write("The first log-in to the admin sets up the second factor, which staff always need.")

    def _make(self, email: str) -> None:
        user = User.objects.filter(email=email).first()
        if user is None:
            given = os.environ.get("NETVEXA_STAFF_PASSWORD", "")
            password = given or secrets.token_urlsafe(12)
            User.objects.create_superuser(email, password, email_confirmed_at=timezone.now())
            self.stdout.write(f"{email} is staff now." + ("" if given else f" Password: {password}"))
            return
        user.is_staff = user.is_superuser = True
        user.save(update_fields=["is_staff", "is_superuser"])
        self.stdout.write(f"{email} is staff now, with the password as before.")
