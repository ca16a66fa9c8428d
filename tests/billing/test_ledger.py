"""The ledger's lines of every kind, its hourly buckets, and what becomes of reservations that nobody ended."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from agents.models import Agent
from billing import calls, ledger, tasks
from billing.models import UsageBucket, UsageEntry, UsageHour, UsageKind, UsageState
from billing.usage import reserve, settle, this_month, usage_of
from knowledge.models import Document, DocumentStatus, Source, SourceKind, Version
from tenants.context import identity, in_tenant, owner, platform
from tenants.keys import Scope
from tenants.models import Role, Workspace
from tests.plugins.integrators import at_host, new_key
from tests.plugins.people import add_member

pytestmark = pytest.mark.django_db


def sums() -> dict[str, int]:
    rows = UsageEntry.objects.values_list("kind").annotate(sum=Sum("quantity"))
    return {kind: number for kind, number in rows if number}


def add_document(pages: int, size: int) -> Document:
    agent = Agent.objects.first() or Agent.objects.create(name="Mia")
    source = Source.objects.create(agent=agent, kind=SourceKind.FILE, title="Handbook")
    document = Document.objects.create(source=source, title="Handbook", status=DocumentStatus.READY)
    document.live = Version.objects.create(document=document, number=1, pages=pages, size=size)
    document.save(update_fields=["live"])
    return document


def test_pages_storage_and_seats_are_taken_down_as_they_change(inside: Workspace) -> None:
    document = add_document(pages=12, size=5000)
    ledger.take_down(inside)
    assert sums() == {"pages": 12, "storage": 5000, "seats": 1}

    document.delete()
    add_member(inside, "mate@acme.example", Role.VIEWER)
    ledger.take_down(inside)
    ledger.take_down(inside)

    assert sums() == {"seats": 2}
    assert usage_of(inside)[UsageKind.SEATS].used == 2
    assert UsageEntry.objects.filter(kind=UsageKind.PAGES).count() == 2


def test_a_month_begins_with_what_there_is(inside: Workspace) -> None:
    earlier = (this_month() - timedelta(days=1)).replace(day=1)
    UsageBucket.objects.create(workspace=inside, kind=UsageKind.SEATS, period=earlier, used=1)
    ledger.take_down(inside)

    assert not UsageEntry.objects.filter(kind=UsageKind.SEATS).exists()
    assert usage_of(inside)[UsageKind.SEATS].used == 1


def test_api_calls_of_an_hour_are_one_line(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    program = at_host(workspace, new_key(workspace, Scope.READ_ANALYTICS).secret)
    for _ in range(3):
        assert program.get("usage/").status_code == 200
    now = timezone.now()
    with in_tenant(workspace):
        ledger.take_down(workspace)
        assert not UsageEntry.objects.filter(kind=UsageKind.API_CALLS).exists()  # the hour is not over

        monkeypatch.setattr(timezone, "now", lambda: now + timedelta(hours=1))
        ledger.take_down(workspace)
        ledger.take_down(workspace)
        line = UsageEntry.objects.get(kind=UsageKind.API_CALLS)
    assert (line.quantity, line.state) == (3, UsageState.SETTLED)


def test_an_hour_that_was_taken_down_is_not_taken_again(
    inside: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls.note(inside, 5)
    later = timezone.now() + timedelta(hours=1)
    monkeypatch.setattr(timezone, "now", lambda: later)
    with monkeypatch.context() as patch:
        patch.setattr(calls, "forget", lambda *_: None)  # the process dies before it says so
        ledger.take_down(inside)
    ledger.take_down(inside)

    assert usage_of(inside)[UsageKind.API_CALLS].used == 5
    assert calls.of_past_hours(inside) == {}


def test_a_reservation_that_nobody_ended_is_given_back(inside: Workspace) -> None:
    left, done, young = (
        reserve(inside, kind=UsageKind.ANSWERS, limit=None, reference="a message") for _ in range(3)
    )
    settle(done.id, tokens=1, cost_micro_usd=1, estimated=False)
    for one in (left, done):
        _age(one.id, hours=2)

    assert ledger.release_stale(inside) == 1
    assert ledger.release_stale(inside) == 0
    assert usage_of(inside)[UsageKind.ANSWERS].used == 2
    assert UsageEntry.objects.get(reservation=left.id).state == UsageState.RELEASED
    assert not UsageEntry.objects.filter(reservation=young.id).exists()


def _age(entry_id: UUID, *, hours: int) -> None:
    """As if it stood there longer; only the tables' owner may change a line."""
    before = timezone.now() - timedelta(hours=hours)
    with owner(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE public.billing_usageentry SET created_at = %s WHERE id = %s", [before, entry_id]
        )


def test_hourly_buckets_are_the_ledgers_sums(workspace: Workspace, other_workspace: Workspace) -> None:
    for one, number in ((workspace, 3), (other_workspace, 1)):
        with in_tenant(one):
            for _ in range(number):
                made = reserve(one, kind=UsageKind.ANSWERS, limit=None, reference="a message")
                settle(made.id, tokens=10, cost_micro_usd=7, estimated=False)
    with platform():
        for _ in range(2):
            tasks.take_down_usage.run()
        rows = UsageHour.objects.filter(workspace=workspace, kind__in=("answers", "tokens"))
        assert sorted(rows.values_list("kind", "quantity", "cost_micro_usd")) == [
            ("answers", 3, 21),
            ("tokens", 30, 0),
        ]
    with in_tenant(other_workspace), identity():
        assert UsageHour.objects.get(kind="answers").quantity == 1


def test_one_workspaces_trouble_is_not_the_others(
    workspace: Workspace, other_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(one: Workspace) -> None:
        if one == workspace:
            raise RuntimeError("broken")
        taken.append(one)

    taken: list[Workspace] = []
    monkeypatch.setattr(ledger, "take_down", failing)
    with platform():
        tasks.take_down_usage.run()

    assert taken == [other_workspace]
