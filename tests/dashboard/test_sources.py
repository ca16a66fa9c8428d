"""What agents know, as the team sees and changes it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from agents.models import Agent
from knowledge.models import Document, DocumentStatus, Source
from tenants.context import in_tenant
from tenants.models import Role, Workspace
from tests.plugins.people import ClientAs

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent(workspace: Workspace) -> Agent:
    with in_tenant(workspace):
        return Agent.objects.create(name="Vexa")


@pytest.fixture
def document(agent: Agent, workspace: Workspace) -> Document:
    """A document that could not be read."""
    with in_tenant(workspace):
        source = Source.objects.create(agent=agent, kind="url", title="Delivery", url="https://acme.example/")
        return Document.objects.create(
            source=source, title="Delivery", status=DocumentStatus.FAILED, error="The server did not answer."
        )


def titles(workspace: Workspace) -> list[str]:
    with in_tenant(workspace):
        return list(Source.objects.values_list("title", flat=True))


def paths_of(document: Document, agent: Agent) -> list[str]:
    source = document.source_id
    return [
        "/knowledge/",
        f"/knowledge/agents/{agent.pk}/",
        f"/knowledge/{source}/",
        f"/knowledge/documents/{document.pk}/state/",
        f"/knowledge/{source}/row/",
    ]


def test_every_page_shows(owner_client: Client, document: Document, agent: Agent) -> None:
    statuses = [owner_client.get(path).status_code for path in paths_of(document, agent)]

    assert statuses == [200, 200, 200, 286, 286]


def test_the_list_says_when_a_page_was_last_good(
    owner_client: Client, document: Document, workspace: Workspace
) -> None:
    now = timezone.now()
    with in_tenant(workspace):
        Document.objects.update(checked_at=now, good_at=now - timedelta(days=3))
    page = owner_client.get(f"/knowledge/{document.source_id}/").content.decode()
    assert "checked just now, last good 3 d ago" in page


def test_a_page_that_is_left_out_says_why(
    owner_client: Client, document: Document, workspace: Workspace
) -> None:
    with in_tenant(workspace):
        Document.objects.update(status=DocumentStatus.GONE, error="It is a copy of /prices.")
    page = owner_client.get(f"/knowledge/{document.source_id}/?show=gone").content.decode()
    assert "Left out" in page
    assert "It is a copy of /prices." in page


def test_a_stranger_finds_nothing(stranger_client: Client, document: Document, agent: Agent) -> None:
    assert {stranger_client.get(path).status_code for path in paths_of(document, agent)} == {404}


def test_a_pasted_text_is_added(owner_client: Client, agent: Agent, workspace: Workspace) -> None:
    given = {"kind": "text", "title": "Returns", "text": "Thirty days."}

    response = owner_client.post(f"/knowledge/agents/{agent.pk}/add/", given)

    assert response.status_code == 302
    assert titles(workspace) == ["Returns"]


def test_while_a_source_is_read_its_line_asks_again(
    owner_client: Client, agent: Agent, workspace: Workspace
) -> None:
    owner_client.post(
        f"/knowledge/agents/{agent.pk}/add/", {"kind": "text", "title": "Returns", "text": "Thirty days."}
    )
    with in_tenant(workspace):
        source = Source.objects.get()

    response = owner_client.get(f"/knowledge/{source.pk}/row/")

    assert response.status_code == 200
    assert "hx-trigger" in response.content.decode()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"kind": "file"}, "file"),
        ({"kind": "url"}, "url"),
        ({"kind": "url", "url": "ftp://acme.example/"}, "url"),
        ({"kind": "text", "title": "", "text": "x"}, "title"),
        ({"kind": "text", "title": "x", "text": "  "}, "text"),
        ({"kind": "nonsense"}, "kind"),
    ],
)
def test_bad_input_is_told_beside_its_field(
    owner_client: Client, agent: Agent, workspace: Workspace, given: dict[str, str], field: str
) -> None:
    response = owner_client.post(f"/knowledge/agents/{agent.pk}/add/", given)

    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert titles(workspace) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [("empty.txt", b""), ("manual.pdf", b"this is no PDF"), ("picture.gif", b"GIF89a\0\1\0\1\0")],
)
def test_a_file_that_cannot_be_read_is_refused_with_a_sentence(
    owner_client: Client, agent: Agent, name: str, content: bytes
) -> None:
    given = {"kind": "file", "file": SimpleUploadedFile(name, content)}

    response = owner_client.post(f"/knowledge/agents/{agent.pk}/add/", given)

    assert response.status_code == 422
    assert response.context["form"].errors["file"][0].endswith(".")


def test_a_failure_says_why_and_can_be_retried(
    owner_client: Client, document: Document, workspace: Workspace
) -> None:
    page = owner_client.get(f"/knowledge/{document.source_id}/").content.decode()
    assert "The server did not answer." in page

    owner_client.post(f"/knowledge/documents/{document.pk}/retry/")

    with in_tenant(workspace):
        assert Document.objects.get().status == DocumentStatus.WAITING


def test_a_source_is_deleted(owner_client: Client, document: Document, workspace: Workspace) -> None:
    owner_client.post(f"/knowledge/{document.source_id}/delete/")

    assert titles(workspace) == []


def test_a_viewer_changes_nothing(client_as: ClientAs, document: Document, agent: Agent) -> None:
    viewer = client_as(Role.VIEWER)
    paths = [
        f"/knowledge/agents/{agent.pk}/add/",
        f"/knowledge/{document.source_id}/delete/",
        f"/knowledge/documents/{document.pk}/retry/",
        f"/knowledge/documents/{document.pk}/refetch/",
    ]

    assert {viewer.post(path).status_code for path in paths} == {403}
