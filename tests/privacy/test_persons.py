"""A person's data: found by what they are known by, handed out, erased everywhere, with a receipt."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command

from agents.models import Agent
from chat import attachments, persons
from chat.models import Attachment, CachedAnswer, Conversation, Lead, Message, Visitor
from netvexa.lib.errors import Invalid
from netvexa.lib.ids import short_id
from tenants import receipts
from tenants.context import in_tenant
from tenants.models import AuditEvent, ErasureReceipt, Workspace

ADA = "ada@lovelace.example"


def talk_of(agent: Agent, *, text: str, name: str = "", **known: Any) -> Conversation:
    """A visitor asks something, sends a file with it, and is answered."""
    visitor = Visitor.objects.create(name=name, **known)
    talk = Conversation.objects.create(agent=agent, visitor=visitor, title=text)
    asked = Message.objects.create(conversation=talk, ordinal=1, author="visitor", text=text)
    said = Message.objects.create(
        conversation=talk, ordinal=2, author="ai", text="Yes.", reply_to=asked, receipt={"question": text}
    )
    file = Attachment(
        agent=agent,
        visitor_id=visitor.pk,
        conversation=talk,
        message=asked,
        name="a.txt",
        media_type="text/plain",
        size=3,
    )
    file.file.save(f"{attachments.folder()}/{short_id(20)}", ContentFile(b"ada"))
    CachedAnswer.objects.create(
        agent=agent,
        key=short_id(),
        question=text,
        language="en",
        agent_version=1,
        knowledge_version="1",
        profile="x",
        embedding=[0.0, 1.0],
        text="Yes.",
        message=said,
        expires_at=talk.created_at,
    )
    return talk


@pytest.fixture
def people(inside: Workspace) -> dict[str, Conversation]:
    """Ada is known by an id and by what she left in another chat; Bob has written about her."""
    agent = Agent.objects.create(name="Mia")
    ada = talk_of(agent, text="I am Ada", name="Ada", email=ADA, external_id="4711")
    left = talk_of(agent, text="Call me")
    Lead.objects.create(conversation=left, email=ADA.upper(), phone="+1 555 0100")
    Lead.objects.create(conversation=None, email=ADA)
    bob = talk_of(agent, text=f"Ask {ADA} please", name="Bob", email="bob@example.org")
    return {"ada": ada, "left": left, "bob": bob}


@pytest.mark.django_db
def test_a_person_is_found_by_address_by_visitor_and_by_the_sites_own_id(
    people: dict[str, Conversation],
) -> None:
    by_address, ada = persons.find(f" {ADA.title()} "), people["ada"].visitor_id

    assert set(by_address.visitors) == {ada, people["left"].visitor_id}
    assert persons.find("4711").visitors == persons.find(str(ada)).visitors == [ada]
    assert persons.find("nobody").visitors == persons.find("nobody@example.org").visitors == []
    assert by_address.counts() == {
        "visitors": 2, "conversations": 2, "messages": 4, "leads": 2, "files": 2, "mentions": 1,
    }  # fmt: skip
    with pytest.raises(Invalid):
        persons.find(" ")


@pytest.mark.django_db
def test_the_export_holds_all_of_it_and_nothing_of_others(people: dict[str, Conversation]) -> None:
    given = str(persons.exported(persons.find(ADA)))

    assert all(part in given for part in ("I am Ada", "Call me", "+1 555 0100", "4711", "a.txt"))
    assert "bob" not in given.lower()


@pytest.mark.django_db
def test_after_erasing_nothing_of_the_person_is_left_anywhere(
    people: dict[str, Conversation], django_capture_on_commit_callbacks: Any
) -> None:
    files = [str(row.file.name) for row in persons.find(ADA).files]
    with django_capture_on_commit_callbacks(execute=True):
        persons.erase(persons.find(ADA), actor="owner@acme.example")

    assert len(files) == 2
    assert not any(map(default_storage.exists, files))
    assert not any(persons.find(ADA).counts().values())
    assert list(Conversation.objects.all()) == [people["bob"]]
    question, answer = Message.objects.order_by("ordinal")
    assert question.text == "Ask [erased] please"
    assert (answer.receipt, Conversation.objects.get().title) == ({}, "Ask [erased] please")
    assert not CachedAnswer.objects.exists()
    assert Visitor.objects.get().email == "bob@example.org"


@pytest.mark.django_db
def test_the_receipt_says_how_much_and_not_of_whom(
    people: dict[str, Conversation], workspace: Workspace
) -> None:
    persons.erase(persons.find(ADA), actor="owner@acme.example")

    row = ErasureReceipt.objects.get()
    file = receipts.as_json(row)
    assert file["erased"]["conversations"] == 2
    assert file["digest_holds"] is True
    assert row.subject_mark in receipts.marks_of(workspace.key, ADA.upper())
    event = AuditEvent.objects.get(action="visitor.erased")
    assert (event.subject, (event.after or {})["digest"]) == (str(row.pk), row.digest)
    assert "lovelace" not in f"{file} {event.after}"
    row.counts["conversations"] = 1
    assert not receipts.holds(row)


@pytest.mark.django_db
def test_a_restored_backup_is_erased_again(people: dict[str, Conversation], workspace: Workspace) -> None:
    backup = [*Visitor.objects.filter(pk=people["ada"].visitor_id), people["ada"]]
    persons.erase(persons.find(ADA), actor="system")
    for row in backup:
        row.save(force_insert=True)
    assert persons.find(ADA).visitors

    call_command("apply_tombstones")

    assert persons.find(ADA).visitors == []
    assert Visitor.objects.get().email == "bob@example.org"


@pytest.mark.django_db
def test_tombstones_hold_ids_only(people: dict[str, Conversation], workspace: Workspace) -> None:
    persons.erase(persons.find(ADA), actor="system")

    (stone,) = [one for one in receipts.tombstones() if one["workspace"] == workspace.key]
    assert str(people["ada"].visitor_id) in stone["visitors"]
    assert "lovelace" not in str(stone)


@pytest.mark.django_db
def test_another_workspaces_person_of_the_same_address_stays(
    people: dict[str, Conversation], other_workspace: Workspace
) -> None:
    with in_tenant(other_workspace):
        Visitor.objects.create(email=ADA)

    persons.erase(persons.find(ADA), actor="system")

    with in_tenant(other_workspace):
        assert len(persons.find(ADA).visitors) == 1
