"""The door for Stripe's webhooks, on the root host only."""

from __future__ import annotations

import time
from uuid import uuid4

import pytest
from django.test import Client
from djstripe.models import Event, WebhookEndpoint
from kombu.exceptions import OperationalError
from pytest_django import Settings

from billing import gateway, repair, tasks
from billing.models import BillingNotice, DriftFinding, Entitlement
from billing.plans import Interval, Tier
from billing.refresh import refresh
from billing.subscriptions import Access
from netvexa.lib.errors import AppError
from tenants.context import platform
from tenants.models import User, Workspace
from tests.plugins.payers import Payer, Stripe
from tests.stripe_fake import subscriptions, webhooks

pytestmark = pytest.mark.django_db


def test_an_unknown_endpoint_is_not_found() -> None:
    answer = Client(headers={"host": "localhost"}).post(
        f"/stripe/webhook/{uuid4()}/", {}, "application/json", headers={"stripe-signature": "t=1,v1=x"}
    )

    assert answer.status_code == 404


def test_it_is_only_posted_to() -> None:
    assert Client(headers={"host": "localhost"}).get(f"/stripe/webhook/{uuid4()}/").status_code == 405


def test_a_workspaces_host_has_no_such_door(workspace: Workspace) -> None:
    answer = Client(headers={"host": "acme.localhost"}).post(f"/stripe/webhook/{uuid4()}/")

    assert answer.status_code == 404


def door(
    stripe_side: Stripe, *, secret: str = "", at: int | None = None, headers: dict[str, str] | None = None
) -> int:
    """Post an event as its sender would, with the right secret unless another is given."""
    world = stripe_side.world
    endpoint = world.all("webhook_endpoints")[0]
    event = world.emit("price.updated", world.all("prices")[0])
    body = webhooks.body_of(event)
    signed = webhooks.signature(secret or endpoint["_secret"], body, at=at)
    answer = Client(headers={"host": "localhost"}).post(
        "/" + endpoint["url"].split("/", 3)[3],
        body,
        "application/json",
        headers={"stripe-signature": signed, **(headers or {})},
    )
    return answer.status_code


def test_an_event_with_the_right_signature_is_taken(stripe_side: Stripe) -> None:
    assert door(stripe_side) == 200


def test_a_wrong_signature_is_refused(stripe_side: Stripe) -> None:
    assert door(stripe_side, secret="whsec_guessed") == 400


def test_a_signature_in_other_letters_is_refused(stripe_side: Stripe) -> None:
    assert door(stripe_side, headers={"stripe-signature": f"t={int(time.time())},v1=\xe9"}) == 400


def test_an_event_older_than_five_minutes_is_refused(stripe_side: Stripe) -> None:
    assert door(stripe_side, at=int(time.time()) - 301) == 400
    assert door(stripe_side, at=int(time.time()) - 290) == 200


def test_the_sender_cannot_bring_a_secret_of_their_own_in_debug_mode(
    stripe_side: Stripe, settings: Settings
) -> None:
    settings.DEBUG = True

    header = {"x-djstripe-webhook-secret": "whsec_mine"}
    assert door(stripe_side, secret="whsec_mine", headers=header) == 400


def test_no_signature_leaves_nothing_behind(stripe_side: Stripe) -> None:
    endpoint = stripe_side.world.all("webhook_endpoints")[0]
    path = "/" + endpoint["url"].split("/", 3)[3]

    assert Client(headers={"host": "localhost"}).post(path, {}, "application/json").status_code == 400


def test_the_same_event_twice_counts_once(payer: Payer) -> None:
    payer.stripe.world.faults.duplicate = 100
    payer.check_out("growth")

    with platform():
        assert Event.objects.filter(type="checkout.session.completed").count() == 1
        assert BillingNotice.objects.filter(kind="receipt").count() == 1
    assert payer.plan == (Tier.GROWTH, Interval.MONTH)


def test_events_in_reverse_end_in_the_newest_state(payer: Payer) -> None:
    payer.stripe.world.faults.hold = True
    payer.check_out("starter")
    payer.stripe.advance(40)
    subscriptions.update(
        payer.stripe.world, {"cancel_at_period_end": "true"}, payer.stripe.subscription["id"]
    )
    webhooks.release(payer.stripe.world)
    payer.stripe.deliver()

    assert payer.row.cancels_at == payer.period_ends_at


def test_an_event_that_failed_is_taken_when_it_comes_again(payer: Payer) -> None:
    payer.client.post("/plan/checkout/", {"tier": "growth", "interval": "month"})
    payer.stripe.world.faults.hold = True
    payer.check_out("growth")
    payer.stripe.world.faults.hold = False
    payer.stripe.world.faults.broken = 3  # Stripe's API fails while dj-stripe asks it back
    payer.stripe.deliver()
    for waiting in payer.stripe.world.waiting:
        waiting.not_before = 0
    payer.stripe.deliver()

    assert payer.plan == (Tier.GROWTH, Interval.MONTH)


def test_lost_events_are_replayed_by_the_hourly_task(payer: Payer) -> None:
    payer.stripe.world.faults.lose = 1000
    payer.check_out("growth")
    assert payer.standing.is_trial

    tasks.replay_events.delay()

    assert payer.plan == (Tier.GROWTH, Interval.MONTH)
    with platform():
        assert Event.objects.filter(type="customer.subscription.created").exists()
        known = Event.objects.count()
        assert repair.replay() == set()
        assert Event.objects.count() == known


def test_a_broker_that_is_down_loses_nothing(payer: Payer, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: object) -> None:
        raise OperationalError("no broker")

    with monkeypatch.context() as patch:
        patch.setattr(tasks.refresh_customer, "delay", down)
        payer.check_out("growth")
    assert payer.standing.is_trial

    tasks.replay_events.delay()

    assert payer.plan == (Tier.GROWTH, Interval.MONTH)


def test_the_nightly_check_mends_what_differs_and_tells_staff(payer: Payer) -> None:
    User.objects.create_user("staff@netvexa.example", "x" * 12, is_staff=True)
    payer.check_out("growth")
    with platform():
        Entitlement.objects.update(tier=Tier.BUSINESS)

    with payer.stripe.capture() as mails:
        tasks.check_drift.delay()

    assert payer.plan == (Tier.GROWTH, Interval.MONTH)
    with platform():
        finding = DriftFinding.objects.get()
    assert (finding.ours["tier"], finding.stripes["tier"], finding.repaired) == ("business", "growth", True)
    assert mails


def test_the_nightly_check_finds_nothing_where_nothing_differs(payer: Payer) -> None:
    payer.check_out("growth")
    tasks.check_drift.delay()

    with platform():
        assert not DriftFinding.objects.exists()


def test_two_live_subscriptions_are_reported(payer: Payer) -> None:
    payer.check_out("growth")
    world = payer.stripe.world
    subscriptions.create(
        world,
        {
            "customer": payer.stripe.customer,
            "items": [{"price": payer.stripe.subscription["items"]["data"][0]["price"]["id"]}],
            "default_payment_method": "pm_card_visa",
        },
    )
    tasks.check_drift.delay()

    with platform():
        assert "more than one" in DriftFinding.objects.get(repaired=False).problem


def test_a_price_that_is_none_of_ours_keeps_the_plan_and_is_reported(payer: Payer) -> None:
    payer.check_out("growth")
    payer.stripe.subscription["items"]["data"][0]["price"]["metadata"] = {}
    tasks.check_drift.delay()

    assert payer.plan == (Tier.GROWTH, Interval.MONTH)
    with platform():
        assert "none of our plans" in DriftFinding.objects.get().problem


def test_a_hiccup_of_stripe_is_not_felt(payer: Payer) -> None:
    payer.stripe.world.faults.broken = 1

    answer = payer.client.post("/plan/checkout/", {"tier": "growth", "interval": "month"})

    assert "/checkout/" in answer["Location"]


def test_an_answer_that_never_came_is_asked_for_again_and_nothing_is_done_twice(
    payer: Payer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "TIMEOUT_SECONDS", 1)
    payer.stripe.world.faults.timeout = 1  # the customer is made, and we are not told

    answer = payer.client.post("/plan/checkout/", {"tier": "growth", "interval": "month"})

    assert "/checkout/" in answer["Location"]
    assert len(payer.stripe.world.all("customers")) == 1


def test_too_many_requests_are_told_kindly_and_the_next_try_works(payer: Payer) -> None:
    payer.stripe.world.faults.too_many = 1
    given = {"tier": "growth", "interval": "month"}

    assert "try again" in payer.client.post("/plan/checkout/", given, follow=True).content.decode()
    assert "/checkout/" in payer.client.post("/plan/checkout/", given)["Location"]


def test_with_stripe_down_nothing_is_charged_and_the_page_says_so(payer: Payer) -> None:
    payer.check_out("growth")
    payer.stripe.world.faults.broken = 1000

    assert "does not answer right now" in payer.do("cancel")
    assert payer.row.cancels_at is None
    assert payer.client.get("/plan/").status_code == 200
    assert payer.client.get("/agents/").status_code == 200
    assert payer.standing.access is Access.FULL


def test_while_stripe_is_down_a_refresh_changes_nothing(payer: Payer) -> None:
    payer.check_out("growth")
    payer.stripe.world.faults.broken = 1000

    with pytest.raises(AppError), platform():
        refresh(payer.stripe.customer)

    assert payer.plan == (Tier.GROWTH, Interval.MONTH)


def test_connecting_again_keeps_the_endpoint(stripe_side: Stripe) -> None:
    from billing.endpoints import connect

    connect()

    assert len(stripe_side.world.all("webhook_endpoints")) == 1
    with platform():
        assert WebhookEndpoint.objects.count() == 1
