"""Files of visitors and of the team: what is taken, who reads it, and how it is handed out."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from agents.models import Agent
from billing.models import Entitlement
from billing.plans import MB, PLANS, Limit, Tier
from billing.storage import stored_bytes
from chat import attachments, conversations, erasure, history, tokens, turns
from chat.conversations import Door
from chat.models import Attachment, Conversation
from netvexa.lib.errors import NotFound
from tenants.context import in_tenant, platform
from tenants.models import Role, Workspace
from tests.plugins.people import ClientAs, client_of

pytestmark = pytest.mark.django_db(transaction=True)
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
SHOP = "https://shop.example"


@pytest.fixture
def agent(workspace: Workspace) -> Agent:
    with in_tenant(workspace):
        return Agent.objects.create(name="Ada", attachments_enabled=True, allowed_origins=[SHOP])


@pytest.fixture
def visitor() -> UUID:
    return uuid4()


def upload(
    agent: Agent, workspace: Workspace, visitor: UUID, content: bytes = PNG, name: str = "a.png", **more: Any
) -> Any:
    """What the widget does with a file."""
    token = tokens.visitor_token(visitor, agent=agent)
    headers = {"authorization": f"Bearer {token}", "origin": SHOP, **more.pop("headers", {})}
    given = {"file": SimpleUploadedFile(name, content), "conversation": str(uuid4()), **more}
    return client_of(workspace).post(f"/widget/upload/{agent.public_id}/", given, headers=headers)


def sent(agent: Agent, visitor: UUID, *ids: str, text: str = "Look") -> UUID:
    """A message of the visitor with these files; the conversation's id. Inside the workspace."""
    door = Door(agent=agent, visitor_id=visitor)
    turns.accept(door, client_id=uuid4(), text=text, writer="me.1", attachments=[UUID(one) for one in ids])
    return door.conversation_id


@pytest.mark.parametrize(
    ("name", "content", "kept", "media_type"),
    [
        ("photo.png", PNG, "photo.png", "image/png"),
        ("page.html", PNG, "page.html.png", "image/png"),
        ("bill.PDF", b"%PDF-1.7 x", "bill.PDF", "application/pdf"),
        ("notes", "Grüße".encode(), "notes.txt", "text/plain"),
        ('a"\u202egnp.exe', b"just text", "a_gnp.exe.txt", "text/plain"),
    ],
)
def test_a_file_is_what_its_bytes_say(
    agent: Agent, workspace: Workspace, visitor: UUID, name: str, content: bytes, kept: str, media_type: str
) -> None:
    response = upload(agent, workspace, visitor, content, name)

    assert response.status_code == 201
    assert (response.json()["name"], response.json()["type"]) == (kept, media_type)
    assert response["Access-Control-Allow-Origin"] == SHOP


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", 415),
        (b"\xef\xbb\xbf <!doctype html><script>", 415),
        (b"MZ\x90\x00\x03", 415),
        (b"PK\x03\x04\x14\x00", 415),
        (b"", 400),
        (PNG + b"\0" * 10 * MB, 413),
    ],
    ids=["drawing", "page", "program", "archive", "empty", "large"],
)
def test_what_is_not_passed_on_is_refused_in_words(
    agent: Agent, workspace: Workspace, visitor: UUID, content: bytes, status: int
) -> None:
    response = upload(agent, workspace, visitor, content)

    assert response.status_code == status
    assert response.json()["detail"].endswith(".")
    with in_tenant(workspace):
        assert not Attachment.objects.exists()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://evil.example"}, 403),
        ({"authorization": "Bearer forged:token:here"}, 401),
        ({"authorization": ""}, 401),
    ],
)
def test_only_a_visitor_on_an_own_site_uploads(
    agent: Agent, workspace: Workspace, visitor: UUID, headers: dict[str, str], status: int
) -> None:
    assert upload(agent, workspace, visitor, headers=headers).status_code == status


def test_where_files_are_off_none_is_taken(agent: Agent, workspace: Workspace, visitor: UUID) -> None:
    with in_tenant(workspace):
        Agent.objects.update(attachments_enabled=False)
    assert upload(agent, workspace, visitor).status_code == 403


def test_the_agent_of_another_workspace_is_not_there(
    agent: Agent, other_workspace: Workspace, visitor: UUID
) -> None:
    assert upload(agent, other_workspace, visitor).status_code == 404


def test_a_browser_may_ask_first(agent: Agent, workspace: Workspace) -> None:
    path = f"/widget/upload/{agent.public_id}/"
    allowed = client_of(workspace).options(path, headers={"origin": SHOP})
    refused = client_of(workspace).options(path, headers={"origin": "https://evil.example"})

    assert allowed["Access-Control-Allow-Headers"] == "Authorization, Content-Type"
    assert "Access-Control-Allow-Origin" not in refused


def test_storage_counts_and_ends(agent: Agent, workspace: Workspace, visitor: UUID) -> None:
    with platform():
        Entitlement.objects.create(workspace=workspace, tier=Tier.STARTER.value)
    upload(agent, workspace, visitor)
    with in_tenant(workspace):
        assert stored_bytes() == len(PNG)
        Attachment.objects.update(size=PLANS[Tier.STARTER].limits[Limit.STORAGE_BYTES])

    assert upload(agent, workspace, visitor).json()["code"] == "limit_reached"


def test_too_many_at_once_wait(agent: Agent, workspace: Workspace, visitor: UUID) -> None:
    answers = [upload(agent, workspace, visitor, b"") for _ in range(21)]

    assert answers[-1].status_code == 429
    assert int(answers[-1]["Retry-After"]) >= 1


def test_a_link_hands_out_a_download_that_runs_nothing(
    agent: Agent, workspace: Workspace, visitor: UUID
) -> None:
    link = upload(agent, workspace, visitor, b"just text", "no\u00e9l.txt").json()["url"]
    response = client_of(workspace).get("/widget/" + link.split("/widget/")[1])

    assert response.content == b"just text"
    assert response["Content-Disposition"].startswith("attachment;")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_a_link_is_for_its_workspace_and_not_for_ever(
    agent: Agent, workspace: Workspace, other_workspace: Workspace, visitor: UUID, monkeypatch: Any
) -> None:
    path = "/widget/" + upload(agent, workspace, visitor).json()["url"].split("/widget/")[1]

    assert client_of(workspace).get(path).status_code == 200
    assert client_of(workspace).get(path, headers={"origin": "https://evil.example"}).status_code == 403
    assert client_of(other_workspace).get(path).status_code == 404
    assert client_of(workspace).get(path[:-5] + "aaaa/").status_code == 404
    monkeypatch.setattr(attachments, "LINK_LIFETIME", timedelta(seconds=-1))
    assert client_of(workspace).get(path).status_code == 404


def test_a_message_carries_files_and_the_history_shows_them(
    agent: Agent, workspace: Workspace, visitor: UUID
) -> None:
    first, second = (upload(agent, workspace, visitor).json()["id"] for _ in range(2))
    with in_tenant(workspace):
        conversation = sent(agent, visitor, first, second, text="")
        entry = history.history_of(conversation, until=100, written={})[0]
        row = Conversation.objects.get()

    assert [one["id"] for one in entry["attachments"]] == [first, second]
    assert row.title == "a.png"


def test_nobody_sends_anothers_file_or_one_twice(agent: Agent, workspace: Workspace, visitor: UUID) -> None:
    mine = upload(agent, workspace, visitor).json()["id"]
    with in_tenant(workspace):
        with pytest.raises(NotFound):
            sent(agent, uuid4(), mine)
        sent(agent, visitor, mine)
        with pytest.raises(NotFound):
            sent(agent, visitor, mine)


def files_of(workspace: Workspace) -> list[Path]:
    folder = Path(settings.MEDIA_ROOT) / "workspaces" / workspace.key / "chat"
    return sorted(folder.iterdir())


def test_files_go_with_their_conversation(agent: Agent, workspace: Workspace, visitor: UUID) -> None:
    mine = upload(agent, workspace, visitor).json()["id"]
    assert len(files_of(workspace)) == 1
    with in_tenant(workspace):
        erasure.delete_conversations([sent(agent, visitor, mine)])
        assert not Attachment.objects.exists()
    assert files_of(workspace) == []


def test_what_was_never_sent_goes_after_a_day(agent: Agent, workspace: Workspace, visitor: UUID) -> None:
    upload(agent, workspace, visitor)
    with in_tenant(workspace):
        assert attachments.clear_unsent() == 0
        Attachment.objects.update(created_at=timezone.now() - timedelta(days=2))
        assert attachments.clear_unsent() == 1
    assert files_of(workspace) == []


def test_the_data_of_a_visitor_is_theirs_alone(agent: Agent, workspace: Workspace, visitor: UUID) -> None:
    mine = upload(agent, workspace, visitor).json()["id"]
    with in_tenant(workspace):
        conversation = sent(agent, visitor, mine, text="Where is my order?")
        door = Door(agent=agent, conversation_id=conversation, visitor_id=visitor)
        conversations.leave_contact(door, {"email": "eve@example.org"})
        sent(agent, uuid4(), text="Somebody else's words")

    def asked(who: UUID, origin: str = SHOP) -> Any:
        headers = {"authorization": f"Bearer {tokens.visitor_token(who, agent=agent)}", "origin": origin}
        return client_of(workspace).get(f"/widget/data/{agent.public_id}/", headers=headers)

    data = asked(visitor)
    (talk,) = data.json()["conversations"]
    assert data["Content-Disposition"].startswith("attachment")
    assert talk["messages"][0]["text"] == "Where is my order?"
    assert talk["messages"][0]["files"][0]["name"] == "a.png"
    assert talk["contact_details"][0]["email"] == "eve@example.org"
    assert "Somebody else" not in data.content.decode()
    assert asked(uuid4()).json() == {"visitor": None, "conversations": [], "files_not_sent": []}
    for origin in ("https://evil.example", "http://["):
        assert asked(visitor, origin).status_code == 403


def test_the_team_sends_and_reads_files(
    agent: Agent, workspace: Workspace, visitor: UUID, owner_client: Client, client_as: ClientAs
) -> None:
    mine = upload(agent, workspace, visitor).json()["id"]
    with in_tenant(workspace):
        talk = sent(agent, visitor, mine)
    bill = SimpleUploadedFile("bill.pdf", b"%PDF-1.7 x")
    owner_client.post(f"/conversations/{talk}/reply/", {"text": "", "files": [bill]})
    page = owner_client.get(f"/conversations/{talk}/").content.decode()

    assert "bill.pdf" in page
    got = client_as(Role.VIEWER).get(f"/conversations/{talk}/files/{mine}/")
    assert (got.content, got["Content-Disposition"]) == (PNG, 'attachment; filename="a.png"')
    assert owner_client.get(f"/conversations/{uuid4()}/files/{mine}/").status_code == 404


def test_strangers_read_no_file_of_a_conversation(
    agent: Agent, workspace: Workspace, visitor: UUID, stranger_client: Client, anonymous_client: Client
) -> None:
    mine = upload(agent, workspace, visitor).json()["id"]
    with in_tenant(workspace):
        path = f"/conversations/{sent(agent, visitor, mine)}/files/{mine}/"
    assert stranger_client.get(path).status_code == 404
    assert anonymous_client.get(path).status_code == 302


def test_a_file_that_cannot_be_sent_leaves_the_reply_unsent(
    agent: Agent, workspace: Workspace, visitor: UUID, owner_client: Client
) -> None:
    with in_tenant(workspace):
        talk = sent(agent, visitor)
    program = SimpleUploadedFile("run.exe", b"MZ\x90\x00\x03")
    answer = owner_client.post(
        f"/conversations/{talk}/reply/", {"text": "Here", "files": [program]}, headers={"hx-request": "true"}
    )

    assert answer.status_code == 415
    with in_tenant(workspace):
        assert Conversation.objects.get().state == "bot"
