"""A member's picture: taken on the account page, seen by visitors of the workspaces they are in."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tenants.context import in_tenant
from tenants.faces import face_address
from tenants.models import User, Workspace
from tests.plugins.people import client_of

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


def send(client: Client, content: bytes | None, **more: str) -> int:
    given: dict[str, object] = {"name": "Ada", "email": "owner@acme.example", **more}
    if content is not None:
        given["picture"] = SimpleUploadedFile("../me.svg", content)
    return client.post("/account/", given).status_code


def path_of(workspace: Workspace) -> str:
    owner = User.objects.get(email="owner@acme.example")
    with in_tenant(workspace):
        return urlsplit(face_address(owner)).path


def test_a_picture_is_shown_to_everybody_where_its_person_is_a_member(
    owner_client: Client, anonymous_client: Client, workspace: Workspace, other_workspace: Workspace
) -> None:
    assert send(owner_client, PNG) == 302
    path = path_of(workspace)
    shown = anonymous_client.get(path)

    assert (shown.content, shown["Content-Type"]) == (PNG, "image/png")
    assert shown["X-Content-Type-Options"] == "nosniff"
    assert client_of(other_workspace).get(path).status_code == 404
    assert anonymous_client.get(path[:-3] + "zzz").status_code == 404


@pytest.mark.parametrize("content", [b"<svg onload=alert(1)>", b"", PNG + b"\0" * 1024 * 1024])
def test_only_pictures_become_faces(owner_client: Client, workspace: Workspace, content: bytes) -> None:
    assert send(owner_client, content) == 422
    assert path_of(workspace) == ""


def test_a_picture_that_is_taken_away_is_gone(
    owner_client: Client, anonymous_client: Client, workspace: Workspace
) -> None:
    send(owner_client, PNG)
    path = path_of(workspace)
    stored = Path(settings.MEDIA_ROOT) / str(User.objects.get(email="owner@acme.example").avatar.name)
    assert stored.exists()
    send(owner_client, None, remove_picture="on")

    assert anonymous_client.get(path).status_code == 404
    assert not stored.exists()
