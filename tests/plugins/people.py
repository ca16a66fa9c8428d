"""Workspaces and the people in them; every test starts with none, and leaves none."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from typing import Any

import psycopg
import pytest
from django.contrib.auth.hashers import make_password
from django.db import OperationalError, connection
from django.test import Client, TransactionTestCase
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from netvexa.embedded.postgres import OWNER, SUPERUSER
from netvexa.lib.ids import short_id
from tenants.context import in_tenant, nowhere, owner, platform
from tenants.models import Domain, Membership, Role, User, Workspace, schema_name_of
from tenants.provisioning import provision

PASSWORD = "correct horse battery staple"
_EMPTY_PUBLIC = """
DO $$ DECLARE name text; BEGIN
  SET LOCAL session_replication_role = replica;  -- in any order
  FOR name IN SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
              AND relname NOT IN ('django_migrations', 'django_content_type', 'auth_permission')
  LOOP EXECUTE format('DELETE FROM public.%I', name); END LOOP;
END $$;
"""
MakeWorkspace = Callable[..., Workspace]


@pytest.fixture(scope="session")
def django_db_setup() -> None:
    """The database stands already: `tests.plugins.servers` copied it from a migrated one."""


@pytest.fixture(scope="session", autouse=True)
def _clean_up() -> Iterator[None]:
    """After a test that commits: drop the workspaces' schemas and empty the public tables.

    Django's own flush works as the connection's role, which may not truncate, and knows one schema only. Rows
    are deleted because a test leaves few of them: to truncate a hundred tables makes a thousand files anew.
    """
    with pytest.MonkeyPatch.context() as patch:  # pytest-django makes the subclass itself
        patch.setattr(TransactionTestCase, "_fixture_teardown", _empty_database)
        yield


def _empty_database(_case: Any) -> None:
    """What a process of the test still does for a moment can stand in the way: then once more."""
    for _ in range(3):
        with suppress(OperationalError):
            _drop_everything()
            return
    _drop_everything()


def _drop_everything() -> None:
    with owner(), connection.cursor() as cursor:
        cursor.execute(r"SELECT nspname FROM pg_namespace WHERE nspname LIKE 'ws\_%'")
        for (schema,) in cursor.fetchall():
            cursor.execute(f'DROP SCHEMA "{schema}" CASCADE')
    with psycopg.connect(_as_superuser()) as everything:
        everything.execute(_EMPTY_PUBLIC)


def _as_superuser() -> str:
    """Whom neither Row Level Security nor a trigger holds back."""
    return os.environ["DATABASE_URL"].replace(f"//{OWNER}:", f"//{SUPERUSER}:")


def add_member(workspace: Workspace, email: str, role: Role) -> User:
    """A person with a confirmed address in `workspace`, with PASSWORD."""
    with platform():
        user = User.objects.filter(email=email).first() or User.objects.create(
            email=email, password=_hashed()
        )
        Membership.objects.create(workspace=workspace, user=user, role=role)
    return user


@cache
def _hashed() -> str:
    """PASSWORD as it is stored; hashing is slow on purpose, so it is done once."""
    return make_password(PASSWORD)


@pytest.fixture
def make_workspace(db: None) -> MakeWorkspace:
    """Make a ready workspace: `make_workspace("acme")`; its owner is owner@acme.example."""

    def make(slug: str = "acme", **fields: Any) -> Workspace:
        key = short_id()
        with platform():
            workspace: Workspace = Workspace.objects.create(
                key=key, slug=slug, name=slug.title(), schema_name=schema_name_of(key), **fields
            )
            Domain.objects.create(domain=f"{slug}.localhost", tenant=workspace, is_primary=True)
        provision(workspace)
        add_member(workspace, f"owner@{slug}.example", Role.OWNER)
        return workspace

    return make


@pytest.fixture
def workspace(make_workspace: MakeWorkspace) -> Workspace:
    """The workspace a test is about."""
    return make_workspace("acme")


@pytest.fixture
def other_workspace(make_workspace: MakeWorkspace) -> Workspace:
    """Somebody else's workspace."""
    return make_workspace("rival")


@pytest.fixture
def inside(workspace: Workspace) -> Iterator[Workspace]:
    """Stand in `workspace` for the whole test."""
    with in_tenant(workspace):
        yield workspace


def person_of(email: str) -> User:
    """The person with this address, wherever the test stands."""
    with platform():
        return User.objects.get(email=email)


def client_of(workspace: Workspace, user: User | None = None) -> Client:
    """A browser at the workspace's host, logged in as `user` if one is given."""
    client = Client(headers={"host": f"{workspace.slug}.localhost"})
    if user is not None:
        with nowhere():
            client.force_login(user)
    return client


@pytest.fixture
def owner_client(workspace: Workspace) -> Client:
    """The owner of `workspace`, logged in at its host."""
    return client_of(workspace, person_of(f"owner@{workspace.slug}.example"))


@pytest.fixture
def stranger_client(workspace: Workspace, other_workspace: Workspace) -> Client:
    """The owner of another workspace, logged in, at the host of `workspace`."""
    return client_of(workspace, person_of(f"owner@{other_workspace.slug}.example"))


@pytest.fixture
def anonymous_client(workspace: Workspace) -> Client:
    """Nobody, at the host of `workspace`."""
    return client_of(workspace)


def give_second_factor(user: User) -> TOTPDevice:
    """An authenticator that the person has set up already."""
    device: TOTPDevice = TOTPDevice.objects.create(user=user, name="Authenticator", confirmed=True)
    return device


def code_of(device: TOTPDevice) -> str:
    """What the authenticator shows now."""
    return f"{totp(device.bin_key):06d}"


def verify(client: Client, user: User) -> Client:
    """Let the client's log-in count as one with a second factor."""
    device = TOTPDevice.objects.filter(user=user).first() or give_second_factor(user)
    session = client.session
    session[DEVICE_ID_SESSION_KEY] = device.persistent_id
    session.save()
    return client


ClientAs = Callable[[Role], Client]


@pytest.fixture
def client_as(workspace: Workspace) -> ClientAs:
    """A member with this role, logged in: `client_as(Role.VIEWER)` is viewer@acme.example."""

    def make(role: Role) -> Client:
        return client_of(workspace, add_member(workspace, f"{role}@{workspace.slug}.example", role))

    return make
