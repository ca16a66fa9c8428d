"""What the audit log and the account tables keep no longer, and a chain that holds all the same."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tenants import audit, audit_chain
from tenants.audit_retention import KEPT, shorten_all
from tenants.context import in_tenant, platform
from tenants.models import AuditEvent, Invitation, Membership, TokenGrant, User, Workspace
from tenants.tasks import clear_sessions, shorten_audit_logs
from tests.privacy.test_audit_chain import tamper, verdict

pytestmark = pytest.mark.django_db


@pytest.fixture
def log(workspace: Workspace) -> Workspace:
    """Three entries of long ago, and two of today."""
    long_ago = timezone.now() - KEPT - timedelta(days=1)
    with in_tenant(workspace):
        for _ in range(3):
            audit_chain.append(AuditEvent(workspace=workspace, actor="system", action="old", at=long_ago))
        audit.note("new", actor="system")
        audit.note("new", actor="system")
    return workspace


def numbers(workspace: Workspace) -> list[int | None]:
    with in_tenant(workspace):
        return list(AuditEvent.objects.order_by("number").values_list("number", flat=True))


def shorten() -> int:
    with platform():
        return shorten_all()


def test_old_entries_go_and_the_chain_holds(log: Workspace) -> None:
    assert shorten() == 3

    assert numbers(log) == [4, 5, 6]
    assert verdict(log).holds
    with in_tenant(log):
        told = AuditEvent.objects.get(number=6)
        assert (told.action, (told.after or {})["through"]) == (audit_chain.SHORTENED, 3)
        audit.note("after", actor="system")
    assert verdict(log).holds
    assert shorten() == 0


def test_it_goes_on_when_the_entry_that_told_goes_itself(log: Workspace) -> None:
    with platform():
        shorten_audit_logs.run()
    later = timezone.now() + KEPT
    with in_tenant(log):
        audit_chain.append(AuditEvent(workspace=log, actor="system", action="much later", at=later))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tenants.audit_retention.timezone.now", lambda: later + timedelta(days=1))
        assert shorten() == 3

    assert verdict(log).holds
    assert numbers(log) == [7, 8]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM tenants_auditevent WHERE number = 4",
        "UPDATE tenants_auditevent SET after = after || '{\"through\": 4}' WHERE number = 6",
    ],
)
def test_nobody_else_shortens_it_unnoticed(statement: str, log: Workspace) -> None:
    shorten()
    tamper(statement)

    assert not verdict(log).holds


def test_a_log_that_does_not_hold_is_evidence_and_stays(log: Workspace) -> None:
    tamper("UPDATE tenants_auditevent SET actor = 'somebody else' WHERE number = 2")

    assert shorten() == 0
    assert numbers(log) == [1, 2, 3, 4, 5]


def test_what_was_anchored_before_it_was_shortened_is_no_alarm(log: Workspace) -> None:
    with platform():
        audit_chain.anchor(log)
    shorten()

    assert verdict(log).holds


def test_invitations_and_tokens_that_ran_out_go(workspace: Workspace) -> None:
    owner = User.objects.get(email="owner@acme.example")
    now = timezone.now()
    with platform():
        member = Membership.objects.get(user=owner)
        for days in (31, 29):
            Invitation.objects.create(
                workspace=workspace,
                email=f"{days}@guest.example",
                token_hash=str(days),
                invited_by=owner,
                expires_at=now - timedelta(days=days),
            )
        for days in (-1, 1):
            TokenGrant.objects.create(
                workspace=workspace,
                member=member,
                refresh_jti=str(days),
                expires_at=now + timedelta(days=days),
            )

    with platform():
        clear_sessions.run()

    with platform():
        assert [row.email for row in Invitation.objects.all()] == ["29@guest.example"]
        assert [row.refresh_jti for row in TokenGrant.objects.all()] == ["1"]
