"""How a business comes in: an account, a workspace with an address, and its owner, or nothing at all."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils.text import slugify
from kombu.exceptions import OperationalError

from netvexa.lib.errors import AppError
from netvexa.lib.ids import short_id
from tenants.addresses import host_of
from tenants.context import platform
from tenants.models import Domain, Membership, Role, User, Workspace, schema_name_of, slug_validator
from tenants.tasks import provision_workspace

logger = logging.getLogger(__name__)

RESERVED_SLUGS = frozenset(
    [
        "about",
        "account",
        "accounts",
        "admin",
        "api",
        "app",
        "apps",
        "assets",
        "auth",
        "billing",
        "blog",
        "cdn",
        "chat",
        "console",
        "customer",
        "customers",
        "dashboard",
        "demo",
        "dev",
        "developer",
        "developers",
        "docs",
        "download",
        "email",
        "enterprise",
        "ftp",
        "help",
        "home",
        "imap",
        "internal",
        "login",
        "log-in",
        "mail",
        "manage",
        "media",
        "mx",
        "my",
        "netvexa",
        "news",
        "ns1",
        "ns2",
        "pop",
        "pricing",
        "private",
        "public",
        "root",
        "security",
        "shop",
        "signup",
        "sign-up",
        "smtp",
        "staff",
        "staging",
        "static",
        "status",
        "store",
        "support",
        "system",
        "team",
        "test",
        "webhooks",
        "widget",
        "wiki",
        "workspace",
        "www",
    ]
)
_SLUG_LENGTH = 40


class SlugTaken(AppError):
    """Another workspace has this address; perhaps since a moment ago."""

    code = "slug_taken"
    status = 409
    default_detail = "This address is taken. Please choose another."


class EmailTaken(AppError):
    """There is an account with this e-mail address."""

    code = "email_taken"
    status = 409
    default_detail = "This e-mail address cannot be used for a new account. If it is yours, log in instead."


@dataclass(frozen=True, kw_only=True)
class NewWorkspace:
    """What a person says about the workspace they make."""

    name: str
    slug: str
    time_zone: str = "UTC"


@dataclass(frozen=True, kw_only=True)
class NewPerson:
    """What a person says about themselves at sign-up."""

    name: str
    email: str
    password: str


def suggest_slug(name: str) -> str:
    """An address made of a workspace's name, with a number if the plain one is taken; "" for no name."""
    base = slugify(name)[: _SLUG_LENGTH - 4].strip("-_").replace("_", "-")
    if not base:
        return ""
    base = base if len(base) >= 3 else f"{base}-team"
    candidates = [base, *(f"{base}-{number}" for number in range(2, 10)), f"{base}-{short_id(3)}"]
    taken = set(Workspace.objects.filter(slug__in=candidates).values_list("slug", flat=True))
    return next(slug for slug in candidates if slug not in taken | RESERVED_SLUGS)


def slug_is_free(slug: str) -> bool:
    """May a new workspace have this address? Whoever asks may still lose the race to `create_workspace`."""
    if slug in RESERVED_SLUGS or slug.startswith("xn--"):
        return False
    return not Workspace.objects.filter(slug=slug).exists()


def sign_up(person: NewPerson, new: NewWorkspace) -> Workspace:
    """Make account and workspace together. Raises SlugTaken or EmailTaken; then nothing was made."""
    with platform(), _saying_what_was_taken(), transaction.atomic():
        user = User.objects.create_user(person.email, person.password, name=person.name)
        return _make_workspace(user, new)


def create_workspace(user: User, new: NewWorkspace) -> Workspace:
    """Make a further workspace, owned by `user`. Raises SlugTaken; then nothing was made."""
    with platform(), _saying_what_was_taken(), transaction.atomic():
        return _make_workspace(user, new)


@contextmanager
def _saying_what_was_taken() -> Iterator[None]:
    """Turns a broken unique constraint into the error that says which field it was about."""
    try:
        yield
    except IntegrityError as error:
        constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or ""
        raise (EmailTaken if "user" in constraint else SlugTaken) from error


def _make_workspace(user: User, new: NewWorkspace) -> Workspace:
    slug_validator(new.slug)
    key = short_id()
    workspace: Workspace = Workspace.objects.create(
        key=key, schema_name=schema_name_of(key), slug=new.slug, name=new.name, time_zone=new.time_zone
    )
    Domain.objects.create(domain=host_of(new.slug), tenant=workspace, is_primary=True)
    Membership.objects.create(workspace=workspace, user=user, role=Role.OWNER)
    transaction.on_commit(lambda: start_provisioning(workspace))
    return workspace


def start_provisioning(workspace: Workspace) -> None:
    """Ask a worker to build the schema. With the broker down, beat asks again within a minute."""
    try:
        provision_workspace.delay(str(workspace.pk))
    except OperationalError:
        logger.exception("Provisioning of %s could not be handed to a worker yet", workspace.schema_name)
