"""What the product relies on of Stripe: held against the stand-in, and against Stripe where a test key is given.

NETVEXA_STRIPE_TEST_KEY=sk_test_… runs the same suite against real Stripe in test mode; it makes test clocks
and deletes them, and leaves archived products behind.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import stripe

from tests.stripe_fake.server import running
from tests.stripe_fake.world import World

REAL_KEY = os.environ.get("NETVEXA_STRIPE_TEST_KEY", "")
DAY = 86400
SINCE = 1_800_000_000  # a January; every customer of this suite lives on a clock of their own
Json = dict[str, Any]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with running(World()) as standing:
        yield standing


@pytest.fixture(
    params=[
        "stand-in",
        pytest.param(
            "Stripe",
            marks=pytest.mark.skipif(not REAL_KEY, reason="NETVEXA_STRIPE_TEST_KEY is not set"),
        ),
    ]
)
def client(request: pytest.FixtureRequest, world: World) -> stripe.StripeClient:
    """A client of the SDK, pinned to the version that the product uses."""
    version = "2026-05-27.dahlia"
    if request.param == "Stripe":
        return stripe.StripeClient(REAL_KEY, stripe_version=version)
    return stripe.StripeClient(
        "sk_test_standinstandinstandinstandin",
        stripe_version=version,
        base_addresses={"api": world.base},
        max_network_retries=0,
    )


@pytest.fixture
def prices(client: stripe.StripeClient) -> dict[str, str]:
    """Ids of a small and a large price a month, and a small one a year."""
    made = {}
    for name, cents, interval in (
        ("small", 2900, "month"),
        ("large", 9900, "month"),
        ("year", 29000, "year"),
    ):
        product = client.v1.products.create({"name": f"Contract {name}", "metadata": {"tier": name}})
        made[name] = client.v1.prices.create(
            {
                "product": product.id,
                "currency": "usd",
                "unit_amount": cents,
                "recurring": {"interval": interval},
            }
        ).id
    return made


class Life:
    """One customer with a clock and a card."""

    def __init__(self, client: stripe.StripeClient, *, card: str = "pm_card_visa") -> None:
        self.client = client
        self.clock = client.v1.test_helpers.test_clocks.create({"frozen_time": SINCE}).id
        self.id = client.v1.customers.create(
            {
                "email": "ada@acme.example",
                "test_clock": self.clock,
                "payment_method": card,
                "invoice_settings": {"default_payment_method": card},
            }
        ).id
        found = client.v1.payment_methods.list({"customer": self.id}).data[0].id
        client.v1.customers.update(self.id, {"invoice_settings": {"default_payment_method": found}})

    def subscribe(self, price: str, **more: Any) -> Json:
        given: Any = {"customer": self.id, "items": [{"price": price}], **more}
        return plain(self.client.v1.subscriptions.create(given))

    def get(self, id_: str) -> Json:
        return plain(self.client.v1.subscriptions.retrieve(id_))

    def advance(self, to: int) -> None:
        self.client.v1.test_helpers.test_clocks.advance(self.clock, {"frozen_time": to})
        for _ in range(120):
            if self.client.v1.test_helpers.test_clocks.retrieve(self.clock).status == "ready":
                return
            time.sleep(1)
        pytest.fail("The clock did not get there.")

    def invoices(self, status: str = "") -> list[Json]:
        given: Any = {"customer": self.id, **({"status": status} if status else {})}
        return [plain(row) for row in self.client.v1.invoices.list(given).data]


def plain(thing: Any) -> Json:
    found: Json = thing.to_dict()
    return found


MakeLife = Callable[..., Life]


@pytest.fixture
def live(client: stripe.StripeClient) -> Iterator[MakeLife]:
    made: list[Life] = []

    def make(**settings: str) -> Life:
        made.append(Life(client, **settings))
        return made[-1]

    yield make
    for life in made:
        client.v1.test_helpers.test_clocks.delete(life.clock)


def end_of(subscription: Json) -> int:
    return max(int(item["current_period_end"]) for item in subscription["items"]["data"])


def item_of(subscription: Json) -> str:
    return str(subscription["items"]["data"][0]["id"])


def test_a_subscription_is_paid_at_once_and_its_period_stands_on_the_item(
    live: MakeLife, prices: dict[str, str]
) -> None:
    life = live()
    made = life.subscribe(prices["small"], metadata={"workspace": "w"})

    assert (made["status"], made["metadata"]) == ("active", {"workspace": "w"})
    assert "current_period_end" not in made
    assert 28 * DAY <= end_of(made) - SINCE <= 31 * DAY
    (invoice,) = life.invoices()
    assert (invoice["status"], invoice["total"], invoice["billing_reason"]) == (
        "paid",
        2900,
        "subscription_create",
    )
    assert invoice["parent"]["subscription_details"]["subscription"] == made["id"]
    assert invoice["invoice_pdf"].startswith("http")
    assert invoice["lines"]["data"][0]["pricing"]["price_details"]["price"] == prices["small"]


def test_it_renews_at_the_periods_end(live: MakeLife, prices: dict[str, str]) -> None:
    life = live()
    made = life.subscribe(prices["small"])
    life.advance(end_of(made) + 2 * 3600)

    assert end_of(life.get(made["id"])) > end_of(made)
    assert [row["billing_reason"] for row in life.invoices("paid")] == [
        "subscription_cycle",
        "subscription_create",
    ]


def test_a_trial_needs_no_card_and_ends_the_subscription_without_one(
    client: stripe.StripeClient, prices: dict[str, str]
) -> None:
    clock = client.v1.test_helpers.test_clocks.create({"frozen_time": SINCE}).id
    customer = client.v1.customers.create({"test_clock": clock}).id
    made = client.v1.subscriptions.create(
        {
            "customer": customer,
            "items": [{"price": prices["small"]}],
            "trial_period_days": 7,
            "trial_settings": {"end_behavior": {"missing_payment_method": "cancel"}},
        }
    )
    assert (made.status, made.trial_end) == ("trialing", SINCE + 7 * DAY)

    client.v1.test_helpers.test_clocks.advance(clock, {"frozen_time": SINCE + 8 * DAY})
    for _ in range(60):
        if client.v1.test_helpers.test_clocks.retrieve(clock).status == "ready":
            break
        time.sleep(1)

    assert client.v1.subscriptions.retrieve(made.id).status == "canceled"
    client.v1.test_helpers.test_clocks.delete(clock)


def test_an_upgrade_costs_what_its_preview_said(
    live: MakeLife, client: stripe.StripeClient, prices: dict[str, str]
) -> None:
    life = live()
    made = life.subscribe(prices["small"])
    half = SINCE + (end_of(made) - SINCE) // 2
    life.advance(half)
    items: Any = [{"id": item_of(made), "price": prices["large"]}]

    preview = plain(
        client.v1.invoices.create_preview(
            {
                "subscription": made["id"],
                "subscription_details": {
                    "items": items,
                    "proration_behavior": "always_invoice",
                    "proration_date": half,
                },
            }
        )
    )
    client.v1.subscriptions.update(
        made["id"],
        {
            "items": items,
            "proration_behavior": "always_invoice",
            "payment_behavior": "error_if_incomplete",
            "proration_date": half,
        },
    )

    assert 3300 <= preview["amount_due"] <= 3700  # half of the difference of 70 dollars
    assert life.invoices()[0]["amount_paid"] == preview["amount_due"]
    details = [line["parent"]["subscription_item_details"] for line in preview["lines"]["data"]]
    assert all(row["proration"] for row in details)


def test_from_month_to_year_the_new_period_begins_at_once(
    live: MakeLife, client: stripe.StripeClient, prices: dict[str, str]
) -> None:
    life = live()
    made = life.subscribe(prices["small"])
    items: Any = [{"id": item_of(made), "price": prices["year"]}]
    life.advance(SINCE + 10 * DAY)
    client.v1.subscriptions.update(made["id"], {"items": items, "proration_behavior": "always_invoice"})

    after = life.get(made["id"])
    assert 364 * DAY <= end_of(after) - (SINCE + 10 * DAY) <= 367 * DAY
    assert 26_500 <= life.invoices()[0]["total"] < 29_000


def test_an_upgrade_that_cannot_be_paid_changes_nothing(
    live: MakeLife, client: stripe.StripeClient, prices: dict[str, str]
) -> None:
    life = live()
    made = life.subscribe(prices["small"])
    bad = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": life.id}).id
    client.v1.customers.update(life.id, {"invoice_settings": {"default_payment_method": bad}})

    with pytest.raises(stripe.CardError) as refused:
        client.v1.subscriptions.update(
            made["id"],
            {
                "items": [{"id": item_of(made), "price": prices["large"]}],
                "proration_behavior": "always_invoice",
                "payment_behavior": "error_if_incomplete",
            },
        )

    assert (refused.value.http_status, refused.value.code) == (402, "card_declined")
    assert life.get(made["id"])["items"]["data"][0]["price"]["id"] == prices["small"]


def test_a_downgrade_waits_in_a_schedule_for_the_periods_end(
    live: MakeLife, client: stripe.StripeClient, prices: dict[str, str]
) -> None:
    life = live()
    made = life.subscribe(prices["large"])
    schedule = client.v1.subscription_schedules.create({"from_subscription": made["id"]})
    client.v1.subscription_schedules.update(
        schedule.id,
        {
            "end_behavior": "release",
            "phases": [
                {
                    "items": [{"price": prices["large"], "quantity": 1}],
                    "start_date": SINCE,
                    "end_date": end_of(made),
                },
                {
                    "items": [{"price": prices["small"], "quantity": 1}],
                    "duration": {"interval": "month", "interval_count": 1},
                    "proration_behavior": "none",
                },
            ],
        },
    )
    assert life.get(made["id"])["items"]["data"][0]["price"]["id"] == prices["large"]
    assert life.get(made["id"])["schedule"] == schedule.id

    life.advance(end_of(made) + 2 * 3600)

    assert life.get(made["id"])["items"]["data"][0]["price"]["id"] == prices["small"]
    assert life.invoices()[0]["total"] == 2900


def test_canceling_at_the_periods_end_can_be_taken_back(
    live: MakeLife, client: stripe.StripeClient, prices: dict[str, str]
) -> None:
    life = live()
    made = life.subscribe(prices["small"])
    client.v1.subscriptions.update(made["id"], {"cancel_at_period_end": True})
    assert life.get(made["id"])["cancel_at"] == end_of(made)

    client.v1.subscriptions.update(made["id"], {"cancel_at_period_end": False})
    assert life.get(made["id"])["cancel_at"] is None

    client.v1.subscriptions.update(made["id"], {"cancel_at_period_end": True})
    life.advance(end_of(made) + 3600)
    assert life.get(made["id"])["status"] == "canceled"


def test_a_declined_renewal_is_past_due_until_it_is_paid(
    live: MakeLife, client: stripe.StripeClient, prices: dict[str, str]
) -> None:
    life = live()
    made = life.subscribe(prices["small"])
    bad = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": life.id}).id
    client.v1.customers.update(life.id, {"invoice_settings": {"default_payment_method": bad}})
    life.advance(end_of(made) + 2 * 3600)

    assert life.get(made["id"])["status"] == "past_due"
    (open_one,) = life.invoices("open")
    assert open_one["attempt_count"] >= 1
    assert open_one["next_payment_attempt"] > end_of(made)

    good = client.v1.payment_methods.attach("pm_card_visa", {"customer": life.id}).id
    client.v1.customers.update(life.id, {"invoice_settings": {"default_payment_method": good}})
    client.v1.invoices.pay(open_one["id"])
    assert life.get(made["id"])["status"] == "active"


def test_the_same_key_is_done_once_and_refuses_other_parameters(client: stripe.StripeClient) -> None:
    key: Any = {"idempotency_key": f"contract-{time.time_ns()}"}
    first = client.v1.customers.create({"name": "Once"}, key)
    again = client.v1.customers.create({"name": "Once"}, key)

    assert first.id == again.id
    with pytest.raises(stripe.IdempotencyError):
        client.v1.customers.create({"name": "Twice"}, key)


def test_a_lookup_key_moves_to_the_new_price(client: stripe.StripeClient) -> None:
    product = client.v1.products.create({"name": "Contract keys"}).id
    key = f"contract_{time.time_ns()}"
    base: Any = {"product": product, "currency": "usd", "recurring": {"interval": "month"}, "lookup_key": key}
    dearer: Any = {**base, "unit_amount": 200}
    moving: Any = {**dearer, "transfer_lookup_key": True}
    cheap: Any = {**base, "unit_amount": 100}
    old = client.v1.prices.create(cheap)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.prices.create(dearer)
    new = client.v1.prices.create(moving)
    client.v1.prices.update(old.id, {"active": False})

    assert [row.id for row in client.v1.prices.list({"lookup_keys": [key]}).data] == [new.id]
    assert client.v1.prices.retrieve(old.id).active is False


def test_what_does_not_exist_is_told_with_code_and_parameter(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.subscriptions.retrieve("sub_unknown")

    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")
    assert (refused.value.headers or {})["request-id"]


def test_a_checkout_session_leads_to_a_page_and_a_portal_session_too(
    live: MakeLife, client: stripe.StripeClient, prices: dict[str, str]
) -> None:
    life = live()
    session = client.v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "customer": life.id,
            "line_items": [{"price": prices["small"], "quantity": 1}],
            "success_url": "https://acme.example/done?id={CHECKOUT_SESSION_ID}",
            "cancel_url": "https://acme.example/",
            "allow_promotion_codes": True,
            "client_reference_id": "w",
        }
    )
    assert (session.status, session.payment_status, session.amount_total) == ("open", "unpaid", 2900)
    assert str(session.url).startswith("http")
    assert client.v1.checkout.sessions.expire(session.id).status == "expired"


def test_a_coupon_takes_off_its_share_once(
    live: MakeLife, client: stripe.StripeClient, prices: dict[str, str]
) -> None:
    life = live()
    coupon = client.v1.coupons.create({"percent_off": 50, "duration": "once"})
    code = client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}})
    made = life.subscribe(prices["small"], discounts=[{"promotion_code": code.id}])
    life.advance(end_of(made) + 2 * 3600)

    assert [row["total"] for row in life.invoices("paid")] == [2900, 1450]


def test_tax_ids_stand_on_the_invoice(
    live: MakeLife, client: stripe.StripeClient, prices: dict[str, str]
) -> None:
    life = live()
    client.v1.customers.tax_ids.create(life.id, {"type": "eu_vat", "value": "DE123456789"})
    life.subscribe(prices["small"])

    assert life.invoices()[0]["customer_tax_ids"] == [{"type": "eu_vat", "value": "DE123456789"}]


def test_a_payment_is_given_back_once(
    live: MakeLife, client: stripe.StripeClient, prices: dict[str, str]
) -> None:
    life = live()
    life.subscribe(prices["small"])
    paid = client.v1.charges.list({"customer": life.id}).data[0]
    assert client.v1.refunds.create({"charge": paid.id, "amount": 900}).status == "succeeded"
    client.v1.refunds.create({"charge": paid.id})

    assert client.v1.charges.retrieve(paid.id).refunded
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create({"charge": paid.id})


def test_credit_pays_the_next_invoice(
    live: MakeLife, client: stripe.StripeClient, prices: dict[str, str]
) -> None:
    life = live()
    client.v1.customers.balance_transactions.create(life.id, {"amount": -1000, "currency": "usd"})
    life.subscribe(prices["small"])

    assert (life.invoices()[0]["total"], life.invoices()[0]["amount_due"]) == (2900, 1900)
    assert client.v1.customers.retrieve(life.id).balance == 0


def test_every_change_leaves_an_event(
    live: MakeLife, client: stripe.StripeClient, prices: dict[str, str]
) -> None:
    life = live()
    made = life.subscribe(prices["small"])
    events = client.v1.events.list({"types": ["customer.subscription.created"], "limit": 100})

    event = next(row for row in events.data if row.data.object["id"] == made["id"])
    assert event.api_version == "2026-05-27.dahlia"
    assert event.data.object["status"] == "active"


def test_metered_use_is_summed_and_an_identifier_counts_once(
    live: MakeLife, client: stripe.StripeClient
) -> None:
    life = live()
    name = f"contract_{time.time_ns()}"
    meter = client.v1.billing.meters.create(
        {"display_name": name, "event_name": name, "default_aggregation": {"formula": "sum"}}
    )
    payload = {"stripe_customer_id": life.id, "value": "40"}
    event: Any = {"event_name": name, "payload": payload, "identifier": f"{name}-1", "timestamp": SINCE}
    client.v1.billing.meter_events.create(event)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.billing.meter_events.create(event)
    another: Any = {**event, "identifier": f"{name}-2"}
    client.v1.billing.meter_events.create(another)

    def total() -> float:
        found = client.v1.billing.meters.event_summaries.list(
            meter.id,
            {"customer": life.id, "start_time": SINCE // 60 * 60 - 60, "end_time": SINCE // 60 * 60 + 60},
        )
        return sum(row.aggregated_value for row in found.data)

    for _ in range(60):  # Stripe takes events in a moment later
        if total() == 80:
            break
        time.sleep(1)
    assert total() == 80
    client.v1.billing.meters.deactivate(meter.id)
