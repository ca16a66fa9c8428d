"""The audit log's chain: whoever changes an entry behind the product's back is found out."""

from __future__ import annotations

from threading import Thread

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from tenants import audit, audit_chain
from tenants.context import in_tenant, owner, platform
from tenants.models import AuditEvent, Role, Workspace
from tests.plugins.people import ClientAs


@pytest.fixture
def log(workspace: Workspace) -> Workspace:
    """A workspace whose log has three entries."""
    with in_tenant(workspace):
        for number in range(3):
            audit.note(
                "test", actor="system", subject=str(number), after={"size": 1.5, "a": [None, True, "ü"]}
            )
    return workspace


def tamper(statement: str) -> None:
    """As the role that owns the table, whom nothing forbids anything."""
    with owner(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE tenants_auditevent DISABLE ROW LEVEL SECURITY")
        cursor.execute(statement)
        cursor.execute("ALTER TABLE tenants_auditevent ENABLE ROW LEVEL SECURITY")


def verdict(workspace: Workspace) -> audit_chain.Verdict:
    with in_tenant(workspace):
        return audit_chain.verify(workspace)


@pytest.mark.django_db
def test_a_log_that_nobody_touched_holds(log: Workspace) -> None:
    assert verdict(log) == audit_chain.Verdict(3)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("statement", "wrong"),
    [
        ("UPDATE tenants_auditevent SET actor = 'somebody else' WHERE number = 2", 2),
        ("UPDATE tenants_auditevent SET after = '{\"size\": 2}' WHERE number = 1", 1),
        ("UPDATE tenants_auditevent SET at = at + interval '1 second' WHERE number = 3", 3),
        ("DELETE FROM tenants_auditevent WHERE number = 2", 2),
        ("UPDATE tenants_auditevent SET number = 4 - number WHERE number IN (1, 3)", 1),
    ],
)
def test_the_owner_of_the_table_cannot_change_an_entry_unnoticed(
    statement: str, wrong: int, log: Workspace, request: pytest.FixtureRequest
) -> None:
    if "4 - number" in statement:
        tamper("ALTER TABLE tenants_auditevent DROP CONSTRAINT audit_number_once")
    tamper(statement)

    assert verdict(log).wrong == wrong


@pytest.mark.django_db
def test_entries_that_were_cut_off_at_the_end_are_missed(log: Workspace) -> None:
    with in_tenant(log):
        audit_chain.anchor(log)
    tamper("DELETE FROM tenants_auditevent WHERE number = 3")
    with in_tenant(log):
        audit_chain.anchor(log)

    assert (verdict(log).wrong, verdict(log).problem) == (3, "Entries are missing at the end.")


@pytest.mark.django_db
def test_neither_role_of_the_product_may_change_or_delete(log: Workspace) -> None:
    with platform(), pytest.raises(Exception, match="permission denied"):
        AuditEvent.objects.filter(workspace=log).update(actor="nobody")


@pytest.mark.django_db(transaction=True)
def test_entries_written_at_once_come_one_after_the_other(workspace: Workspace) -> None:
    threads = [Thread(target=_note_five, args=[workspace]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert verdict(workspace) == audit_chain.Verdict(20)


def _note_five(workspace: Workspace) -> None:
    try:
        for _ in range(5):
            with in_tenant(workspace):
                audit.note("test", actor="system")
    finally:
        connection.close()


@pytest.mark.django_db
def test_each_workspace_has_a_chain_of_its_own(log: Workspace, other_workspace: Workspace) -> None:
    with in_tenant(other_workspace):
        audit.note("test", actor="system")

    assert (verdict(log).entries, verdict(other_workspace).entries) == (3, 1)


@pytest.mark.django_db
def test_what_a_page_does_is_chained(owner_client: Client, workspace: Workspace) -> None:
    owner_client.post("/settings/", {"name": "Acme Ltd", "time_zone": "UTC"})

    assert verdict(workspace) == audit_chain.Verdict(1)


@pytest.mark.django_db
def test_the_page_and_the_command_say_whether_it_holds(
    log: Workspace, owner_client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    page = owner_client.post("/audit-log/verify/", follow=True).content.decode()
    call_command("verify_audit_log", workspace="acme")
    assert "The log holds: 3 entries" in page
    assert "acme: holds, 3 entries" in capsys.readouterr().out

    tamper("UPDATE tenants_auditevent SET subject = 'nothing' WHERE number = 2")
    page = owner_client.post("/audit-log/verify/", follow=True).content.decode()
    assert "does not hold at entry 2" in page
    with pytest.raises(CommandError):
        call_command("verify_audit_log")


@pytest.mark.django_db
def test_the_export_holds_what_the_filter_leaves_and_no_formulas(
    log: Workspace, owner_client: Client
) -> None:
    with in_tenant(log):
        audit.note("other", actor="=HYPERLINK(1)", after={"x": 1})

    lines = owner_client.get("/audit-log/export.csv").content.decode().splitlines()
    objects = owner_client.get("/audit-log/export.json", {"action": "other"}).json()

    assert len(lines) == 1 + 4 + 1  # the export itself is an entry
    assert "'=HYPERLINK(1)" in lines[2]
    assert [(one["action"], one["after"], one["number"]) for one in objects] == [("other", {"x": 1}, 4)]


@pytest.mark.django_db
def test_the_log_is_filtered_by_day(log: Workspace, owner_client: Client) -> None:
    assert "Nothing found" in owner_client.get("/audit-log/", {"since": "2999-01-01"}).content.decode()
    assert (
        "Nothing found"
        not in owner_client.get("/audit-log/", {"until": "2999-01-01", "since": "x"}).content.decode()
    )


@pytest.mark.django_db
def test_neither_strangers_nor_support_agents_read_or_export_it(
    log: Workspace, stranger_client: Client, client_as: ClientAs
) -> None:
    teammate = client_as(Role.AGENT)
    assert stranger_client.get("/audit-log/export.csv").status_code == 404
    assert teammate.get("/audit-log/export.json").status_code == 403
    assert teammate.post("/audit-log/verify/").status_code == 403


@pytest.mark.django_db
def test_what_is_secret_or_an_address_is_blanked_in_an_entry(workspace: Workspace) -> None:
    after = {
        "contact_email": "ada@acme.example",
        "identity_secret": "s3cret",
        "key": {"api_key": "sk-1"},
        "input_tokens": 5,
        "digest": "1" * 64,
        "lines": ["Call +43 664 1234567"],
    }
    with in_tenant(workspace):
        audit.note("test", actor="system", after=after)
        told = AuditEvent.objects.get(action="test").after

    assert told == {
        "contact_email": "[e-mail address]",
        "identity_secret": "(hidden)",
        "key": "(hidden)",
        "input_tokens": 5,
        "digest": "1" * 64,
        "lines": ["Call [telephone number]"],
    }
