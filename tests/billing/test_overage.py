"""Answers beyond the plan: what an owner lets be, how it is told to Stripe, and that the page equals the invoice."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client

from billing import metering, tasks
from billing.metering import StatementLine, counts_at, statement_of
from billing.models import BillingNotice, DriftFinding, OverageEvent, UsageBucket, UsageKind
from billing.plans import OVERAGE_CENTS, PLANS, Limit, Tier
from billing.usage import QuotaExceeded, Reservation, release, reserve, this_month, usage_of
from tenants.context import in_tenant, platform
from tenants.models import Role
from tests.plugins.payers import DAY, Payer
from tests.plugins.people import ClientAs
from tests.stripe_fake.world import SHARED_CLOCK

pytestmark = pytest.mark.django_db
INCLUDED = PLANS[Tier.STARTER].limits[Limit.ANSWERS] or 0


def answer(payer: Payer) -> Reservation:
    """One answer, let through as a visitor's question is."""
    with in_tenant(payer.workspace):
        standing = payer.standing
        return reserve(
            payer.workspace,
            kind=UsageKind.ANSWERS,
            limit=standing.limits[Limit.ANSWERS],
            extra=standing.extra_answers,
            reference="a message",
        )


def use_up(payer: Payer) -> None:
    """Everything that the plan includes."""
    with platform():
        UsageBucket.objects.update_or_create(
            workspace=payer.workspace,
            kind=UsageKind.ANSWERS,
            period=this_month(),
            defaults={"used": INCLUDED, "over": 0},
        )


def over(payer: Payer) -> int:
    with in_tenant(payer.workspace):
        return usage_of(payer.workspace)[UsageKind.ANSWERS].over


def lines(payer: Payer) -> list[StatementLine]:
    with in_tenant(payer.workspace):
        return statement_of(payer.workspace)


@pytest.fixture
def beyond(payer: Payer) -> Payer:
    """A Starter plan that is used up, whose owner lets $3 more be spent: a hundred answers."""
    payer.check_out("starter")
    answer_ = payer.client.post("/plan/overage/", {"cap_usd": "3"}, follow=True)
    assert "beyond the plan" in answer_.content.decode()
    payer.stripe.deliver()
    use_up(payer)
    return payer


def test_without_the_owners_word_the_plans_limit_is_hard(payer: Payer) -> None:
    payer.check_out("starter")
    use_up(payer)

    with pytest.raises(QuotaExceeded):
        answer(payer)


def test_beyond_the_plan_answers_go_on_to_the_cap_exactly(beyond: Payer) -> None:
    for _ in range(100):
        answer(beyond)

    with pytest.raises(QuotaExceeded) as refused:
        answer(beyond)
    assert (refused.value.used, refused.value.limit) == (INCLUDED + 100, INCLUDED + 100)
    assert over(beyond) == 100


def test_the_page_equals_the_invoice_line_by_line(beyond: Payer) -> None:
    for _ in range(7):
        answer(beyond)
    tasks.tell_of_overage.delay()
    for _ in range(5):
        answer(beyond)
    tasks.tell_of_overage.delay()
    beyond.stripe.advance(32)

    world = beyond.stripe.world
    (invoice,) = [row for row in world.all("invoices") if row["total"] == 12 * OVERAGE_CENTS]
    (line,) = invoice["lines"]["data"]
    (shown,) = lines(beyond)
    assert (shown.quantity, shown.cents, shown.waiting) == (line["quantity"], line["amount"], 0)
    starts, ends = (datetime.fromtimestamp(line["period"][name], UTC) for name in ("start", "end"))
    assert (starts.date().replace(day=1), ends.day) == (shown.month, 1)
    page = beyond.page()
    assert re.search(rf'<td [^>]*data-label="Answers">{line["quantity"]}</td>', page)
    assert f"${line['amount'] / 100:.2f}" in page


def test_an_event_goes_out_until_stripe_has_it_and_counts_once(beyond: Payer) -> None:
    answer(beyond)
    world = beyond.stripe.world
    with platform():
        metering.note()
        world.faults.broken = 3
        with pytest.raises(Exception, match="does not answer"):
            metering.send()
        assert OverageEvent.objects.get().sent_at is None
        world.faults.broken = 0
        assert metering.send() == 1
        OverageEvent.objects.update(sent_at=None)  # it died before it wrote that down
        assert metering.send() == 1
        assert metering.send() == 0

    (event,) = world.all("meter_events")
    assert event["payload"]["value"] == "1"
    assert event["identifier"] == f"{beyond.workspace.pk}:netvexa_answers:{this_month():%Y-%m}:1"


def test_late_usage_is_the_next_event_and_rewrites_nothing(beyond: Payer) -> None:
    answer(beyond)
    tasks.tell_of_overage.delay()
    with platform():
        before = OverageEvent.objects.values_list("identifier", "quantity", "at").get()
    answer(beyond)
    answer(beyond)
    tasks.tell_of_overage.delay()
    tasks.tell_of_overage.delay()

    with platform():
        rows = list(OverageEvent.objects.order_by("number").values_list("identifier", "quantity", "at"))
    assert rows[0] == before
    assert [quantity for _, quantity, _ in rows] == [1, 2]


def test_the_nightly_check_reports_what_stripes_meter_did_not_count(beyond: Payer) -> None:
    answer(beyond)
    tasks.tell_of_overage.delay()
    beyond.stripe.advance(0.1)  # its meter has had time to count
    tasks.check_drift.delay()
    with platform():
        assert not DriftFinding.objects.exists()

    beyond.stripe.world.objects["meter_events"].clear()
    tasks.check_drift.delay()

    with platform():
        finding = DriftFinding.objects.get()
    assert (finding.ours["told"], finding.stripes["counted"]) == (1, 0)


def test_what_is_used_as_the_month_ends_counts_for_that_month_while_its_invoice_is_open() -> None:
    month, end = date(2026, 12, 1), datetime(2027, 1, 1, tzinfo=UTC)

    assert counts_at(month, now=end + timedelta(minutes=4)) == end - timedelta(seconds=1)
    late = end + timedelta(hours=2)
    assert counts_at(month, now=late) == late


def test_an_answer_that_was_given_back_is_not_billed(beyond: Payer) -> None:
    place = answer(beyond)
    with in_tenant(beyond.workspace):
        release(beyond.workspace, place.id)
    tasks.tell_of_overage.delay()

    assert over(beyond) == 0
    assert lines(beyond) == []


def test_after_a_larger_plan_its_answers_come_first(beyond: Payer) -> None:
    for _ in range(10):
        answer(beyond)
    beyond.change("growth")
    answer(beyond)

    assert beyond.plan[0] is Tier.GROWTH
    assert over(beyond) == 10


def test_to_stop_makes_the_limit_hard_at_once_and_what_was_used_is_still_invoiced(beyond: Payer) -> None:
    answer(beyond)
    tasks.tell_of_overage.delay()
    beyond.do("overage/stop")

    with pytest.raises(QuotaExceeded):
        answer(beyond)
    beyond.stripe.advance(32)
    assert [row["total"] for row in beyond.stripe.world.all("invoices")].count(OVERAGE_CENTS) == 1
    assert beyond.row.overage_status == "canceled"


def test_it_can_be_allowed_again_before_the_month_ends(beyond: Payer) -> None:
    beyond.do("overage/stop")
    beyond.client.post("/plan/overage/", {"cap_usd": "5"})
    beyond.stripe.deliver()

    assert (beyond.row.overage_cap_usd, beyond.standing.extra_answers) == (5, 500 // OVERAGE_CENTS)
    made = [row for row in beyond.stripe.world.all("subscriptions") if row["metadata"].get("purpose")]
    assert [row["cancel_at_period_end"] for row in made] == [False]


def test_when_its_invoice_is_not_paid_only_what_is_beyond_the_plan_stops(beyond: Payer) -> None:
    answer(beyond)
    tasks.tell_of_overage.delay()
    world = beyond.stripe.world
    subscription = next(row for row in world.all("subscriptions") if row["metadata"].get("purpose"))
    world.get("payment_methods", subscription["default_payment_method"])["_decline"] = "generic_decline"
    plan = next(row for row in world.all("subscriptions") if not row["metadata"].get("purpose"))
    plan["default_payment_method"] = None
    clock = world.get("clocks", SHARED_CLOCK)
    left = subscription["items"]["data"][0]["current_period_end"] - world.time_of(clock)
    beyond.stripe.advance(left / DAY + 0.1)

    with platform():
        mail = BillingNotice.objects.get(kind="payment_failed")
    assert mail
    assert (beyond.row.overage_status, beyond.row.status) == ("past_due", "active")
    assert beyond.standing.extra_answers == 0


def test_it_ends_with_the_plan(beyond: Payer) -> None:
    beyond.do("cancel")
    beyond.pass_period(plus_days=1)

    assert (beyond.row.status, beyond.row.overage_cap_usd) == ("canceled", None)


def test_owners_are_told_once_when_the_cap_is_reached(beyond: Payer) -> None:
    for _ in range(100):
        answer(beyond)
    for _ in range(2):
        tasks.look_at_usage.delay()

    with platform():
        assert BillingNotice.objects.filter(kind="overage_cap").count() == 1


@pytest.mark.parametrize("cap", ["", "0", "-5", "10001", "lots"])
def test_a_cap_that_is_none_changes_nothing(payer: Payer, cap: str) -> None:
    payer.check_out("starter")
    said = payer.client.post("/plan/overage/", {"cap_usd": cap}, follow=True).content.decode()

    assert "whole dollars" in said
    assert payer.row.overage_cap_usd is None


def test_without_a_paid_plan_there_is_nothing_beyond_it(payer: Payer) -> None:
    said = payer.client.post("/plan/overage/", {"cap_usd": "10"}, follow=True).content.decode()

    assert "need a paid plan" in said
    assert payer.stripe.world.all("customers") == []


@pytest.mark.parametrize("role", [Role.ADMIN, Role.VIEWER])
def test_only_an_owner_decides(payer: Payer, client_as: ClientAs, role: Role) -> None:
    payer.check_out("starter")

    assert client_as(role).post("/plan/overage/", {"cap_usd": "10"}).status_code == 403
    assert payer.row.overage_cap_usd is None


def test_a_stranger_finds_nothing(payer: Payer, stranger_client: Client) -> None:
    for path in ("/plan/overage/", "/plan/overage/stop/"):
        assert stranger_client.post(path, {"cap_usd": "10"}).status_code == 404
