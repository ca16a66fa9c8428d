"""A thousand lives of subscriptions whose events come in any order, twice or never.

Each sequence changes a subscription in Stripe a few times while events arrive at our receivers between the
changes, shuffled and doubled, and some are lost. Whenever the last thing that happened was told after it
happened, our picture is Stripe's; where it was lost, the nightly check makes it so.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
import stripe
from djstripe.models import Event
from pytest_django import DjangoCaptureOnCommitCallbacks

from billing import receivers
from billing.catalogue import sync_plans
from billing.events import INVOICE_EVENTS, SUBSCRIPTION_EVENTS
from billing.models import BillingAccount, Entitlement
from billing.repair import check_drift
from tenants.context import platform
from tenants.models import Workspace
from tests.plugins.payers import KEY
from tests.stripe_fake import browser, clocks, schedules, subscriptions
from tests.stripe_fake.customers import create_customer
from tests.stripe_fake.server import respond
from tests.stripe_fake.wire import ApiError, decode
from tests.stripe_fake.world import SHARED_CLOCK, World

SEQUENCES, PARTS = 1000, 4  # in parts, so that several processes share them
SEED = int(os.environ.get("NETVEXA_SEED", "0")) or random.SystemRandom().randrange(10**9)
DAY = 86400
Json = dict[str, Any]


class InProcess(stripe.HTTPClient):
    """The stand-in without a socket: a thousand sequences in reasonable time."""

    name = "in-process"
    world: World

    def __init__(self, **_: object) -> None:
        super().__init__()

    def request(self, method: str, url: str, headers: Any, post_data: Any = None, **_: Any) -> Any:
        parts = urlsplit(url)
        params = {**decode(parts.query), **decode(post_data or "")}
        lower = {name.lower(): value for name, value in headers.items()}
        status, extra, body = respond(self.world, method.upper(), parts.path, params, lower)
        return json.dumps(body), status, extra

    def close(self) -> None:
        """There is nothing to close."""


@pytest.fixture
def world(db: None, eager: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    standing = World(shared_clock=True)
    client = type("Client", (InProcess,), {"world": standing})
    monkeypatch.setattr(stripe, "RequestsClient", client)
    monkeypatch.setattr(stripe, "default_http_client", client())
    monkeypatch.setattr(stripe, "api_key", KEY)
    settings.STRIPE_ENABLED, settings.STRIPE_TEST_SECRET_KEY = True, KEY
    sync_plans()
    return standing


class Life:
    """One subscription, and what may become of it."""

    def __init__(self, world: World, workspace: Workspace, chance: random.Random) -> None:
        self.world, self.chance = world, chance
        for name in ("customers", "subscriptions", "invoices", "events", "subscription_schedules"):
            world.objects[name] = {}
        world.get("clocks", SHARED_CLOCK)["_ahead"] = 0
        self.customer = create_customer(world, {"email": "ada@acme.example"})["id"]
        Entitlement.objects.all().delete()
        BillingAccount.objects.update_or_create(workspace=workspace, defaults={"customer_id": self.customer})
        self.untold: list[Json] = []
        self.act(self.subscribe)

    @property
    def acts(self) -> list[Callable[[], object]]:
        if self.row["status"] in subscriptions.ENDED:
            return [self.subscribe]
        return [
            self.move, self.move, self.cancel, self.resume, self.good_card, self.bad_card,
            self.wait, self.wait, self.schedule, self.end,
        ]  # fmt: skip

    @property
    def row(self) -> Json:
        return self.world.all("subscriptions")[0]

    def price(self) -> str:
        plans = [row for row in self.world.all("prices") if row["recurring"]["usage_type"] == "licensed"]
        sold = [row["id"] for row in plans if row["active"]]
        return str(self.chance.choice(sold))

    def act(self, what: Callable[[], object]) -> None:
        """Do it, and note the events that it leaves."""
        known = set(self.world.objects["events"])
        try:
            what()
        except ApiError:
            return  # a declined card, or nothing to take back
        self.untold += [row for id_, row in self.world.objects["events"].items() if id_ not in known]

    def subscribe(self) -> None:
        given = {"customer": self.customer, "items": [{"price": self.price()}]}
        subscriptions.create(self.world, {**given, "default_payment_method": "pm_card_visa"})

    def move(self) -> None:
        items = [{"id": self.row["items"]["data"][0]["id"], "price": self.price()}]
        given = {
            "items": items,
            "proration_behavior": "always_invoice",
            "payment_behavior": "error_if_incomplete",
        }
        subscriptions.update(self.world, given, self.row["id"])

    def cancel(self) -> None:
        subscriptions.update(self.world, {"cancel_at_period_end": "true"}, self.row["id"])

    def resume(self) -> None:
        subscriptions.update(self.world, {"cancel_at_period_end": "false"}, self.row["id"])

    def good_card(self) -> None:
        browser.use_card(self.world, self.customer, "pm_card_visa")

    def bad_card(self) -> None:
        browser.use_card(self.world, self.customer, "pm_card_chargeCustomerFail")

    def wait(self) -> None:
        clock = self.world.get("clocks", SHARED_CLOCK)
        days = self.chance.choice((3, 32))
        clocks.advance(self.world, clock, self.world.time_of(clock) + days * DAY)

    def schedule(self) -> None:
        made = schedules.create(self.world, {"from_subscription": self.row["id"]})
        first = made["phases"][0]
        now = {"items": first["items"], "start_date": first["start_date"], "end_date": first["end_date"]}
        later = {"items": [{"price": self.price()}], "duration": {"interval": "month"}}
        schedules.update(self.world, {"phases": [now, later]}, made["id"])

    def end(self) -> None:
        subscriptions.cancel(self.world, {}, self.row["id"])


def tell(life: Life, capture: DjangoCaptureOnCommitCallbacks, *, before: bool) -> bool:
    """Let some of what was not told arrive, shuffled, some twice, some never; must we be up to date now?"""
    arriving, life.untold = life.untold, []
    watched = [row for row in arriving if row["type"] in (*SUBSCRIPTION_EVENTS, *INVOICE_EVENTS)]
    told = [row for row in watched if life.chance.random() < 0.3]
    told += [row for row in told if life.chance.random() < 0.2]
    life.chance.shuffle(told)
    with capture(execute=True):
        for row in told:
            event = Event(id=row["id"], type=row["type"], data=row["data"])
            receivers.subscription_changed(Event, event)
    return bool(told) if watched else before


def picture(row: Entitlement | None) -> Json:
    if row is None:
        return {}
    return {
        "tier": row.tier,
        "interval": row.interval,
        "status": row.status,
        "ends": row.period_ends_at,
        "cancels": row.cancels_at,
        "owing": row.past_due_since,
    }


def truth(life: Life) -> Json:
    """What Stripe holds, read off by hand."""
    live = [row for row in life.world.all("subscriptions") if row["status"] not in subscriptions.ENDED]
    row = (live or life.world.all("subscriptions"))[0]
    item = row["items"]["data"][0]
    key = item["price"]["nickname"].split(",")[0].lower()
    return {
        "tier": key,
        "interval": item["price"]["recurring"]["interval"],
        "status": row["status"],
        "ends": datetime.fromtimestamp(item["current_period_end"], UTC),
        "cancels": datetime.fromtimestamp(row["cancel_at"], UTC) if row["cancel_at"] else None,
        "owing": datetime.fromtimestamp(item["current_period_start"], UTC)
        if row["status"] == "past_due"
        else None,
    }


@pytest.mark.parametrize("part", range(PARTS))
def test_a_thousand_sequences_end_in_what_stripe_holds(
    world: World,
    workspace: Workspace,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    part: int,
) -> None:
    chance, mended = random.Random(f"{SEED} {part}"), 0
    for number in range(SEQUENCES // PARTS):
        with platform():
            life = Life(world, workspace, chance)
            up_to_date = tell(life, django_capture_on_commit_callbacks, before=False)
            for _ in range(chance.randint(1, 3)):
                life.act(chance.choice(life.acts))
                if chance.random() < 0.6:
                    up_to_date = tell(life, django_capture_on_commit_callbacks, before=up_to_date)
            if life.untold or not up_to_date:
                check_drift()
                mended += 1
            row = Entitlement.objects.filter(workspace=workspace).first()
        assert picture(row) == truth(life), f"sequence {number}; NETVEXA_SEED={SEED} repeats it"
    assert 0.1 < mended * PARTS / SEQUENCES < 0.9  # both ways were tried
