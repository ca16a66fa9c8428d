"""The month's quota: held exactly, and counted once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from uuid import UUID

import pytest
from django.db import ProgrammingError, connection, transaction
from django.db.models import Sum
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from redis import Redis

from billing import alerts, quota
from billing.models import BillingNotice, Entitlement, UsageBucket, UsageEntry, UsageKind, UsageState
from billing.plans import PLANS, Limit, Tier
from billing.usage import QuotaExceeded, Reservation, release, reserve, settle, this_month, usage_of
from tenants.context import in_tenant, platform
from tenants.models import Workspace

ANSWERS = UsageKind.ANSWERS


def take(workspace: Workspace, limit: int | None = None) -> Reservation:
    return reserve(workspace, kind=ANSWERS, limit=limit, reference="a message")


def used(workspace: Workspace) -> int:
    return usage_of(workspace)[ANSWERS].used


def outcome(reservation: Reservation) -> UsageEntry:
    """The ledger's one line that says what became of it."""
    return UsageEntry.objects.get(reservation=reservation.id)


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
                    return release(workspace, reservation.id)
                return settle(reservation.id, tokens=10, cost_micro_usd=5, estimated=False)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(finish, range(6)))

    assert done.count(True) == 1
    with in_tenant(workspace):
        entry, usage = outcome(reservation), usage_of(workspace)[ANSWERS]
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

    entry, usage = outcome(reservation), usage_of(inside)[ANSWERS]
    assert (entry.state, entry.tokens, entry.estimated) == (UsageState.SETTLED, 1200, True)
    assert (usage.used, usage.tokens, usage.cost_micro_usd) == (1, 1200, 340)


def test_settling_again_changes_nothing(inside: Workspace) -> None:
    reservation = take(inside)
    settle(reservation.id, tokens=100, cost_micro_usd=10, estimated=False)

    assert not settle(reservation.id, tokens=999, cost_micro_usd=99, estimated=False)
    assert not release(inside, reservation.id)

    assert usage_of(inside)[ANSWERS].tokens == 100
    assert used(inside) == 1


def test_a_released_place_is_free_again(inside: Workspace) -> None:
    reservation = take(inside, limit=1)

    assert release(inside, reservation.id)
    assert not release(inside, reservation.id)

    take(inside, limit=1)
    assert used(inside) == 1


def test_an_unknown_reservation_is_neither_settled_nor_released(inside: Workspace) -> None:
    unknown = UUID(int=1)

    assert not settle(unknown, tokens=1, cost_micro_usd=1, estimated=False)
    assert not release(inside, unknown)


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
        assert not release(other_workspace, reservation.id)

    with in_tenant(workspace):
        assert used(workspace) == 1


def test_usage_cannot_be_booked_on_another_workspace(
    workspace: Workspace, other_workspace: Workspace
) -> None:
    from django.db import DatabaseError

    with in_tenant(other_workspace), pytest.raises(DatabaseError), transaction.atomic():
        take(workspace)


def test_no_line_of_the_ledger_is_changed_or_deleted(workspace: Workspace) -> None:
    with in_tenant(workspace):
        take(workspace)

    for standing in (in_tenant(workspace), platform()):
        with standing:
            for change in (lambda: UsageEntry.objects.update(tokens=0), UsageEntry.objects.all().delete):
                with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                    change()


def test_the_sum_of_the_ledger_is_the_count(inside: Workspace) -> None:
    kept, given_back = take(inside), take(inside)
    settle(kept.id, tokens=5, cost_micro_usd=1, estimated=False)
    release(inside, given_back.id)

    assert UsageEntry.objects.aggregate(sum=Sum("quantity"))["sum"] == used(inside) == 1


def count_of(workspace: Workspace) -> quota.Count:
    return quota.Count(workspace, ANSWERS, this_month())


def test_a_count_that_redis_lost_is_seeded_from_the_ledger(inside: Workspace) -> None:
    take(inside, limit=2)
    take(inside, limit=2)
    count_of(inside).forget()

    with pytest.raises(QuotaExceeded):
        take(inside, limit=2)
    assert used(inside) == 2


def test_a_count_that_ran_ahead_refuses_nobody_who_has_room(inside: Workspace) -> None:
    take(inside, limit=5)
    for _ in range(10):  # processes that died before they wrote
        count_of(inside).take(None, booked=lambda: 0)

    take(inside, limit=5)
    assert used(inside) == 2


def test_a_count_that_fell_behind_lets_nobody_through(inside: Workspace) -> None:
    take(inside, limit=2)
    take(inside, limit=2)
    count_of(inside).give_back()

    with pytest.raises(QuotaExceeded) as refused:
        take(inside, limit=2)
    assert (refused.value.used, used(inside)) == (2, 2)


def test_without_redis_the_row_decides(inside: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = quota._Line(Redis.from_url("redis://127.0.0.1:1", socket_connect_timeout=0.2))
    monkeypatch.setattr(quota, "line", lambda: nowhere)
    take(inside, limit=1)

    with pytest.raises(QuotaExceeded):
        take(inside, limit=1)
    assert used(inside) == 1


def test_a_used_up_quota_is_refused_without_asking_the_database(
    inside: Workspace, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    take(inside, limit=1)
    for _ in range(2):  # one is held against the row; it counts anew for the other
        with pytest.raises(QuotaExceeded):
            take(inside, limit=1)

    with django_assert_num_queries(0), pytest.raises(QuotaExceeded):
        take(inside, limit=1)


def test_a_reservation_and_its_end_are_one_statement_each(
    inside: Workspace, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    take(inside)
    with django_assert_num_queries(1):
        reservation = take(inside)
    with django_assert_num_queries(1):
        settle(reservation.id, tokens=1, cost_micro_usd=1, estimated=False)


@pytest.mark.parametrize("percent", [50, 80, 100])
def test_owners_are_told_once_of_each_level(workspace: Workspace, percent: int) -> None:
    limit = PLANS[Tier.STARTER].limits[Limit.ANSWERS] or 0
    with platform():
        Entitlement.objects.create(workspace=workspace, tier=Tier.STARTER)
        bucket = UsageBucket.objects.create(
            workspace=workspace, kind=ANSWERS, period=this_month(), used=limit * percent // 100 - 1
        )
        alerts.tell_of_usage([workspace])
        before = set(told())
        bucket.used += 1
        bucket.save()
        for _ in range(2):
            alerts.tell_of_usage([workspace])
        (new,) = set(told()) - before

    assert new == f"usage {this_month():%Y-%m} {limit} {percent}"


def told() -> list[str]:
    return [str(notice) for notice in BillingNotice.objects.filter(kind="usage")]
