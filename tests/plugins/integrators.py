"""Integrators with keys."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from tenants.context import in_tenant
from tenants.keys import NewKey, Scope, make_key
from tenants.models import User, Workspace

MakeKey = Callable[..., NewKey]


def new_key(
    workspace: Workspace, *scopes: Scope, expires_at: datetime | None = None, person: User | None = None
) -> NewKey:
    with in_tenant(workspace):
        return make_key(name="CI", scopes=list(scopes), created_by=person, expires_at=expires_at)


class Integrator:
    """Somebody's program, at a host, with a key."""

    def __init__(self, secret: str, *, host: str, root: str) -> None:
        headers = {"host": host, "accept": "application/json"}
        if secret:
            headers["authorization"] = f"Bearer {secret}"
        self.root, self.client = root, Client(headers=headers)

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(self.root + path, query)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.client.post(self.root + path, body or {}, "application/json", headers=headers)

    def patch(self, path: str, body: Any) -> Any:
        return self.client.patch(self.root + path, body, "application/json")

    def put(self, path: str, body: Any) -> Any:
        return self.client.put(self.root + path, body, "application/json")

    def delete(self, path: str) -> Any:
        return self.client.delete(self.root + path)

    def upload(self, path: str, fields: dict[str, Any]) -> Any:
        return self.client.post(self.root + path, fields)


def at_host(workspace: Workspace, secret: str) -> Integrator:
    return Integrator(secret, host=f"{workspace.slug}.localhost", root="/api/v1/")


def at_api_host(secret: str) -> Integrator:
    return Integrator(secret, host="api.localhost", root="/v1/")


@pytest.fixture
def owner(workspace: Workspace) -> User:
    return User.objects.get(email="owner@acme.example")


@pytest.fixture
def secret(workspace: Workspace, owner: User) -> str:
    """A key that may do everything in `workspace`."""
    return new_key(workspace, Scope.ADMIN, person=owner).secret


@pytest.fixture(params=["workspace's host", "API host"])
def api(request: pytest.FixtureRequest, workspace: Workspace, secret: str) -> Integrator:
    """An integrator with every right, at each of the two doors."""
    return at_host(workspace, secret) if request.param == "workspace's host" else at_api_host(secret)


@pytest.fixture
def rival(other_workspace: Workspace) -> Integrator:
    """An integrator of another workspace, at the API host."""
    return at_api_host(new_key(other_workspace, Scope.ADMIN).secret)
