"""The life of a subscription, every step through the pages, the stand-in's API and signed webhooks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from agents.models import Agent
from billing.models import BillingAccount
from billing.plans import FREE, PLANS, Interval, Limit, Tier
from billing.subscriptions import Access
from tenants.context import in_tenant, platform
from tenants.models import AuditEvent
from tests.plugins.payers import Payer
from tests.stripe_fake.catalogue import create_coupon, create_promotion_code

MONTH, YEAR = Interval.MONTH, Interval.YEAR


def test_the_trial_needs_no_card_and_nothing_of_stripe(payer: Payer) -> None:
    assert payer.standing.is_trial
    assert payer.stripe.world.all("customers") == []
    assert "Trial" in payer.page()


def test_checkout_leads_to_the_plan(payer: Payer) -> None:
    payer.check_out("growth")

    assert payer.plan == (Tier.GROWTH, MONTH)
    assert (payer.row.status, payer.standing.access) == ("active", Access.FULL)
    assert payer.standing.limits == PLANS[Tier.GROWTH].limits
    shown = payer.page()
    assert "$99" in shown
    assert "Visa ending in 4242" in shown


def test_coming_back_from_the_payment_page_alone_grants_nothing(payer: Payer) -> None:
    payer.client.post("/plan/checkout/", {"tier": "growth", "interval": "month"})

    payer.client.get("/plan/", {"paid": "cs_test_invented"})
    assert payer.client.get("/plan/arrived/").status_code == 204

    assert payer.standing.is_trial


def test_a_payment_counts_though_its_webhook_is_lost(payer: Payer) -> None:
    payer.stripe.world.faults.lose = 1000
    payer.check_out("growth")
    assert payer.standing.is_trial

    assert "confirming your payment" in payer.client.get("/plan/", {"paid": "cs"}).content.decode()
    assert payer.client.get("/plan/arrived/")["HX-Redirect"].endswith("/plan/")
    assert payer.plan == (Tier.GROWTH, MONTH)


def test_a_declined_card_at_the_checkout_leaves_the_trial(payer: Payer) -> None:
    with pytest.raises(Exception, match="declined"):
        payer.check_out("growth", card="pm_card_chargeDeclined")
    payer.stripe.deliver()

    assert payer.standing.is_trial


def test_nobody_pays_for_two_subscriptions(payer: Payer) -> None:
    payer.check_out("growth")

    answer = payer.client.post("/plan/checkout/", {"tier": "business", "interval": "month"}, follow=True)

    assert "already has a subscription" in answer.content.decode()
    assert len(payer.stripe.world.all("subscriptions")) == 1


def test_an_older_payment_page_stops_working(payer: Payer) -> None:
    payer.client.post("/plan/checkout/", {"tier": "growth", "interval": "month"})
    payer.client.post("/plan/checkout/", {"tier": "starter", "interval": "month"})

    newest, older = payer.stripe.world.all("checkout_sessions")
    assert (newest["status"], older["status"]) == ("open", "expired")
    assert len(payer.stripe.world.all("customers")) == 1


def test_it_renews_every_month(payer: Payer) -> None:
    payer.check_out("growth")
    first = payer.period_ends_at
    payer.pass_period(plus_days=0.1)

    assert timedelta(days=27) < payer.period_ends_at - first < timedelta(days=32)
    assert len(payer.stripe.world.where("invoices", status="paid")) == 2
    assert payer.page().count("-000") >= 2  # the numbers of two invoices


def test_an_upgrade_counts_at_once_and_costs_what_was_shown(payer: Payer) -> None:
    payer.check_out("starter")
    payer.stripe.advance(10)
    shown = payer.client.get("/plan/change/", {"tier": "growth", "interval": "month"})
    due = shown.context["preview"].due_cents
    assert f"${due / 100:.2f}" in shown.content.decode()

    payer.client.post(
        "/plan/change/", {"tier": "growth", "interval": "month", "at": shown.context["preview"].at}
    )

    assert payer.plan == (Tier.GROWTH, MONTH)
    assert 0 < due < 7000
    assert payer.stripe.world.all("invoices")[0]["amount_paid"] == due


def test_an_upgrade_whose_card_is_declined_changes_nothing(payer: Payer) -> None:
    payer.check_out("starter", card="pm_card_chargeCustomerFail")

    assert "The bank declined the card" in payer.change("growth")
    assert payer.plan == (Tier.STARTER, MONTH)


def test_a_price_that_was_shown_long_ago_is_not_charged(payer: Payer) -> None:
    payer.check_out("starter")
    shown = payer.client.get("/plan/change/", {"tier": "growth", "interval": "month"})
    payer.stripe.advance(1)

    given = {"tier": "growth", "interval": "month", "at": shown.context["preview"].at}
    answer = payer.client.post("/plan/change/", given, follow=True)

    assert "too old" in answer.content.decode()
    assert payer.plan == (Tier.STARTER, MONTH)


def test_a_downgrade_waits_for_the_periods_end(payer: Payer) -> None:
    payer.check_out("professional")
    ends = payer.period_ends_at

    assert "Starter begins" in payer.change("starter")
    assert payer.plan == (Tier.PROFESSIONAL, MONTH)
    assert payer.row.next_tier == Tier.STARTER
    assert "Starter" in payer.page()

    payer.pass_period(plus_days=0.1)
    assert payer.plan == (Tier.STARTER, MONTH)
    assert payer.period_ends_at > ends
    assert payer.row.next_tier == ""


def test_a_downgrade_can_be_taken_back(payer: Payer) -> None:
    payer.check_out("professional")
    payer.change("starter")
    payer.do("keep")
    payer.pass_period(plus_days=0.1)

    assert payer.plan == (Tier.PROFESSIONAL, MONTH)


def test_an_upgrade_replaces_a_downgrade_that_waits(payer: Payer) -> None:
    payer.check_out("growth")
    payer.change("starter")
    payer.change("business")
    payer.pass_period(plus_days=0.1)

    assert payer.plan == (Tier.BUSINESS, MONTH)
    assert payer.row.next_tier == ""


def test_from_month_to_year_at_once_and_back_at_the_years_end(payer: Payer) -> None:
    payer.check_out("growth")
    payer.change("growth", "year")
    assert payer.plan == (Tier.GROWTH, YEAR)

    payer.change("growth", "month")
    assert payer.plan == (Tier.GROWTH, YEAR)
    payer.pass_period(plus_days=0.1)
    assert payer.plan == (Tier.GROWTH, MONTH)


def test_a_canceled_plan_works_to_the_periods_end_and_then_leaves_the_free_limits(payer: Payer) -> None:
    payer.check_out("growth")
    with in_tenant(payer.workspace):
        for name in ("Mia", "Leo", "Ida"):
            Agent.objects.create(name=name)
    payer.do("cancel")
    assert payer.has(Access.FULL)
    assert payer.row.cancels_at == payer.period_ends_at

    payer.pass_period(plus_days=0.1)

    assert payer.has(Access.FREE)
    assert payer.standing.limits[Limit.AGENTS] == FREE.limits[Limit.AGENTS] == 1
    with in_tenant(payer.workspace):
        assert Agent.objects.count() == 3  # nothing was deleted
    assert "Free" in payer.page()


def test_a_cancellation_can_be_taken_back(payer: Payer) -> None:
    payer.check_out("growth")
    payer.do("cancel")
    payer.do("resume")
    payer.pass_period(plus_days=0.1)

    assert payer.row.cancels_at is None
    assert payer.row.status == "active"


def test_who_ended_may_come_back(payer: Payer) -> None:
    payer.check_out("growth")
    payer.do("cancel")
    payer.pass_period(plus_days=0.1)
    payer.check_out("starter", "year")

    assert payer.plan == (Tier.STARTER, YEAR)
    assert payer.has(Access.FULL)


def test_a_failed_payment_leads_through_grace_to_read_only_to_the_free_limits(payer: Payer) -> None:
    payer.check_out("growth", card="pm_card_chargeCustomerFail")
    payer.pass_period(plus_days=1)
    assert payer.row.status == "past_due"
    assert payer.has(Access.FULL)
    assert "not paid" in payer.page()

    payer.stripe.advance(8)
    assert payer.has(Access.READ_ONLY)
    answer = payer.client.post("/agents/new/", {"name": "Mia", "tone": "friendly", "greeting": "Hello"})
    assert "read only" in answer.content.decode()

    payer.stripe.advance(8)  # Stripe's last try
    assert payer.row.status == "canceled"
    assert payer.has(Access.FREE)


@pytest.mark.parametrize("days", [2, 10])
def test_paying_the_open_invoice_brings_everything_back(payer: Payer, days: int) -> None:
    payer.check_out("growth", card="pm_card_chargeCustomerFail")
    payer.pass_period(plus_days=days)
    assert payer.row.status == "past_due"

    payer.stripe.use_card("pm_card_visa")
    payer.stripe.advance(5)  # Stripe tries again

    assert (payer.row.status, payer.standing.access) == ("active", Access.FULL)
    assert payer.row.past_due_since is None


def test_a_coupon_and_a_tax_id_stand_on_the_invoice(payer: Payer) -> None:
    coupon = create_coupon(payer.stripe.world, {"percent_off": "20", "duration": "once"})
    create_promotion_code(payer.stripe.world, {"coupon": coupon["id"], "code": "WELCOME20"})
    payer.check_out("growth", code="welcome20", tax_id="DE123456789")

    (invoice,) = payer.stripe.world.all("invoices")
    assert invoice["total"] == 7920
    assert invoice["customer_tax_ids"][0]["value"] == "DE123456789"
    shown = payer.page()
    assert "$79.20" in shown
    assert "DE123456789" in shown


def test_every_invoice_has_its_pdf(payer: Payer) -> None:
    payer.check_out("growth")

    (invoice,) = payer.stripe.world.all("invoices")
    assert invoice["invoice_pdf"] in payer.page()


def test_the_portal_is_stripes_page_of_this_customer(payer: Payer) -> None:
    payer.check_out("growth")
    answer = payer.client.post("/plan/portal/")

    session = payer.stripe.world.all("portal_sessions")[0]
    assert answer["Location"] == session["url"]
    assert session["customer"] == payer.stripe.customer


def test_without_an_account_there_is_no_portal(payer: Payer) -> None:
    assert "choose a plan first" in payer.do("portal")


def test_a_plan_that_staff_gave_is_not_taken_by_stripe(payer: Payer) -> None:
    payer.check_out("starter")
    with platform():
        row = payer.row
        row.tier, row.source = Tier.BUSINESS, "staff"
        row.save()
    payer.pass_period(plus_days=0.1)

    assert payer.row.tier == Tier.BUSINESS


def test_every_act_stands_in_the_audit_log(payer: Payer) -> None:
    payer.check_out("professional")
    payer.change("starter")
    for what in ("keep", "cancel", "resume"):
        payer.do(what)

    with in_tenant(payer.workspace):
        events = AuditEvent.objects.order_by("at")
        by_people = events.exclude(actor="Stripe").values_list("action", flat=True)
        actions, by_stripe = list(by_people), list(events.filter(actor="Stripe", action="plan.changed"))
    assert (by_stripe[0].after or {})["tier"] == "professional"
    assert actions == [
        "billing.checkout",
        "billing.plan_changed",
        "billing.change_withdrawn",
        "billing.canceled",
        "billing.resumed",
    ]


def test_another_workspace_sees_nothing_of_it(payer: Payer, stranger_client: Client) -> None:
    payer.check_out("growth")

    assert stranger_client.get("/plan/choose/").status_code == 404
    denied = pytest.raises(DatabaseError, match="permission denied")
    with in_tenant(payer.workspace), denied, transaction.atomic():
        list(BillingAccount.objects.all())
