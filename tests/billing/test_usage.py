"""The month's quota: held exactly, and counted once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.utils import timezone

from billing.models import UsageEntry, UsageKind, UsageState
from billing.usage import QuotaExceeded, Reservation, release, reserve, settle, usage_of
from tenants.context import in_tenant
from tenants.models import Workspace

ANSWERS = UsageKind.ANSWERS


def take(workspace: Workspace, limit: int | None = None) -> Reservation:
    return reserve(workspace, kind=ANSWERS, limit=limit, reference="a message")


def used(workspace: Workspace) -> int:
    return usage_of(workspace)[ANSWERS].used


@pytest.mark.django_db(transaction=True)
def test_a_hundred_at_once_at_a_limit_of_fifty_let_fifty_through(workspace: Workspace) -> None:
    threads = 10
    start = Barrier(threads)

    def ask_ten_times(_: int) -> int:
        start.wait()
        try:
            return sum(_admitted(workspace, limit=50) for _ in range(10))
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        admitted = sum(pool.map(ask_ten_times, range(threads)))

    assert admitted == 50
    with in_tenant(workspace):
        assert used(workspace) == 50
        assert UsageEntry.objects.count() == 50


def _admitted(workspace: Workspace, *, limit: int) -> bool:
    with in_tenant(workspace):
        try:
            take(workspace, limit)
        except QuotaExceeded:
            return False
    return True


@pytest.mark.django_db(transaction=True)
def test_a_reservation_is_settled_once_though_many_settle_it_at_once(workspace: Workspace) -> None:
    with in_tenant(workspace):
        reservation = take(workspace)
    start = Barrier(6)

    def finish(number: int) -> bool:
        start.wait()
        try:
            with in_tenant(workspace):
                if number % 2:
                    return release(reservation.id)
                return settle(reservation.id, tokens=10, cost_micro_usd=5, estimated=False)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(finish, range(6)))

    assert done.count(True) == 1
    with in_tenant(workspace):
        entry, usage = UsageEntry.objects.get(), usage_of(workspace)[ANSWERS]
        settled = entry.state == UsageState.SETTLED
        assert (usage.used, usage.tokens, usage.cost_micro_usd) == ((1, 10, 5) if settled else (0, 0, 0))


def test_the_refusal_says_how_much_is_used_and_when_it_starts_anew(inside: Workspace) -> None:
    take(inside, limit=1)

    with pytest.raises(QuotaExceeded) as refused:
        take(inside, limit=1)

    body = refused.value.as_json()
    assert refused.value.status == 402
    assert (body["code"], body["limit"], body["used"], body["maximum"]) == ("quota_exceeded", "answers", 1, 1)
    assert datetime.fromisoformat(body["resets_at"]) > timezone.now()


def test_a_refusal_leaves_nothing_behind(inside: Workspace) -> None:
    with pytest.raises(QuotaExceeded):
        take(inside, limit=0)

    assert used(inside) == 0
    assert not UsageEntry.objects.exists()


def test_no_limit_refuses_nobody(inside: Workspace) -> None:
    for _ in range(3):
        take(inside, limit=None)

    assert used(inside) == 3


def test_settling_records_what_the_work_took(inside: Workspace) -> None:
    reservation = take(inside)

    assert settle(reservation.id, tokens=1200, cost_micro_usd=340, estimated=True)

    entry, usage = UsageEntry.objects.get(), usage_of(inside)[ANSWERS]
    assert (entry.state, entry.tokens, entry.estimated) == (UsageState.SETTLED, 1200, True)
    assert (usage.used, usage.tokens, usage.cost_micro_usd) == (1, 1200, 340)


def test_settling_again_changes_nothing(inside: Workspace) -> None:
    reservation = take(inside)
    settle(reservation.id, tokens=100, cost_micro_usd=10, estimated=False)

    assert not settle(reservation.id, tokens=999, cost_micro_usd=99, estimated=False)
    assert not release(reservation.id)

    assert usage_of(inside)[ANSWERS].tokens == 100
    assert used(inside) == 1


def test_a_released_place_is_free_again(inside: Workspace) -> None:
    reservation = take(inside, limit=1)

    assert release(reservation.id)
    assert not release(reservation.id)

    take(inside, limit=1)
    assert used(inside) == 1


def test_an_unknown_reservation_is_neither_settled_nor_released(inside: Workspace) -> None:
    unknown = UUID(int=1)

    assert not settle(unknown, tokens=1, cost_micro_usd=1, estimated=False)
    assert not release(unknown)


def test_a_month_begins_anew(inside: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 12, 31, 23, 59, tzinfo=UTC))
    december = take(inside, limit=1)
    assert usage_of(inside)[ANSWERS].resets_at == datetime(2027, 1, 1, tzinfo=UTC)

    monkeypatch.setattr(timezone, "now", lambda: datetime(2027, 1, 1, tzinfo=UTC))
    january = take(inside, limit=1)

    assert (december.period.month, january.period.month) == (12, 1)
    assert settle(december.id, tokens=7, cost_micro_usd=0, estimated=False)
    assert usage_of(inside)[ANSWERS].tokens == 0  # it counts for the month in which it was reserved


def test_a_stranger_neither_sees_nor_settles_a_reservation(
    workspace: Workspace, other_workspace: Workspace
) -> None:
    with in_tenant(workspace):
        reservation = take(workspace)

    with in_tenant(other_workspace):
        assert used(other_workspace) == 0
        assert used(workspace) == 0
        assert not release(reservation.id)

    with in_tenant(workspace):
        assert used(workspace) == 1


def test_usage_cannot_be_booked_on_another_workspace(
    workspace: Workspace, other_workspace: Workspace
) -> None:
    from django.db import DatabaseError

    with in_tenant(other_workspace), pytest.raises(DatabaseError), transaction.atomic():
        take(workspace)
